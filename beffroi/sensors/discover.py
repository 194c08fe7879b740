"""Devices that were heard and that nobody has registered, from the messages that wait for them."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import uvloop
from rich.console import Console

from beffroi.formats.listing import named
from beffroi.mistakes import NotRunningError
from beffroi.progress import bar
from beffroi.records import instants, refusals_work
from beffroi.records.question import QuestionError
from beffroi.sensors import proposal, wording
from beffroi.sensors.device import Device, Field
from beffroi.sensors.guessing import guess
from collector import personal
from collector.decode import Decoding
from collector.formats.format import Decoded, Undecodable
from collector.formats.registry import FORMATS
from storage import database, heard, inventory, refused
from storage.catalogue import Metric
from storage.heard import HeardTopic
from storage.reading import Reading
from storage.refused import RefusedMessage
from storage.routes import BindingRow

MAX_TOPICS = 1_000
SAMPLE = 50
"""The newest messages of a topic are looked into, so many."""

_AT_A_TIME = 500
_DURATION = re.compile(r"([1-9][0-9]{0,4})\s*(s|min|m|h|d|w)")
_UNIT_S = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}


@dataclass(slots=True)
class Heard:
    """Everything: devices by name, fields of known ones, and the lines for ``sensors.csv``.

    ``registered`` has the sensors that are known by now, and how many messages still wait.
    """

    since: datetime.datetime
    devices: list[Device]
    known: list[Device]
    registered: dict[str, int]
    proposal: proposal.Proposal
    more: bool = False


def discover(since: str, form: str | None, write: Path | None) -> Heard:
    """Look at what waits; ``write`` gets the proposed lines and must not exist."""
    start = _start(since)
    if form is not None:
        named(form)
    if write is not None and write.exists():
        raise QuestionError(f"--write: {write} exists already and stays as it is; name a new file")
    with wording.connected() as connection:
        metrics = inventory.metrics(connection)
        zones = inventory.zones(connection)
    strangers, known = uvloop.run(_listen(start, metrics))
    devices = [one for one in strangers.devices() if form in (None, one.form, one.looks_like)]
    proposed = proposal.propose(devices, metrics, zones)
    if write is not None and proposed.lines:
        try:
            with write.open("x") as file:
                file.write(proposed.text())
        except OSError as error:
            raise QuestionError(f"--write: {write} cannot be written: {error.strerror}") from None
    of_known = [one for one in known.devices() if one.fields and form in (None, one.form)]
    more = strangers.more or known.more
    return Heard(start, devices, of_known, strangers.registered, proposed, more)


def _start(since: str) -> datetime.datetime:
    match = _DURATION.fullmatch(since.strip())
    now = datetime.datetime.now(datetime.UTC)
    if match:
        return now - datetime.timedelta(seconds=int(match[1]) * _UNIT_S[match[2]])
    try:
        return instants.read(since, "UTC").time
    except instants.NotAMoment:
        raise QuestionError(
            f"--since: {since!r} is neither a time like 2026-03-01 nor a while like 90min, 24h or 7d"
        ) from None


async def _listen(start: datetime.datetime, metrics: Mapping[str, Metric]) -> tuple[_Ear, _Ear]:
    try:
        connection = await database.connect("beffroi sensors")
    except (OSError, ValueError) as error:
        raise NotRunningError(f"the database that PG* names does not answer: {error}") from None
    try:
        decoding = await refusals_work.decoding(connection)
        ears = _Ear(decoding, metrics, known=False), _Ear(decoding, metrics, known=True)
        for ear, known in zip(ears, (False, True), strict=True):
            found = await heard.topics(
                connection, known=known, start=start, limit=MAX_TOPICS + 1, sample=SAMPLE
            )
            ear.more = len(found) > MAX_TOPICS
            await _load(connection, ear, found[:MAX_TOPICS])
    finally:
        await connection.close(timeout=5)
    return ears


async def _load(connection: asyncpg.Connection, ear: _Ear, topics: Sequence[HeardTopic]) -> None:
    with bar(Console(stderr=True), "Reading") as bars:
        task = bars.add_task("messages", total=sum(len(one.newest) for one in topics))
        for topic in topics:
            messages: list[RefusedMessage] = []
            for begin in range(0, len(topic.newest), _AT_A_TIME):
                found = await refused.load(connection, topic.newest[begin : begin + _AT_A_TIME])
                messages += found.values()
            ear.hear(topic, sorted(messages, key=lambda one: one.received_us))
            bars.advance(task, len(topic.newest))


class _Ear:
    """Reads kept messages with the collector's own decoders and adds up what devices say."""

    def __init__(self, decoding: Decoding, metrics: Mapping[str, Metric], *, known: bool) -> None:
        self._decoding, self._metrics, self._known = decoding, metrics, known
        self._devices: dict[str, Device] = {}
        self.registered: dict[str, int] = {}
        self.more = False

    def devices(self) -> list[Device]:
        """By name, with a guess for every field."""
        for device in self._devices.values():
            for one in device.fields.values():
                one.guess = guess(one.name, one.unit, self._metrics)
        return sorted(self._devices.values(), key=lambda device: device.sensor)

    def hear(self, topic: HeardTopic, messages: Sequence[RefusedMessage]) -> None:
        """Take in one topic and its newest messages, oldest first."""
        row = self._decoding.topics.binding(topic.topic)
        speaking: dict[str, int] = {}
        for message in messages:
            for sensor in self._read(message):
                speaking[sensor] = speaking.get(sensor, 0) + 1
        if not speaking and not messages and not self._known:
            # Nothing that is kept tells more than the topic does.
            route = self._decoding.route(topic.topic)
            speaking = {route.hints.sensor if route is not None else "": topic.messages}
        for sensor, count in speaking.items():
            # Of a topic with several devices only what was looked into is known.
            alone = len(speaking) == 1 or count == len(messages)
            self._count(sensor, topic, topic.messages if alone else count, row)

    def _count(self, sensor: str, topic: HeardTopic, count: int, row: BindingRow | None) -> None:
        if not self._known and sensor in self._decoding.routes.sensors:
            self.registered[sensor] = self.registered.get(sensor, 0) + count
            return
        device = self._device(sensor)
        device.topics.append(topic.topic)
        device.messages += count
        device.first = min(device.first or topic.first, topic.first)
        device.last = max(device.last or topic.last, topic.last)
        _place(device, topic.topic, row)

    def _read(self, message: RefusedMessage) -> Collection[str]:
        """Add what one message says; whose it is."""
        route = self._decoding.route(message.topic)
        if route is None:
            return ()
        named = route.hints.sensor
        if message.cut:
            if not self._is_registered(named):
                self._device(named).cut += 1
            return (named,)
        self._decoding.births.begin()
        try:
            received_us = 0 if message.retained else message.received_us
            decoded = route.decode(message.payload, route.hints, received_us)
        except Undecodable as error:
            if not self._is_registered(named):
                unread = self._device(named).unread
                unread[error.detail] = unread.get(error.detail, 0) + 1
                self._hear_message(named, message)
            return (named,)
        speaking: dict[str, None] = {}
        for offered, readings in ((False, decoded.readings), (True, decoded.offered)):
            for reading in readings:
                if self._is_meant(reading, offered, route.ignore):
                    speaking[reading.sensor] = None
                    self._add(reading, offered, message)
        if not speaking and not self._known:
            speaking[_whose(named, decoded)] = None
        for sensor in speaking:
            if self._known or not self._is_registered(sensor):
                self._hear_message(sensor, message)
        return speaking

    def _is_registered(self, sensor: str) -> bool:
        return sensor in self._decoding.routes.sensors

    def _is_meant(self, reading: Reading, offered: bool, ignore: Container[str]) -> bool:
        found = self._decoding.routes.sensors.get(reading.sensor)
        if not self._known:
            return found is None
        field_is_new = found is not None and reading.field not in found[1]
        return field_is_new and not offered and reading.field not in ignore

    def _add(self, reading: Reading, offered: bool, message: RefusedMessage) -> None:
        if personal.names_identifier(reading.field):
            return
        fields = self._device(reading.sensor).fields
        if reading.field not in fields:
            fields[reading.field] = Field(reading.field, offered)
        fields[reading.field].add(reading, message.received_us)

    def _hear_message(self, sensor: str, message: RefusedMessage) -> None:
        device = self._device(sensor)
        device.sampled += 1
        device.masked += message.masked
        device.received_us.append(message.received_us)
        row = self._decoding.topics.binding(message.topic)
        if row is not None and not device.looks_like:
            device.looks_like = _marks_of_another(row.format, message)

    def _device(self, sensor: str) -> Device:
        if sensor not in self._devices:
            self._devices[sensor] = Device(sensor)
        return self._devices[sensor]


def _whose(named: str, decoded: Decoded) -> str:
    said = (one.sensor for one in (*decoded.readings, *decoded.offered))
    return named or next((one for one in said if one), decoded.sensor)


def _marks_of_another(form: str, message: RefusedMessage) -> str:
    """The first format that such messages bear the marks of, if the binding names another."""
    if FORMATS[form].fits(message.topic, message.payload) and form != "plain":
        return ""
    found = next(
        (name for name, one in FORMATS.items() if one.fits(message.topic, message.payload)), form
    )
    return "" if found in (form, "plain") else found


def _place(device: Device, topic: str, row: BindingRow | None) -> None:
    """Binding, and what the topic's named segments say."""
    if row is None:
        return
    device.binding, device.form = row.topic, row.format
    for segment, said in zip(row.topic.split("/"), topic.split("/"), strict=False):
        if segment == "{territory}":
            device.territory = said
        elif segment == "{site}":
            device.site = said
