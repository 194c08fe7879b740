"""Plain JSON: the members of an object are readings; README.md is the vendor's guide."""

from __future__ import annotations

from functools import partial
from math import isfinite, nan
from typing import Any

from collector import personal, times
from collector.formats.format import (
    Decoded,
    Format,
    Hints,
    Undecodable,
    checked_path,
    refused_text,
)
from collector.formats.json_text import parse
from storage.reading import Flag, Reading, Reason, Refusal

MAX_DEPTH = 16
"""Objects and lists inside one another; real devices stay below 6."""

TIME_NAMES = (
    "time", "timestamp", "ts", "datetime", "date_time", "date", "observedAt", "observed_at",
    "dateObserved", "Time", "Timestamp", "timeStamp", "TimeStamp", "dateTime", "DateTime", "Date",
    "TIME", "TIMESTAMP", "t",
)  # fmt: skip
"""Usual names of the time member; the first one present counts."""

_TIME_NAMES = frozenset(TIME_NAMES)
_T_SINCE_US = 100_000_000_000_000
_MISSING = int(Flag.MISSING)
_UNJUDGED = int(Flag.NOT_EVALUATED)

# Twice as fast as calling Reading, in the loop every message goes through.
_reading = partial(tuple.__new__, Reading)


def decode(payload: bytes, hints: Hints, received_us: int) -> Decoded:
    """Read one object, a list of objects, or a single value (field ``value``).

    >>> decode(b'{"time": "2024-03-01T00:00:00Z", "no2": 12.5}', Hints("a"), 0).readings
    [Reading(sensor='a', field='no2', time_us=1709251200000000, value=12.5, unit=None, flag=2)]
    """
    message = parse(payload)
    decoded = Decoded([], [])
    if type(message) is dict:
        try:
            time_us, time_name = _time_of(message, hints)
        except times.NotATime as problem:
            raise Undecodable(Reason.BAD_TIME, str(problem)) from None
        read_members(message, time_name, hints.sensor, time_us, decoded)
    elif type(message) is list:
        _read_list(message, hints, decoded)
    else:
        read_members({"value": message}, "", hints.sensor, None, decoded)
    return decoded


def _read_list(messages: list[Any], hints: Hints, decoded: Decoded) -> None:
    for position, message in enumerate(messages):
        if type(message) is not dict:
            raise Undecodable(Reason.BAD_PAYLOAD, f"entry {position} of the list is not an object")
        try:
            time_us, time_name = _time_of(message, hints)
        except times.NotATime as problem:
            # The other entries have times of their own and are kept.
            own = Decoded([], [])
            read_members(message, hints.time_field, hints.sensor, None, own)
            fields = [one.field for one in own.readings] + [one.field for one in own.refusals]
            decoded.refusals.extend(
                Refusal(field, Reason.BAD_TIME, f"entry {position}: {problem}")
                for field in fields
                if field not in _TIME_NAMES
            )
        else:
            read_members(message, time_name, hints.sensor, time_us, decoded)


def _time_of(message: dict[str, Any], hints: Hints) -> tuple[int | None, str]:
    """Microseconds and the path of the member that says them; (None, "") where none does."""
    if hints.time_field:
        value = member_at(message, hints.time_field)
        return microseconds(value, hints.timezone), hints.time_field
    if _TIME_NAMES.isdisjoint(message):
        return None, ""
    for name in TIME_NAMES:
        if name in message:
            value = message[name]
            if name != "t":
                return microseconds(value, hints.timezone), name
            # A lone t is as often a temperature: only what reads as a recent time is one.
            try:
                time_us = microseconds(value, hints.timezone)
            except times.NotATime:
                return None, ""
            return (time_us, name) if (time_us or 0) >= _T_SINCE_US else (None, "")
    return None, ""


def member_at(message: dict[str, Any], path: str) -> Any:
    """The member at a dotted path; None where there is none."""
    value: Any = message
    if path in message:
        return message[path]
    for name in path.split("."):
        if type(value) is not dict:
            return None
        value = value.get(name)
    return value


def microseconds(value: Any, timezone: str) -> int | None:
    """The time that a member says, None for null or empty text."""
    kind = type(value)
    if kind is str:
        return times.from_text(value, timezone) if value else None
    if kind is int or kind is float:
        return times.from_number(value)
    if value is None:
        return None
    raise times.NotATime("the time member is neither a number nor text")


def read_members(
    members: dict[str, Any],
    time_name: str,
    sensor: str,
    time_us: int | None,
    decoded: Decoded,
    prefix: str = "",
    depth: int = 1,
) -> None:
    """Append what the members of one object say, nested ones by dotted path."""
    readings, refusals = decoded.readings, decoded.refusals
    for name, value in members.items():
        field = prefix + name if prefix else name
        if field == time_name:
            continue
        kind = type(value)
        if kind is float or kind is int or kind is bool:
            if isfinite(value):
                number = float(value)
                readings.append(_reading((sensor, field, time_us, number, None, _UNJUDGED)))
            else:
                refusals.append(Refusal(field, Reason.BAD_VALUE, "a number that is not finite"))
        elif kind is str:
            _read_text(value, field, sensor, time_us, decoded)
        elif value is None:
            readings.append(Reading(sensor, field, time_us, nan, None, _MISSING))
        elif depth >= MAX_DEPTH:
            raise Undecodable(Reason.BAD_PAYLOAD, f"nested deeper than {MAX_DEPTH} levels")
        else:
            inner = value if kind is dict else {str(i): one for i, one in enumerate(value)}
            below = f"{checked_path(field)}."
            read_members(inner, time_name, sensor, time_us, decoded, below, depth + 1)


def _read_text(text: str, field: str, sensor: str, time_us: int | None, decoded: Decoded) -> None:
    text = text.strip()
    if not text:
        decoded.readings.append(Reading(sensor, field, time_us, nan, None, _MISSING))
        return
    try:
        number = float(text)
    except ValueError:
        decoded.refusals.append(refused_text(field, text, "text that is not a number"))
        return
    # float() also takes "1_000", digits of other scripts, "nan" and "inf".
    if "_" in text or not text.isascii():
        decoded.refusals.append(refused_text(field, text, "text that is not a number"))
    elif len(text) >= personal.SHORTEST_NUMBER and personal.kind(text):
        decoded.refusals.append(refused_text(field, text, ""))
    elif not isfinite(number):
        decoded.refusals.append(Refusal(field, Reason.BAD_VALUE, "a number that is not finite"))
    else:
        decoded.readings.append(Reading(sensor, field, time_us, number, None, _UNJUDGED))


def fits(topic: str, payload: bytes) -> bool:
    """Anything that is JSON may be meant so."""
    try:
        parse(payload)
    except Undecodable:
        return False
    return True


FORMAT = Format(
    name="plain",
    title="Plain JSON: one object, a list of objects, or a single number",
    topic="city/{territory}/{site}/{sensor}",
    decode=decode,
    fits=fits,
    sensor="only the topic names it",
    fields="the member's name; nested members by dotted path; `value` for a single number",
    units="none; the sensor list says them",
    time="the first usual time member or the binding's time_field, else the reception",
)
