"""What messages would become: by the collector's own decoding, with nothing stored."""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from beffroi.formats import against
from beffroi.formats.against import Against
from beffroi.formats.listing import named
from beffroi.formats.samples import Sample
from beffroi.progress import bar
from beffroi.records import instants
from beffroi.records.question import QuestionError
from collector import personal
from collector.decode import Decoding
from collector.formats.births import LiveBirths
from collector.formats.format import Decoded, Undecodable
from collector.formats.registry import FORMATS
from collector.source import Message
from collector.topics import Route, Topics
from storage.draft import routes_without_sensors
from storage.intake import Intake
from storage.reading import Reading, Reason
from storage.routes import BindingRow, Routes

NO_TOPIC = "try"
"""The topic of a message that was given without one."""

_QUICK = 100  # messages
NO_SIGNS = "topic and payload do not bear its marks"


@dataclass(frozen=True, slots=True)
class How:
    """The options, as they were written."""

    form: str | None = None
    city: Path | None = None
    received: str | None = None
    timezone: str | None = None
    sensor: str | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """One reading as the format understood it; ``note`` says what of it the registry does."""

    sensor: str
    field: str
    time_us: int | None
    value: float | None
    unit: str | None
    flag: int
    offered: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """One reading as it would be stored, in the canonical unit."""

    sensor: str
    field: str
    metric: str
    time_us: int
    value: float | None
    unit: str
    flag: int


@dataclass(frozen=True, slots=True)
class Refused:
    """What would be refused; ``field`` is empty for the whole message."""

    field: str
    reason: Reason
    detail: str


@dataclass(slots=True)
class Tried:
    """Everything about one message.

    bound: a binding of the city fits its topic. guessed: the format is a guess; ``others``
    says why the formats before it do not fit.
    """

    sample: Sample
    topic: str
    binding: BindingRow
    bound: bool
    guessed: bool
    others: dict[str, str] = field(default_factory=dict)
    sensor: str = ""
    known: bool = False
    read: list[Read] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        """Whether nothing of it would be refused."""
        return not self.refused


@dataclass(frozen=True, slots=True)
class Trial:
    """All messages, and against what they were tried; ``registry`` is empty for nothing."""

    messages: list[Tried]
    registry: str
    zone: str
    received: datetime.datetime

    @property
    def accepted(self) -> bool:
        """Whether nothing of any message would be refused."""
        return all(one.accepted for one in self.messages)


def run(samples: Sequence[Sample], how: How) -> Trial:
    """Try every message; a mistake in the options is a :class:`QuestionError`."""
    if how.form is not None:
        named(how.form)
    if how.timezone is not None:
        _check_zone(how.timezone)
    received = _received(how.received)
    registry = against.city(how.city) if how.city is not None else against.database()
    sight = _Sight(registry, how)
    first_us = round(received.timestamp() * 1e6)
    tried = []
    long_work = Console(stderr=True, quiet=len(samples) < _QUICK)
    with bar(long_work, "Trying") as bars:
        task = bars.add_task("messages", total=len(samples))
        for number, sample in enumerate(samples):
            # No two messages are received in the same microsecond.
            tried.append(sight.look(_with_topic(sample, how), first_us + number))
            bars.update(task, completed=number + 1)
    return Trial(tried, registry.name, how.timezone or registry.zone, received)


def _with_topic(sample: Sample, how: How) -> Sample:
    """A topic for a message without one, so that a sensor can be named in it."""
    if sample.topic:
        return sample
    return sample._replace(topic=f"{NO_TOPIC}/{how.sensor}" if how.sensor else NO_TOPIC)


def _check_zone(name: str) -> None:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise QuestionError(
            f"--timezone: {name!r} is no time zone; write one like Europe/Paris"
        ) from None


def _received(text: str | None) -> datetime.datetime:
    if text is None:
        return datetime.datetime.now(datetime.UTC)
    try:
        return instants.read(text, "UTC").time.astimezone(datetime.UTC)
    except instants.NotAMoment as error:
        raise QuestionError(f"--received: {error}") from None


class _Sight:
    """Looks at messages one after the other, under one registry or none."""

    def __init__(self, registry: Against, how: How) -> None:
        self._routes = registry.routes
        self._how = how
        self._topics = None if registry.routes is None else Topics(registry.routes)
        # Of the one that is looked into and the one that judges: both read every message, and
        # some formats remember what they have read.
        self._births = LiveBirths(), LiveBirths()
        for births in self._births:
            births.load(registry.births)
        self._decodings: dict[tuple[str, str, str], tuple[Decoding, Decoding]] = {}

    def look(self, sample: Sample, received_us: int) -> Tried:
        """Everything about one message."""
        binding, bound, others = self._choose(sample, received_us)
        guessed = not bound and self._how.form is None
        # What the city's bindings do not read is not read by the collector either.
        judged = self._routes is not None and not guessed
        sight, judge = self._both(binding)
        route = sight.route(sample.topic)
        assert route is not None
        shown = sight.declared.masked_topic(sample.topic)
        if not bound:
            shown = personal.mask(sample.topic, {route.hints.sensor} - {""})
        tried = Tried(sample, shown, binding, bound, guessed, others)
        sight.births.begin()
        try:
            decoded = route.decode(sample.payload, route.hints, received_us)
        except Undecodable as error:
            tried.sensor = route.hints.sensor
            if self._routes is None:
                tried.refused.append(Refused("", error.reason, error.detail))
        else:
            self._read(tried, decoded, route, sight)
        if judged:
            message = Message(1, 1, 1, sample.topic, sample.payload, received_us)
            _judge(tried, judge.intake([message]), judge.routes)
        elif self._routes is not None:
            why = "no binding fits this topic"
            tried.refused.append(Refused("", Reason.UNREADABLE_TOPIC, why))
        tried.known = tried.sensor in sight.routes.sensors
        return tried

    def _choose(self, sample: Sample, received_us: int) -> tuple[BindingRow, bool, dict[str, str]]:
        """The binding to read it by, whether it is the city's, why formats do not fit."""
        how, topic = self._how, sample.topic
        registered = None if self._topics is None else self._topics.binding(topic)
        if registered is None:
            others: dict[str, str] = {}
            name = how.form
            if name is None:
                name, others = _guess(sample, received_us)
            usual = FORMATS[name].topic
            fits = Topics(routes_without_sensors([_row(usual, name)])).binding(topic) is not None
            pattern = self._pattern(topic, usual if fits else topic)
            return _row(pattern, name, how.timezone or "UTC"), False, others
        changed = replace(
            registered, format=how.form or registered.format,
            timezone=how.timezone or registered.timezone,
            topic=self._pattern(topic, registered.topic),
        )  # fmt: skip
        return registered if changed == registered else changed, True, {}

    def _both(self, binding: BindingRow) -> tuple[Decoding, Decoding]:
        """What looks and what judges, with this binding before the city's own."""
        key = binding.topic, binding.format, binding.timezone
        if key not in self._decodings:
            routes = self._routes or routes_without_sensors(())
            if binding not in routes.bindings:
                routes = replace(routes, bindings=(binding, *routes.bindings))
            first, second = self._births
            self._decodings[key] = (
                against.decoding(routes, first), against.decoding(routes, second),
            )  # fmt: skip
        return self._decodings[key]

    def _pattern(self, topic: str, otherwise: str) -> str:
        """A binding's topic for this one topic, with the sensor's segment named."""
        if self._how.sensor is None:
            return otherwise
        segments = topic.split("/")
        if self._how.sensor not in segments:
            raise QuestionError(
                f"--sensor: {self._how.sensor!r} is no segment of the topic {topic!r}; a binding"
                " can only name a whole segment"
            )
        segments[segments.index(self._how.sensor)] = "{sensor}"
        return "/".join(segments)

    def _read(self, tried: Tried, decoded: Decoded, route: Route, sight: Decoding) -> None:
        registered = self._routes is not None
        for offered, readings in ((False, decoded.readings), (True, decoded.offered)):
            for one in readings:
                tried.read.append(_as_read(one, offered, route, sight, registered))
        said = [one.sensor for one in (*decoded.readings, *decoded.offered) if one.sensor]
        name = route.hints.sensor or next(iter(said), decoded.sensor)
        declared = name in sight.routes.sensors or name == route.hints.sensor
        tried.sensor = name if declared else personal.mask(name)
        if not registered:
            for refusal in decoded.refusals:
                secret = personal.names_identifier(refusal.field)
                reason = Reason.PERSONAL if secret else refusal.reason
                shown = personal.mask_path(refusal.field)
                tried.refused.append(Refused(shown, reason, personal.mask(refusal.detail)))


def _guess(sample: Sample, received_us: int) -> tuple[str, dict[str, str]]:
    """The first format that fits, and why those before it do not."""
    others: dict[str, str] = {}
    for name, form in FORMATS.items():
        if form.fits(sample.topic, sample.payload):
            return name, others
        others[name] = NO_SIGNS
        try:
            hints = Topics(routes_without_sensors([_row(sample.topic, name)])).route(sample.topic)
            if hints is not None:
                form.decode(sample.payload, hints.hints, received_us)
        except Undecodable as error:
            others[name] = error.detail
    return "plain", others


def _row(topic: str, form: str, timezone: str = "UTC") -> BindingRow:
    return BindingRow(topic, form, timezone, "", frozenset())


def _as_read(one: Reading, offered: bool, route: Route, sight: Decoding, registered: bool) -> Read:
    sensor_id, fields = sight.routes.sensors.get(one.sensor, (0, {}))
    listed = one.field in fields
    secret = not listed and personal.names_identifier(one.field)
    note = ""
    if registered and offered:
        note = "taken" if listed else "passed over"
    elif registered and not listed and one.field in route.ignore:
        note = "ignored"
    names = sight.declared.names(sensor_id) if sensor_id else frozenset[str]()
    keep = names | {route.hints.sensor}
    value = None if secret or not np.isfinite(one.value) else one.value
    return Read(
        personal.mask(one.sensor, keep), personal.mask_path(one.field, keep), one.time_us, value,
        None if one.unit is None else personal.mask(one.unit), one.flag, offered,
        "personal" if secret else note,
    )  # fmt: skip


def _judge(tried: Tried, intake: Intake, routes: Routes) -> None:
    """What the collector would store and refuse of the message."""
    code = {sensor_id: name for name, (sensor_id, _) in routes.sensors.items()}
    position = {series: at for at, series in enumerate(routes.series.tolist())}
    for row in range(len(intake.batch)):
        at = position[int(intake.batch.series[row])]
        value = float(intake.batch.value[row])
        tried.kept.append(
            Kept(
                code.get(int(intake.sensor[row]), ""), intake.field[row], routes.metric[at],
                int(intake.batch.time[row].astype(np.int64)),
                value if np.isfinite(value) else None,
                routes.canonical[at], int(intake.batch.flag[row]),
            )
        )  # fmt: skip
    tried.refused += [Refused(one.field, one.reason, one.detail) for one in intake.refusals]
