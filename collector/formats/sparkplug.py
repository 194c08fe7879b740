"""Sparkplug B 3.0: metrics of edge nodes and their devices, by name or by alias.

Data messages are read with the birth certificates heard before (see
:mod:`collector.formats.births`); where those say nothing, nothing is guessed.
"""

from __future__ import annotations

import math
from functools import lru_cache, partial
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError

from collector.formats.births import Births, Born, Device
from collector.formats.format import (
    Decoded,
    Format,
    Hints,
    Undecodable,
    checked_path,
    refused_text,
)
from collector.formats.sparkplug_schema import DataType, Payload
from collector.formats.sparkplug_values import ARRAYS, NUMBERS, TEXTS, Unfit, array, number
from storage.reading import Flag, Reading, Reason, Refusal

NAMESPACE = "spBv1.0"
REBIRTH = b"Node Control/Rebirth"
MOST_ELEMENTS = 20_000
"""Values in the arrays of one message; eight Booleans to a byte would fill the memory."""

LONGEST_TOPIC = 1_000
"""Bytes of a topic. Nobody names devices so; every one of them would be kept, as a key."""

_OF_NODES = frozenset({"NBIRTH", "NDEATH", "NDATA", "NCMD"})
_OF_DEVICES = frozenset({"DBIRTH", "DDEATH", "DDATA", "DCMD"})
_MUTE = frozenset({"NCMD", "DCMD", "STATE"})
_CONTROL = ("Node Control/", "Device Control/")
_PROPERTIES = "Properties/"
_BDSEQ = "bdSeq"
_QUALITY = {0: int(Flag.FAIL), 192: int(Flag.GOOD), 500: int(Flag.SUSPECT)}
_INT32 = int(DataType.INT32)
_UNJUDGED, _MISSING = int(Flag.NOT_EVALUATED), int(Flag.MISSING)
_DATATYPES = frozenset(map(int, DataType))
_LATEST_MS = 253_402_300_799_999  # the year 9999

_reading = partial(tuple.__new__, Reading)


class Place(NamedTuple):
    """What a topic says: kind of message, whose, and how its readings are named."""

    verb: str
    whose: Device
    sensor: str
    prefix: str


class _NotBorn(Exception):
    """No birth certificate tells what this is."""


def decode(payload: bytes, hints: Hints, received_us: int) -> Decoded:
    """Read one message; births and deaths go into ``hints.births``.

    Where the topic names no sensor it is the edge node, or ``<edge node>:<device>``. Where
    it names the edge node, the metrics of its devices are ``<device>/<metric>``.

    >>> hints = Hints("", topic="spBv1.0/Town/NDATA/gateway")
    >>> decode(rebirth_request(1_767_222_000_000), hints, 0)
    Decoded(readings=[], refusals=[], offered=[], sensor='gateway')
    """
    place = _place(hints.topic, hints.sensor)
    if place.verb in _MUTE:
        return Decoded([], [], (), place.sensor)
    # What a broker had kept may be of any age: it neither is a birth nor has one.
    births = hints.births if received_us > 0 else None
    try:
        return _decoded(place, _parse(payload), births, received_us)
    except Undecodable:
        if births is not None and place.verb in ("NBIRTH", "DBIRTH"):
            # Nobody knows what it said, but the one before it does not hold any more.
            births.die(place.whose, None, received_us)
        raise


def _decoded(place: Place, message: Any, births: Births | None, received_us: int) -> Decoded:
    if births is not None:
        born = place.verb == "NBIRTH"
        if place.verb != "NDEATH":
            seq = message.seq if message.HasField("seq") else None
            births.hear(place.whose, seq, message.timestamp, born=born)
        if place.verb in ("NDEATH", "DDEATH"):
            births.die(place.whose, _bdseq(message), received_us)
    if place.verb in ("NDEATH", "DDEATH"):
        return Decoded([], [], (), place.sensor)
    reader = _Reader(place, message)
    if place.verb in ("NBIRTH", "DBIRTH"):
        metrics, aliases = _certificate(message)
        if births is not None:
            births.bear(place.whose, metrics, aliases, _bdseq(message), received_us)
        reader.read(Born(metrics, aliases, received_us))
    else:
        reader.read(births.of(place.whose, received_us) if births is not None else None)
        if reader.missed and births is not None:
            births.miss(place.whose)
    return Decoded(reader.readings, reader.refusals, reader.offered, place.sensor)


def birth_topic(whose: Device) -> str:
    """Where its birth certificates are published."""
    if whose.device:
        return f"{NAMESPACE}/{whose.group}/DBIRTH/{whose.node}/{whose.device}"
    return f"{NAMESPACE}/{whose.group}/NBIRTH/{whose.node}"


def rebirth_topic(node: Device) -> str:
    """Where an edge node hears commands."""
    return f"{NAMESPACE}/{node.group}/NCMD/{node.node}"


def rebirth_request(now_ms: int) -> bytes:
    """The command to an edge node to send its birth certificates once more."""
    message = Payload(timestamp=now_ms)
    message.metrics.add(
        name=REBIRTH, timestamp=now_ms, datatype=DataType.BOOLEAN, boolean_value=True
    )
    return bytes(message.SerializeToString())


@lru_cache(maxsize=10_000)
def _place(topic: str, sensor: str) -> Place:
    if len(topic.encode(errors="replace")) > LONGEST_TOPIC:
        raise Undecodable(
            Reason.BAD_PAYLOAD, f"a Sparkplug topic of more than {LONGEST_TOPIC} bytes"
        )
    parts = topic.split("/")
    if parts[0] == NAMESPACE and all(parts):
        if parts[1] == "STATE" and len(parts) == 3:
            return Place("STATE", Device("", ""), sensor or parts[2], "")
        if len(parts) == 4 and parts[2] in _OF_NODES:
            return Place(parts[2], Device(parts[1], parts[3]), sensor or parts[3], "")
        if len(parts) == 5 and parts[2] in _OF_DEVICES:
            _, group, verb, node, device = parts
            # A sensor that stands for the whole edge node: devices may have the same names.
            several = sensor == node and sensor != device
            prefix = f"{checked_path(device)}/" if several else ""
            return Place(verb, Device(group, node, device), sensor or f"{node}:{device}", prefix)
    raise Undecodable(Reason.BAD_PAYLOAD, "the topic is none of Sparkplug B")


def _parse(payload: bytes) -> Any:
    try:
        return Payload.FromString(payload)
    except DecodeError:
        raise Undecodable(Reason.BAD_PAYLOAD, "not a Sparkplug B payload") from None


def _name(metric: Any) -> str:
    try:
        name: str = metric.name.decode()
    except UnicodeDecodeError:
        raise Undecodable(Reason.BAD_PAYLOAD, "a metric's name is not UTF-8") from None
    if "\0" in name:
        raise Undecodable(Reason.BAD_PAYLOAD, "a NUL character in a metric's name")
    return name


def _certificate(message: Any) -> tuple[dict[str, int], dict[int, str]]:
    """Datatypes by name, and names by alias; an alias that stands for two means neither."""
    metrics: dict[str, int] = {}
    aliases: dict[int, str] = {}
    twice: set[int] = set()
    for metric in message.metrics:
        name = _name(metric)
        if not name:
            continue
        metrics[name] = metric.datatype if metric.datatype in _DATATYPES else 0
        if metric.HasField("alias"):
            alias = metric.alias
            if aliases.setdefault(alias, name) != name:
                twice.add(alias)
    for alias in twice:
        del aliases[alias]
    return metrics, aliases


def _bdseq(message: Any) -> int | None:
    for metric in message.metrics:
        if metric.name == b"bdSeq":
            kind = metric.WhichOneof("value")
            return int(getattr(metric, kind)) if kind in ("int_value", "long_value") else None
    return None


class _Reader:
    """Reads the metrics of one message."""

    def __init__(self, place: Place, message: Any) -> None:
        self.readings: list[Reading] = []
        self.refusals: list[Refusal] = []
        self.offered: list[Reading] = []
        self.missed = False
        self._place = place
        self._message = message
        self._elements = MOST_ELEMENTS

    def read(self, born: Born | None) -> None:
        """Every metric by itself; ``born`` says what names and datatypes are left out."""
        message, sensor, prefix = self._message, self._place.sensor, self._place.prefix
        sent_ms = message.timestamp if message.HasField("timestamp") else None
        for metric in message.metrics:
            if metric.is_transient:
                continue
            try:
                name, datatype = _known(metric, born)
            except _NotBorn as problem:
                self.missed = True
                field = _name(metric) or f"alias {metric.alias}"
                self._refuse(prefix + field, Reason.NOT_BORN, str(problem))
                continue
            if not name:
                self._refuse(prefix, Reason.BAD_VALUE, "a metric has neither name nor alias")
                continue
            if name == _BDSEQ or name.startswith(_CONTROL):
                continue
            field = prefix + name
            into = self.offered if name.startswith(_PROPERTIES) else self.readings
            ms = metric.timestamp if metric.HasField("timestamp") else sent_ms
            if ms is not None and ms > _LATEST_MS:
                self._refuse(field, Reason.BAD_TIME, "a time beyond the year 9999")
                continue
            time_us = None if ms is None else ms * 1000
            if datatype in NUMBERS:
                if metric.is_null:
                    into.append(_reading((sensor, field, time_us, math.nan, None, _MISSING)))
                    continue
                try:
                    value = number(metric, datatype)
                except Unfit as problem:
                    self._refuse(field, Reason.BAD_VALUE, str(problem))
                    continue
                if not math.isfinite(value):
                    self._refuse(field, Reason.BAD_VALUE, "a number that is not finite")
                    continue
                flag = _flag(metric) if metric.HasField("properties") else _UNJUDGED
                into.append(_reading((sensor, field, time_us, value, None, flag)))
            elif into is self.readings and not metric.is_null:
                self._read_other(metric, field, datatype, time_us)

    def _read_other(self, metric: Any, field: str, datatype: int, time_us: int | None) -> None:
        """An array, or what is no number."""
        if datatype in ARRAYS:
            try:
                values = array(metric.bytes_value, datatype, self._elements)
            except Unfit as problem:
                self._refuse(field, Reason.BAD_VALUE, str(problem))
                return
            self._elements -= len(values)
            below = checked_path(field)
            flag = _flag(metric) if metric.HasField("properties") else _UNJUDGED
            for position, value in enumerate(values):
                one = f"{below}.{position}"
                if math.isfinite(value):
                    reading = _reading((self._place.sensor, one, time_us, value, None, flag))
                    self.readings.append(reading)
                else:
                    self._refuse(one, Reason.BAD_VALUE, "a number that is not finite")
        elif datatype in TEXTS:
            text = metric.string_value.decode(errors="replace")
            self.refusals.append(refused_text(field, text, "text where a number is expected"))
        elif datatype != DataType.TEMPLATE or not metric.template_value.is_definition:
            what = _TITLES.get(datatype)
            why = f"a {what}, which is no number" if what else "its datatype is none of Sparkplug B"
            self._refuse(field, Reason.BAD_VALUE, why)

    def _refuse(self, field: str, reason: Reason, detail: str) -> None:
        self.refusals.append(Refusal(field, reason, detail))


_TITLES = {
    int(kind): kind.name.replace("_", " ").lower()
    for kind in DataType
    if kind not in NUMBERS | ARRAYS | TEXTS | {int(DataType.UNKNOWN)}
}


def _known(metric: Any, born: Born | None) -> tuple[str, int]:
    """Name and datatype of a metric, from itself or from the birth certificate."""
    datatype: int = metric.datatype
    if metric.name:
        name = _name(metric)
        if not datatype:
            datatype = born.metrics.get(name, 0) if born is not None else 0
            if not datatype:
                raise _NotBorn("neither it nor a birth certificate says its datatype")
        return name, datatype
    if not metric.HasField("alias"):
        return "", datatype
    if born is None:
        raise _NotBorn("no birth certificate was heard that says what the alias stands for")
    said = born.aliases.get(metric.alias)
    if said is None:
        raise _NotBorn("the birth certificate knows no such alias")
    if not datatype:
        datatype = born.metrics[said]
    elif born.metrics[said] not in (0, datatype):
        raise _NotBorn("the birth certificate has another datatype for this alias")
    if not datatype:
        raise _NotBorn("the birth certificate does not say its datatype")
    return said, datatype


def _flag(metric: Any) -> int:
    """What the property ``Quality`` says: 192 good, 500 stale, 0 bad."""
    properties = metric.properties
    for key, value in zip(properties.keys, properties.values, strict=False):
        if key == b"Quality" and value.type == _INT32 and not value.is_null:
            return _QUALITY.get(value.int_value, _UNJUDGED)
    return _UNJUDGED


def fits(topic: str, payload: bytes) -> bool:
    """Whether the topic is one of Sparkplug B, and its payload."""
    try:
        if _place(topic, "").verb != "STATE":
            _parse(payload)
    except Undecodable:
        return False
    return True


FORMAT = Format(
    name="sparkplug",
    title="Sparkplug B 3.0, protobuf",
    topic="spBv1.0/#",
    decode=decode,
    fits=fits,
    sensor="the edge node, or `<edge node>:<device>`",
    fields="the metric's name as born; `<device>/<name>` where the topic names the edge node;"
    " `<name>.0` and so on for arrays",
    units="none; the sensor list says them",
    time="the metric's timestamp, else the payload's, else the reception",
    passed_over="commands, states, deaths, `bdSeq`, `Node Control/…`, `Device Control/…`, transient"
    " metrics, template definitions; `Properties/…` where nobody registered them",
)
