"""NGSI v2 and NGSI-LD entities, as gateways publish them and context brokers notify.

One entity, a list of them, or a notification that holds a list; each attribute may be written
as a bare value or with its type, unit code and time beside it.
"""

from __future__ import annotations

import re
from functools import partial
from math import isfinite, nan
from typing import Any, NamedTuple

from collector import personal, times
from collector.formats import smart_models
from collector.formats.format import (
    OF_OTHERS,
    Decoded,
    Format,
    Hints,
    Undecodable,
    checked_path,
    of_others,
    refused_text,
)
from collector.formats.json_text import parse
from collector.formats.ngsi_entities import Entity, checked_entities, entities_in, sensor_of
from collector.formats.smart_models import ASIDE, MODELS, PASSED_OVER
from collector.formats.unit_codes import unit_of
from storage.reading import Flag, Reading, Reason, Refusal

MAX_DEPTH = 8
"""Objects and lists inside one attribute's value; the models stay below 3."""


# How attributes are written out in v2 and LD; what is no measurement among them.
_NO_MEASUREMENT = frozenset({
    "DateTime", "ISO8601", "geo:json", "geo:point", "geo:line", "geo:box", "geo:polygon",
    "GeoProperty", "Relationship", "ListRelationship", "LanguageProperty", "VocabProperty",
})  # fmt: skip
_NUMBER_TYPES = frozenset({"number", "float", "integer", "double"})
_WRITTEN_OUT = frozenset({
    "type", "value", "metadata", "unitCode", "observedAt", "datasetId", "createdAt", "modifiedAt",
})  # fmt: skip
_OTHER_VALUES = ("object", "objectList", "languageMap", "vocab", "json")
_NULL = "urn:ngsi-ld:null"
_TIMES_OF_ATTRIBUTES = ("timestamp", "TimeInstant", "observedAt")
_OTHER_TIMES = (
    "dateObservedTo", "dateObserved", "TimeInstant", "observationDateTime", "observedAt",
    "timestamp",
)  # fmt: skip

_MISSING = int(Flag.MISSING)
_UNJUDGED = int(Flag.NOT_EVALUATED)
_reading = partial(tuple.__new__, Reading)


def decode(payload: bytes, hints: Hints, received_us: int) -> Decoded:
    """Read every numeric attribute of every entity.

    Where the topic names no device each entity names its own. Where it does, a message may
    still speak of several: those of other devices are refused.

    >>> said = b'{"id": "urn:ngsi-ld:TrafficFlowObserved:a", "type": "TrafficFlowObserved", "intensity": 197}'
    >>> decode(said, Hints(""), 0).readings
    [Reading(sensor='a', field='intensity', time_us=None, value=197.0, unit='1', flag=2)]
    """
    entities = entities_in(parse(payload))
    checked = checked_entities(entities)
    names = [sensor_of(entity.id) for entity in checked]
    several = hints.sensor != "" and len(set(names)) > 1
    if several and hints.sensor not in names:
        raise Undecodable(Reason.UNKNOWN_SENSOR, OF_OTHERS)
    lists = _Lists([], [], [])
    for raw, entity, name in zip(entities, checked, names, strict=True):
        if several and name != hints.sensor:
            others = _Lists([], lists.refusals, [])
            _Entity(others, name, raw, entity, hints).read()
            lists.refusals.extend(of_others(others.readings))
        else:
            _Entity(lists, hints.sensor or name, raw, entity, hints).read()
    readings, refusals, offered = lists
    timeless = all(refusal.reason is Reason.BAD_TIME for refusal in refusals)
    if len(entities) == 1 and not readings and refusals and timeless:
        raise Undecodable(Reason.BAD_TIME, refusals[0].detail)
    nameless = not readings and not hints.sensor and names
    return Decoded(readings, refusals, offered, names[0] if nameless else "")


class _Lists(NamedTuple):
    """What a message has given so far."""

    readings: list[Reading]
    refusals: list[Refusal]
    offered: list[Reading]


class _Said(NamedTuple):
    """What holds for all values of one attribute."""

    unit: str | None
    time_us: int | None
    problem: str
    numeric: bool
    aside: bool


class _Entity:
    """One entity on its way into readings."""

    def __init__(
        self, lists: _Lists, sensor: str, raw: dict[str, Any], entity: Entity, hints: Hints
    ) -> None:
        self._lists = lists
        self._sensor = sensor
        self._raw = raw
        self._hints = hints
        kinds = [entity.type] if isinstance(entity.type, str) else entity.type
        found = (MODELS.get(_short(kind)) for kind in kinds)
        self._model: smart_models.Model = next((one for one in found if one is not None), {})
        self._time_us, self._problem = self._time_of_entity()

    def read(self) -> None:
        """Append what every attribute says."""
        model, skipped, sensor = self._model, self._hints.time_field, self._sensor
        readings, offered = self._lists.readings, self._lists.offered
        time_us, problem = self._time_us, self._problem
        for name, attribute in self._raw.items():
            if name in PASSED_OVER or name == skipped:
                continue
            field = _short(name) if "://" in name else name
            kind = type(attribute)
            if kind is float or kind is int:  # most bare values, at half of the cost
                if problem or field == "windDirection" or not isfinite(attribute):
                    said = _Said(model.get(field), time_us, problem, True, field in ASIDE)
                    self._number(field, attribute, said)
                else:
                    unit, number = model.get(field), float(attribute)
                    reading = _reading((sensor, field, time_us, number, unit, _UNJUDGED))
                    (offered if field in ASIDE else readings).append(reading)
            elif kind is str and attribute[:1].isalpha() and field not in model:
                if attribute == _NULL:
                    self._attribute(field, attribute)
            elif kind is list and attribute and _is_written_out(attribute[0]):
                for one in attribute:
                    if _is_written_out(one):
                        self._attribute(field, one)
            else:
                self._attribute(field, attribute)

    def _attribute(self, field: str, attribute: Any) -> None:
        unit, numeric = self._model.get(field), field in self._model
        time_us, problem, value = self._time_us, self._problem, attribute
        aside = field in ASIDE
        if _is_written_out(attribute):
            kind = attribute.get("type")
            if type(kind) is str and kind in _NO_MEASUREMENT:
                return
            if "value" not in attribute and any(name in attribute for name in _OTHER_VALUES):
                return
            value = attribute.get("value")
            metadata = attribute.get("metadata")
            about = metadata if type(metadata) is dict else {}
            unit = unit_of(attribute.get("unitCode") or about.get("unitCode")) or unit
            numeric = numeric or (type(kind) is str and kind.lower() in _NUMBER_TYPES)
            time_us, problem = self._time_of_attribute(attribute, about)
            dataset = attribute.get("datasetId")
            if type(dataset) is str and dataset:
                field = f"{field}.{dataset.rsplit(':', 1)[-1]}"
        self._value(field, value, _Said(unit, time_us, problem, numeric, aside), 1)

    def _value(self, field: str, value: Any, said: _Said, depth: int) -> None:
        kind = type(value)
        if kind is float or kind is int:
            self._number(field, value, said)
        elif kind is bool:
            if value and said.unit not in (None, "1"):
                self._refuse(field, Reason.BAD_VALUE, "true says no amount")
            else:
                self._number(field, value, said)
        elif kind is str:
            self._text(field, value, said)
        elif value is None:
            self._missing(field, said)
        elif depth > MAX_DEPTH:
            raise Undecodable(
                Reason.BAD_PAYLOAD, f"an attribute nested deeper than {MAX_DEPTH} levels"
            )
        elif kind is dict and "@value" in value:
            if value.get("@type") not in ("DateTime", "Date", "Time"):
                self._value(field, value["@value"], said, depth + 1)
        elif kind is dict:
            if "coordinates" not in value:
                below = checked_path(field)
                for name, one in value.items():
                    if name != "type":
                        self._value(f"{below}.{name}", one, said, depth + 1)
        else:
            below = checked_path(field)
            for position, one in enumerate(value):
                self._value(f"{below}.{position}", one, said, depth + 1)

    def _number(self, field: str, number: float, said: _Said) -> None:
        if not isfinite(number):
            self._refuse(field, Reason.BAD_VALUE, "a number that is not finite")
            return
        if field == "windDirection" and -180 <= number < 0:
            number += 360  # the model counts from -180 to 180, the catalogue from 0 to 360
        self._keep(field, float(number), said, _UNJUDGED)

    def _text(self, field: str, text: str, said: _Said) -> None:
        text = text.strip()
        if not text or text == _NULL:
            self._missing(field, said)
            return
        try:
            # float() also takes "1_000", digits of other scripts, "nan" and "inf".
            number = float(text) if "_" not in text and text.isascii() else nan
        except ValueError:
            number = nan
        if not isfinite(number) or (len(text) >= personal.SHORTEST_NUMBER and personal.kind(text)):
            if said.numeric and not said.aside:
                what = "text where the model has a number"
                self._lists.refusals.append(refused_text(field, text, what))
        else:
            self._number(field, number, said if said.numeric else said._replace(aside=True))

    def _missing(self, field: str, said: _Said) -> None:
        # Nothing tells whether an unknown attribute without a value would be a number.
        self._keep(field, nan, said if said.numeric else said._replace(aside=True), _MISSING)

    def _keep(self, field: str, value: float, said: _Said, flag: int) -> None:
        if said.problem:
            if not said.aside:
                self._refuse(field, Reason.BAD_TIME, said.problem)
            return
        reading = _reading((self._sensor, field, said.time_us, value, said.unit, flag))
        (self._lists.offered if said.aside else self._lists.readings).append(reading)

    def _refuse(self, field: str, reason: Reason, detail: str) -> None:
        self._lists.refusals.append(Refusal(field, reason, detail))

    def _time_of_entity(self) -> tuple[int | None, str]:
        """The time of attributes without one of their own, or why it cannot be read."""
        raw = self._raw
        if self._hints.time_field:
            return self._time("the time member", _at(raw, self._hints.time_field))
        names = ["dateObservedFrom", *_OTHER_TIMES]
        interval = _bare(raw.get("dateObserved"))
        if type(interval) is str and "/" in interval:
            names.insert(1, "dateObserved")
        for name in names:
            if name in raw:
                found = self._time(name, raw[name])
                if found != (None, ""):
                    return found
        return None, ""

    def _time_of_attribute(
        self, attribute: dict[str, Any], about: dict[str, Any]
    ) -> tuple[int | None, str]:
        if not self._hints.time_field:
            said = [attribute.get("observedAt")]
            if about:
                said += [about.get(name) for name in _TIMES_OF_ATTRIBUTES]
            for one in said:
                if one is not None:
                    found = self._time("the attribute's time", one)
                    if found != (None, ""):
                        return found
        return self._time_us, self._problem

    def _time(self, what: str, said: Any) -> tuple[int | None, str]:
        value = _bare(said)
        kind = type(value)
        try:
            if kind is str:
                start = value.split("/", 1)[0].strip()
                if value and not start:
                    raise times.NotATime("an interval without a start")
                return (times.from_text(start, self._hints.timezone) if start else None), ""
            if kind is int or kind is float:
                return times.from_number(value), ""
            if value is None:
                return None, ""
        except times.NotATime as problem:
            return None, f"{what}: {problem}"
        return None, f"{what}: neither a number nor text"


def _is_written_out(attribute: Any) -> bool:
    """Whether this is an attribute with its type, unit or time, and no bare value."""
    if type(attribute) is not dict:
        return False
    if "value" in attribute:
        return True
    kind = attribute.get("type")
    return type(kind) is str and (
        kind == "Property" or kind in _NO_MEASUREMENT or attribute.keys() <= _WRITTEN_OUT
    )


def _bare(said: Any) -> Any:
    """The value of an attribute, a metadatum or a typed JSON-LD value."""
    for _ in range(3):
        if type(said) is not dict:
            break
        said = said.get("value", said.get("@value"))
    return said


def _at(raw: dict[str, Any], path: str) -> Any:
    if path in raw:
        return raw[path]
    value: Any = raw
    for name in path.split("."):
        if type(value) is not dict:
            return None
        value = value.get(name)
    return value


def _short(name: str) -> str:
    """An expanded JSON-LD name without its address."""
    if "://" not in name:
        return name
    return re.split(r"[/#]", name.rstrip("/#"))[-1] or name


def fits(topic: str, payload: bytes) -> bool:
    """Whether it is an entity, or several, and not just an object with an id."""
    try:
        entities = entities_in(parse(payload))
        checked = checked_entities(entities)
    except Undecodable:
        return False
    return bool(checked) and all(map(_looks_right, entities, checked))


def _looks_right(raw: dict[str, Any], entity: Entity) -> bool:
    kinds = [entity.type] if isinstance(entity.type, str) else entity.type
    if not any(kinds):
        return False
    return (
        entity.id.startswith("urn:ngsi")
        or "@context" in raw
        or any(_short(kind) in MODELS for kind in kinds)
        or any(_is_written_out(one) and "type" in one for one in raw.values())
    )


FORMAT = Format(
    name="ngsi",
    title="NGSI v2 and NGSI-LD entities (Smart Data Models), bare or normalised, and notifications",
    topic="ngsi/{sensor}",
    decode=decode,
    fits=fits,
    sensor="the entity's id without `urn:ngsi-ld:<type>:` and without a time at its end",
    fields="the attribute's name; parts of a value by dotted path: `activePower.L1`",
    units="unitCode (UN/CEFACT); else what the model fixes (km/h, W, kW.h, ratio); else none",
    time="the attribute's observedAt, else dateObservedFrom, else dateObserved (an interval's"
    " start), else the reception",
    passed_over="text, dates, relationships and places; taken where registered: reliability, laneId,"
    " batteryLevel, capacities",
)
