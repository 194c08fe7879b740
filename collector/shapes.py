"""The commonest message read at once: one flat JSON object of numbers, all of them known.

Devices repeat themselves: a message has the names of the one before. What names mean is
worked out once per list of names, the shape, so that only the numbers are left to take.
Whatever is unusual in any way is left to the format, which would answer the same.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from collector import times
from collector.formats.format import Hints
from collector.formats.plain import TIME_NAMES

_NUMBERS = frozenset({float, int, bool})
_NESTED = frozenset({dict, list})
_BACKSLASH = 0x5C
_REMEMBERED = 64  # shapes of one topic; a device has a few, an attacker's are many


Row = tuple[tuple[int, ...], tuple[Any, ...], int | None]
"""One message: a position for every value, the values, and when; None for its reception."""


class _Shape(NamedTuple):
    time: str
    positions: tuple[int, ...]
    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    ignores: bool


class Shapes:
    """The shapes of one topic whose sensor is known, read as the format ``plain``."""

    __slots__ = ("_fields", "_hints", "_ignore", "_shapes")

    def __init__(self, fields: Mapping[str, int], hints: Hints, ignore: Container[str]) -> None:
        self._fields = fields
        self._hints = hints
        self._ignore = ignore
        self._shapes: dict[tuple[str, ...], _Shape | None] = {}

    def read(self, payload: bytes) -> Row | None:
        """The message if it is of a usual shape, else None."""
        # A backslash may hide a NUL, of which the format has an opinion.
        if _BACKSLASH in payload:
            return None
        try:
            message = orjson.loads(payload)
        except orjson.JSONDecodeError:
            return None
        if type(message) is not dict:
            return None
        names = tuple(message)
        try:
            shape = self._shapes[names]
        except KeyError:
            shape = self._learn(names)
        if shape is None:
            return None
        values = shape.pick(message)
        if not _NUMBERS.issuperset(map(type, values)):
            return None
        # The members of a nested object are fields of their own, which nobody ignored.
        if shape.ignores and not _NESTED.isdisjoint(map(type, message.values())):
            return None
        if not shape.time:
            return shape.positions, values, None
        said = message[shape.time]
        kind = type(said)
        try:
            if kind is str:
                time_us = times.from_text(said, self._hints.timezone)
            elif kind is int or kind is float:
                time_us = times.from_number(said)
            else:
                return None
        except times.NotATime:
            return None
        return shape.positions, values, time_us

    def _learn(self, names: tuple[str, ...]) -> _Shape | None:
        if len(self._shapes) >= _REMEMBERED:
            self._shapes.clear()
        shape = self._shapes[names] = self._shape(names)
        return shape

    def _shape(self, names: tuple[str, ...]) -> _Shape | None:
        time = self._hints.time_field
        if not time:
            time = next((name for name in TIME_NAMES if name in names), "")
        elif time not in names:
            return None
        if time == "t" and not self._hints.time_field:
            return None  # whether that is a time depends on its value
        # What somebody registered is taken, whatever the binding ignores.
        values = [
            name
            for name in names
            if name != time and (name in self._fields or name not in self._ignore)
        ]
        if not values or any(name not in self._fields for name in values):
            return None
        pick = itemgetter(*values) if len(values) > 1 else _only(values[0])
        ignores = len(values) + (time != "") < len(names)
        return _Shape(time, tuple(self._fields[name] for name in values), pick, ignores)


def _only(name: str) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    return lambda message: (message[name],)
