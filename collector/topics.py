"""From a topic to the binding that reads it."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from typing import NamedTuple

from collector.formats import sparkplug
from collector.formats.births import Births
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
    ignore: Container[str]
    sensor_id: int
    fields: dict[str, int] | None
    shapes: Shapes | None


class Topics:
    """Finds and remembers the route of every topic."""

    def __init__(self, routes: Routes, births: Births | None = None) -> None:
        self._routes = routes
        self._births = births
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

    def binding(self, topic: str) -> BindingRow | None:
        """The binding that :meth:`route` follows, as it was declared."""
        return next((row for pattern, row in self._bindings if pattern.fullmatch(topic)), None)

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
            births = self._births if row.format == sparkplug.FORMAT.name else None
            codec = self._routes.codecs.get(sensor) or row.codec
            ignore = ignored(row.ignore)
            hints = Hints(sensor, row.timezone, row.time_field, topic, codec, births)
            return Route(
                FORMATS[row.format].decode,
                hints,
                ignore,
                sensor_id,
                fields,
                Shapes(fields, hints, ignore)
                if fields is not None and row.format == "plain"
                else None,
            )
        return None


class _Ignored:
    """Names of fields, some of them by how they begin."""

    __slots__ = ("_beginnings", "_names")

    def __init__(self, names: frozenset[str]) -> None:
        self._beginnings = tuple(name[:-1] for name in names if name.endswith("*"))
        self._names = names

    def __contains__(self, name: object) -> bool:
        return name in self._names or (isinstance(name, str) and name.startswith(self._beginnings))


def ignored(names: frozenset[str]) -> Container[str]:
    """What a binding ignores; ``status.*`` is every name that begins with ``status.``."""
    return _Ignored(names) if any(name.endswith("*") for name in names) else names


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
