"""OGC SensorThings (15-078r6, 18-088): Observations as they are published over MQTT."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice, zip_longest
from math import nan
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from collector import personal, times
from collector.formats.format import OF_OTHERS, Decoded, Format, Hints, Undecodable, of_others
from collector.formats.json_text import parse
from collector.formats.members import Members
from collector.formats.observed_quality import flag_of
from collector.formats.plain import member_at, read_members
from storage.reading import Flag, Reading, Reason, Refusal

_OPEN = ConfigDict(strict=True, frozen=True, extra="ignore")


class Stream(BaseModel):
    """A Datastream or MultiDatastream, as far as an Observation carries it."""

    model_config = _OPEN
    id: str | int | None = Field(None, alias="@iot.id")
    unit: Any = Field(None, alias="unitOfMeasurement")
    units: Any = Field(None, alias="unitOfMeasurements")


class Observation(BaseModel):
    """The members that matter here; servers and vendors add others."""

    model_config = _OPEN
    result: Any
    measured: str | int | float | None = Field(None, alias="phenomenonTime")
    concluded: str | int | float | None = Field(None, alias="resultTime")
    quality: Any = Field(None, alias="resultQuality")
    stream: Stream | None = Field(None, alias="Datastream")
    multi: Stream | None = Field(None, alias="MultiDatastream")
    link: str | None = Field(None, alias="Datastream@iot.navigationLink")
    multi_link: str | None = Field(None, alias="MultiDatastream@iot.navigationLink")


class DataArray(BaseModel):
    """One entry of CreateObservations: many Observations of one Datastream in rows."""

    model_config = _OPEN
    stream: Stream | None = Field(None, alias="Datastream")
    multi: Stream | None = Field(None, alias="MultiDatastream")
    components: list[str] = Field(min_length=1)
    rows: list[list[Any]] = Field(alias="dataArray")


Units = list[str | None] | str | None
"""The symbol of a Datastream's unit, those of a MultiDatastream by place, or nothing."""

_STREAM = re.compile(r"(?:Multi)?Datastreams\(('(?:[^']|'')*'|[^'()]+)\)")
_OBSERVATIONS = re.compile(r"Datastreams\([^()/]+\)|(?:^|/)Observations\([^()/]+\)")
_ENTITIES = frozenset({
    "Things", "Locations", "HistoricalLocations", "Datastreams", "MultiDatastreams", "Sensors",
    "ObservedProperties", "FeaturesOfInterest",
})  # fmt: skip
_CODE = re.compile(r"[^/+#\s\x00][^/+#\x00]{0,99}")
_STANDARD = frozenset({
    "phenomenonTime", "resultTime", "result", "resultQuality", "validTime", "parameters", "id",
    "Datastream", "MultiDatastream", "FeatureOfInterest", "FeatureOfInterest/id",
})  # fmt: skip
_LOOKS = 50
_LONGEST_NAME = 24


def decode(payload: bytes, hints: Hints, received_us: int) -> Decoded:
    """Read one Observation, a list of them, or the data arrays of CreateObservations.

    >>> message = b'{"phenomenonTime": "2026-03-01T08:00:00Z/2026-03-01T09:00:00Z", "result": 72}'
    >>> decode(message, Hints("", topic="v1.1/Datastreams(12)/Observations"), 0).readings[0]
    Reading(sensor='Datastream-12', field='result', time_us=1772352000000000, value=72.0, \
unit=None, flag=2)
    """
    message = parse(payload)
    topic_stream = _of_topic(hints.topic)
    if type(message) is dict:
        if "result" not in message and _is_of_other_entity(hints.topic):
            return Decoded([], [], sensor="" if hints.sensor else topic_stream)
        try:
            return _observation(message, hints, hints.sensor or topic_stream)
        except times.NotATime as problem:
            raise Undecodable(Reason.BAD_TIME, str(problem)) from None
    if type(message) is not list:
        raise Undecodable(Reason.BAD_PAYLOAD, "an Observation is an object")
    return _list(message, hints, hints.sensor or topic_stream)


def _list(entries: list[Any], hints: Hints, named: str) -> Decoded:
    """Read several entries; where the topic names a device, none of another is taken."""
    decoded = Decoded([], [])
    arrays: dict[int, DataArray] = {}
    for position, entry in enumerate(entries):
        if type(entry) is not dict:
            raise Undecodable(Reason.BAD_PAYLOAD, f"entry {position} of the list is not an object")
        if "dataArray" in entry:
            try:
                arrays[position] = DataArray.model_validate(entry)
            except ValidationError as error:
                raise _broken(error) from None
    streams = [_of_stream(array.stream or array.multi) or named for array in arrays.values()]
    several = named != "" and len(set(streams)) > 1
    if several and named not in streams and len(arrays) == len(entries):
        raise Undecodable(Reason.UNKNOWN_SENSOR, OF_OTHERS)
    for position, entry in enumerate(entries):
        array = arrays.get(position)
        if array is None:
            _append(decoded, entry, hints, named, f"entry {position}")
            continue
        own = _of_stream(array.stream or array.multi) or named
        if several and own != named:
            others = Decoded([], decoded.refusals)
            _data_array(array, hints, own, others)
            decoded.refusals.extend(of_others(others.readings))
        else:
            _data_array(array, hints, named or own, decoded)
    return decoded


def _data_array(array: DataArray, hints: Hints, sensor: str, decoded: Decoded) -> None:
    place = {name: at for at, name in enumerate(array.components)}
    if "result" not in place:
        raise Undecodable(Reason.BAD_PAYLOAD, "components: no result among them")
    stream = array.stream or array.multi
    members = Members(sensor, None)
    result, quality = place["result"], place.get("resultQuality")
    units = _units(stream)
    for position, row in enumerate(array.rows):
        if len(row) != len(array.components):
            detail = f"row {position} has {len(row)} values for {len(array.components)} components"
            members.refusals.append(Refusal("result", Reason.BAD_PAYLOAD, detail))
            continue
        try:
            members.time_us = _time_of_row(row, place, hints)
        except times.NotATime as problem:
            detail = f"row {position}: {problem}"
            members.refusals.append(Refusal("result", Reason.BAD_TIME, detail))
        else:
            _take(members, row[result], units, None if quality is None else row[quality])
    decoded.readings.extend(members.readings)
    decoded.refusals.extend(members.refusals)


def _time_of_row(row: list[Any], place: dict[str, int], hints: Hints) -> int | None:
    if hints.time_field:
        named = place.get(hints.time_field)
        return _instant(None if named is None else row[named], hints.timezone)
    measured, concluded = place.get("phenomenonTime"), place.get("resultTime")
    if measured is not None and row[measured] is not None:
        return _instant(row[measured], hints.timezone)
    said = None if concluded is None else row[concluded]
    if not _STANDARD.issuperset(place):
        _check_spelling(place, said is None)
    return _instant(said, hints.timezone)


def _append(
    decoded: Decoded, message: dict[str, Any], hints: Hints, sensor: str, where: str
) -> None:
    """Take in one Observation of several; the others have times of their own and are kept."""
    try:
        own = _observation(message, hints, sensor)
    except times.NotATime as problem:
        decoded.refusals.append(Refusal("result", Reason.BAD_TIME, f"{where}: {problem}"))
        return
    decoded.readings.extend(own.readings)
    decoded.refusals.extend(own.refusals)


def _observation(message: dict[str, Any], hints: Hints, sensor: str) -> Decoded:
    try:
        said = Observation.model_validate(message)
    except ValidationError as error:
        raise _broken(error) from None
    stream = said.stream or said.multi
    if not sensor:
        sensor = _of_stream(stream) or _of_topic(said.link or said.multi_link or "")
    members = Members(sensor, _time_of(said, message, hints))
    _take(members, said.result, _units(stream), said.quality)
    return members.decoded()


def _take(members: Members, result: Any, units: Units, quality: Any) -> None:
    """Take in one result; that of a MultiDatastream is a list with a unit for each place."""
    kind = type(result)
    if quality is None and (kind is float or kind is int):  # most results, at half of the cost
        members.measured("result", result, units if type(units) is str else None)
        return
    before = len(members.readings)
    if kind is list and type(units) is list:
        for place, (one, unit) in enumerate(zip_longest(result, units[: len(result)])):
            if type(one) is dict or type(one) is list:
                _flatten(members, f"result.{place}", one)
            else:
                members.measured(f"result.{place}", one, unit)
    elif kind is dict or kind is list:
        _flatten(members, "result", result)
    else:
        members.measured("result", result, units if type(units) is str else None)
    flag = Flag.NOT_EVALUATED if quality is None else flag_of(quality)
    if flag is not Flag.NOT_EVALUATED:
        members.readings[before:] = [_flagged(one, flag) for one in members.readings[before:]]


def _flatten(members: Members, field: str, result: Any) -> None:
    whole = Decoded(members.readings, members.refusals)
    read_members({field: result}, "", members.sensor, members.time_us, whole)


def _flagged(reading: Reading, flag: Flag) -> Reading:
    if reading.flag == Flag.MISSING:
        return reading
    # What stands for a missing value (0, -9999) is none.
    value = nan if flag is Flag.MISSING else reading.value
    return reading._replace(value=value, flag=int(flag))


def _time_of(said: Observation, message: dict[str, Any], hints: Hints) -> int | None:
    """The start of the phenomenon's time, else the result's; None where neither is said."""
    if hints.time_field:
        return _instant(member_at(message, hints.time_field), hints.timezone)
    if said.measured is not None:
        return _instant(said.measured, hints.timezone)
    if not _STANDARD.issuperset(message):
        _check_spelling(message, said.concluded is None)
    return _instant(said.concluded, hints.timezone)


def _instant(value: Any, timezone: str) -> int | None:
    if value is None or value == "":
        return None
    if type(value) is not str:
        if type(value) is int or type(value) is float:
            return times.from_number(value)
        raise times.NotATime("the time member is neither a number nor text")
    if "/" not in value:
        return times.from_text(value, timezone)
    start, interval, end = value.partition("/")
    time_us = times.from_text(start, timezone)
    # A duration after the slash ends after the start by itself.
    if interval and not end.startswith("P") and times.from_text(end, timezone) < time_us:
        raise times.NotATime("phenomenonTime ends before it starts")
    return time_us


def _check_spelling(message: Iterable[str], timeless: bool) -> None:
    """Raise where a member is phenomenonTime misspelt: "now" would be a wrong time for it."""
    others = (name for name in message if name not in _STANDARD and "@" not in name)
    for name in islice(others, _LOOKS):
        if len(name) <= _LONGEST_NAME and _means_a_time(name.casefold(), timeless):
            quoted = "a member" if personal.kind(name) or not name.isascii() else f"{name!r}"
            raise times.NotATime(
                f"{quoted} is no member of an Observation: send phenomenonTime,"
                " or name the member as the binding's time_field"
            )


@lru_cache(maxsize=4096)  # all rows of a data array have the same names
def _means_a_time(name: str, timeless: bool) -> bool:
    if get_close_matches(name, ("phenomenontime",), cutoff=0.75):
        return True
    return timeless and ("time" in name or bool(get_close_matches(name, ("resulttime",))))


def _is_of_other_entity(topic: str) -> bool:
    segments = topic.split("/")
    return not any(one.startswith(("Observations", "CreateObs")) for one in segments) and any(
        one.partition("(")[0] in _ENTITIES for one in segments
    )


def _of_topic(topic: str) -> str:
    """The sensor that a topic or link names: ``Datastream-`` and the id."""
    found = _STREAM.search(topic)
    return _sensor(found[1]) if found is not None else ""


def _of_stream(stream: Stream | None) -> str:
    return "" if stream is None or stream.id is None else _sensor(str(stream.id))


def _sensor(said: str) -> str:
    if said[:1] == "'" and said[-1:] == "'":
        said = said[1:-1].replace("''", "'")
    return f"Datastream-{said}" if _CODE.fullmatch(said) else ""


def _units(stream: Stream | None) -> Units:
    if stream is None:
        return None
    if type(stream.units) is list:
        return [_symbol(unit) for unit in stream.units]
    return _symbol(stream.unit)


def _symbol(unit: Any) -> str | None:
    symbol = unit.get("symbol") if type(unit) is dict else None
    return symbol.strip() or None if type(symbol) is str else None


def _broken(error: ValidationError) -> Undecodable:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = " ".join(str(part) for part in first["loc"][:2])
    return Undecodable(Reason.BAD_PAYLOAD, f"{where}: {first['msg']}")


def fits(topic: str, payload: bytes) -> bool:
    """Whether it is an Observation, by its members, or by its topic and a result."""
    try:
        message = parse(payload)
    except Undecodable:
        return False
    if type(message) is list:
        return bool(message) and all(type(one) is dict and _is_own(one) for one in message)
    if type(message) is not dict:
        return False
    return _is_own(message) or ("result" in message and _OBSERVATIONS.search(topic) is not None)


def _is_own(entry: dict[str, Any]) -> bool:
    if "result" in entry:
        return not {"phenomenonTime", "resultTime", "Datastream", "@iot.id"}.isdisjoint(entry)
    return "dataArray" in entry and "components" in entry


FORMAT = Format(
    name="sensorthings",
    title="OGC SensorThings API 1.0 and 1.1: Observations over MQTT",
    topic="v1.1/{sensor}/Observations",
    decode=decode,
    fits=fits,
    sensor="`Datastream-` and the id in the topic, the Datastream or its link",
    fields="`result`; `result.<member>` where it is an object, `result.<place>` for a list",
    units="the symbol of unitOfMeasurement where the Datastream comes with the Observation",
    time="phenomenonTime, the start of an interval; else resultTime, else the reception",
    passed_over="parameters, validTime, features and links; entities that are no Observation",
)
