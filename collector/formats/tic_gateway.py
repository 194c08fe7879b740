"""JSON that gateways make of a French meter's output: its labels as members; pure."""

from __future__ import annotations

from math import isfinite, nan
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from collector import personal, times
from collector.formats.format import Decoded, Hints, Undecodable
from collector.formats.tic_frame import KNOWN, LONGEST, PASSED, READING, moment, reading_of, take
from collector.formats.tic_labels import DATED
from storage.reading import Flag, Reading, Reason, Refusal

TIME_NAMES = ("time", "timestamp", "ts", "datetime", "date", "horodate", "Time", "Timestamp")
"""Members in which gateways say their own clock."""

_WRAPPERS = ("TIC", "tic", "teleinfo", "linky")
_UNJUDGED, _MISSING = int(Flag.NOT_EVALUATED), int(Flag.MISSING)
_NO_TIME = (None, _UNJUDGED)

_Time = tuple[int | None, int]


class Stamp(BaseModel):
    """The time of one value: when, and whether in summer time."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    date: str = ""


class Stamped(BaseModel):
    """A value with its text as sent and its time, as some gateways publish every label."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    value: float | str | None = None
    raw: str | None = None
    timestamp: Stamp | str | None = None
    horodate: str | None = None

    def when(self) -> str:
        """The time as text, "" for none."""
        stamp = self.timestamp if self.timestamp is not None else self.horodate
        return (stamp.date if isinstance(stamp, Stamp) else stamp) or ""


def labels_of(message: dict[str, Any]) -> dict[str, Any]:
    """The object whose members are labels: the message, or the one that it wraps."""
    for name in _WRAPPERS:
        inner = message.get(name)
        if type(inner) is dict:
            return inner
    return message


def decode(message: dict[str, Any], hints: Hints) -> Decoded:
    """Read one object of labels."""
    labels = labels_of(message)
    time = _time_of(message, labels, hints)
    (time_us, flag), sensor = time, hints.sensor
    offered: list[Reading] = []
    decoded = Decoded([], [], offered)
    said = False
    for name, value in labels.items():
        label = name if name in KNOWN else name.upper()
        if label in KNOWN:
            said = True
            role, unit = KNOWN[label]
            if role == PASSED:
                continue
            if type(value) is not str or label in DATED:
                _member(label, value, time, hints, decoded, offered)
            elif value.isdigit() and value.isascii() and len(value) <= LONGEST and label != "STGE":
                (decoded.readings if role == READING else offered).append(
                    reading_of((sensor, label, time_us, float(value), unit, flag))
                )
            else:
                take(label, value.strip(), time_us, flag, sensor, decoded, offered)
        elif name != hints.time_field and name not in TIME_NAMES:
            _stranger(name, value, time, hints, offered)
    if not said:
        raise Undecodable(Reason.BAD_PAYLOAD, "no member is a label of the meter")
    return decoded


def single(name: str, value: Any, hints: Hints) -> Decoded:
    """Read the value of the one label that the topic names."""
    offered: list[Reading] = []
    decoded = Decoded([], [], offered)
    _member(name, value, _NO_TIME, hints, decoded, offered)
    return decoded


def _member(
    name: str, value: Any, time: _Time, hints: Hints, decoded: Decoded, offered: list[Reading]
) -> None:
    role, unit = KNOWN[name]
    if role == PASSED:
        return
    kind = type(value)
    dated = False
    if kind is dict:
        try:
            told = Stamped.model_validate(value)
            when = told.when()
            if when:
                time, dated = _moment(when, hints), True
        except ValidationError:
            refusal = Refusal(name, Reason.BAD_VALUE, "an object that holds no value and time")
            decoded.refusals.append(refusal)
            return
        except times.NotATime as problem:
            decoded.refusals.append(Refusal(name, Reason.BAD_TIME, str(problem)))
            return
        value = told.value if told.value is not None else told.raw
        kind = type(value)
    if not dated and name in DATED:
        # The step of the load curve is over by then, nobody knows for how long: no reading.
        decoded = Decoded(offered, decoded.refusals)
    if kind is str:
        take(name, value.strip(), *time, hints.sensor, decoded, offered)
    elif name == "STGE":
        return
    elif value is None or kind is int or kind is float:
        number = nan if value is None else float(value)
        if value is not None and not isfinite(number):
            what = "a number that is not finite"
            decoded.refusals.append(Refusal(name, Reason.BAD_VALUE, what))
            return
        flag = _MISSING if value is None else time[1]
        reading = Reading(hints.sensor, name, time[0], number, unit, flag)
        (decoded.readings if role == READING else offered).append(reading)
    else:
        decoded.refusals.append(Refusal(name, Reason.BAD_VALUE, "neither a number nor text"))


def _stranger(name: str, value: Any, time: _Time, hints: Hints, offered: list[Reading]) -> None:
    """What gateways add of themselves: offered where it is a number."""
    if type(value) is not int and type(value) is not float:
        return
    if isfinite(value) and not personal.names_identifier(name):
        offered.append(Reading(hints.sensor, name, time[0], float(value), None, time[1]))


def _time_of(message: dict[str, Any], labels: dict[str, Any], hints: Hints) -> _Time:
    """The meter's clock, else the gateway's, else none."""
    try:
        if hints.time_field:
            return _moment(message.get(hints.time_field, labels.get(hints.time_field)), hints)
        date = labels.get("DATE")
        if type(date) is dict:
            date = Stamped.model_validate(date).when()
        if date:
            return _moment(date, hints)
        for members in (labels, message):
            for name in TIME_NAMES:
                if name in members:
                    return _moment(members[name], hints)
    except times.NotATime as problem:
        raise Undecodable(Reason.BAD_TIME, str(problem)) from None
    except ValidationError:
        raise Undecodable(Reason.BAD_TIME, "DATE says no time") from None
    return _NO_TIME


def _moment(value: Any, hints: Hints) -> _Time:
    kind = type(value)
    if kind is str and value:
        if value[0] in "HEhe " and value[1:].isdigit():
            return moment(value, hints.timezone)
        return times.from_text(value, hints.timezone), _UNJUDGED
    if kind is int or kind is float:
        return times.from_number(value), _UNJUDGED
    if value is None or value == "":
        return _NO_TIME
    raise times.NotATime("the time is neither a number nor text")
