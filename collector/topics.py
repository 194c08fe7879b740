"""From a topic to the binding that reads it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from collector.formats.format import Decoder, Hints
from collector.formats.registry import FORMATS
from collector.shapes import Shapes
from storage.routes import BindingRow, Routes

# Topics are few and repeat; an attacker's are many. Beyond this the table starts afresh.
_REMEMBERED = 100_000


class Route(NamedTuple):
    """How the messages of one topic are read; ``fields`` are the named sensor's."""

    decode: Decoder
    hints: Hints
    ignore: frozenset[str]
    sensor_id: int
    fields: dict[str, int] | None
    shapes: Shapes | None


class Topics:
    """Finds and remembers the route of every topic."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._bindings = [(_pattern(row.topic), row) for row in routes.bindings]
        self._known: dict[str, Route | None] = {}

    def route(self, topic: str) -> Route | None:
        """The first binding that fits, or ``None``."""
        try:
            return self._known[topic]
        except KeyError:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[topic] = self._find(topic)
            return found

    def undeclared(self, topic: str) -> list[tuple[int, int]]:
        """Where ``topic`` has what no binding names: all of it, or what ``+`` and ``#`` fit."""
        for pattern, _ in self._bindings:
            match = pattern.fullmatch(topic)
            if match is not None:
                named = pattern.groupindex.values()
                groups = set(range(1, pattern.groups + 1)).difference(named)
                return sorted(match.span(group) for group in groups if match[group])
        return [(0, len(topic))]

    def _find(self, topic: str) -> Route | None:
        for pattern, row in self._bindings:
            match = pattern.fullmatch(topic)
            if match is None:
                continue
            sensor = match.groupdict().get("sensor") or ""
            sensor_id, fields = self._routes.sensors.get(sensor, (0, None))
            hints = Hints(sensor, row.timezone, row.time_field, topic)
            return Route(
                FORMATS[row.format].decode,
                hints,
                row.ignore,
                sensor_id,
                fields,
                Shapes(fields, hints, row.ignore)
                if fields is not None and row.format == "plain"
                else None,
            )
        return None


def filters(bindings: Sequence[BindingRow]) -> list[str]:
    """MQTT topic filters for the bindings, each once."""
    return list(dict.fromkeys(topic_filter(row.topic) for row in bindings))


def topic_filter(topic: str) -> str:
    """The MQTT topic filter of a binding's topic.

    >>> topic_filter("city/{site}/{sensor}/#")
    'city/+/+/#'
    """
    return re.sub(r"\{\w+\}", "+", topic)


def _pattern(topic: str) -> re.Pattern[str]:
    parts = []
    for segment in topic.split("/"):
        if segment == "#":
            parts.append("(.*)")
        elif segment == "+":
            parts.append("([^/]*)")
        elif segment.startswith("{"):
            parts.append(f"(?P<{segment[1:-1]}>[^/]+)")
        else:
            parts.append(re.escape(segment))
    expression = "/".join(parts)
    # "a/#" also means "a" itself.
    return re.compile(
        expression.removesuffix("/(.*)") + "(?:/(.*))?" if topic.endswith("/#") else expression
    )
