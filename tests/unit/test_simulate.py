"""Messages of the make-believe city: repeatable, and honest about their mishaps."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest

from collector.formats.format import Decoder, Hints, Undecodable
from collector.formats.registry import FORMATS
from collector.simulation.city import TOWNS, SimulatedCity, make_city
from collector.simulation.devices import KINDS, Clock, Kind
from collector.simulation.faults import MISHAP_RATES, Mishap
from collector.simulation.messages import Message, Stream, history
from storage.catalogue import BY_NAME, Domain
from storage.city import Binding, parse

WEDNESDAY = 1_714_521_600.0  # 2024-05-01T00:00:00Z
HOUR = 3_600.0
IGNORED = {"battery", "rssi", "status"}


@pytest.fixture(scope="module")
def city() -> SimulatedCity:
    return make_city()


@pytest.fixture(scope="module")
def afternoon(city: SimulatedCity) -> list[Message]:
    stream = Stream(city)
    messages = stream.between(WEDNESDAY + 12 * HOUR, WEDNESDAY + 13 * HOUR)
    return messages + stream.held()


@cache
def bindings(city_toml: str, sensors_csv: str) -> tuple[Binding, ...]:
    return parse(city_toml, sensors_csv).bindings


def bound(city: SimulatedCity, topic: str) -> tuple[Decoder, Hints]:
    """How a collector reads the topic, by the city's own bindings."""
    for binding in bindings(city.city_toml, city.sensors_csv):
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(binding.topic))
        if found := re.fullmatch(pattern, topic):
            hints = Hints(found["sensor"], binding.timezone, binding.time_field, topic)
            return FORMATS[binding.format].decode, hints
    raise AssertionError(f"no binding reads {topic}")


def sensor_of(city: SimulatedCity, topic: str) -> str:
    return bound(city, topic)[1].sensor


def test_the_files_of_the_city_are_registered_like_any_other(city: SimulatedCity) -> None:
    loaded = parse(city.city_toml, city.sensors_csv)

    assert city.sensors == 240
    assert [(t.code, t.timezone) for t in loaded.territories] == [
        ("99001", "Europe/Paris"),
        ("99002", "Europe/Paris"),
        ("99003", "Europe/Paris"),
        ("08999001", "Europe/Berlin"),
    ]
    assert {binding.format for binding in loaded.bindings} == {
        "plain", "senml", "chirpstack", "tts", "ngsi", "shelly", "airrohr", "tic", "dsmr"
    }  # fmt: skip
    series = Counter(one.metric.domain for one in loaded.series)
    assert min(series[domain] for domain in Domain) >= 80
    assert {one.line.territory for one in loaded.series} == {town.code for town in TOWNS}
    foreign = [one for one in loaded.series if one.line.unit != one.metric.unit]
    assert {one.line.unit for one in foreign} >= {"[degF]", "km/h", "Pa", "W.h", "W", "m/s", "min"}


@pytest.mark.parametrize("sensors", [22, 23, 57, 240, 1_001])
def test_a_city_has_as_many_devices_as_asked_and_all_kinds(sensors: int) -> None:
    fleets = make_city(sensors).fleets

    assert sum(len(fleet.who) for fleet in fleets) == sensors
    assert min(len(fleet.who) for fleet in fleets) >= 1
    assert len({topic for fleet in fleets for topic in fleet.topics}) == sensors


def test_too_small_a_city_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 22 sensors"):
        make_city(21)


def test_two_hundred_forty_sensors_send_about_ten_messages_a_second(
    afternoon: list[Message],
) -> None:
    assert 9.5 * 3_600 < len(afternoon) < 11 * 3_600


def test_fifteen_seconds_show_life_in_every_domain(city: SimulatedCity) -> None:
    domains = {
        kind.form.code(kind.name, 1)[:3]: {
            BY_NAME[channel.metric].domain for channel in kind.channels
        }
        for kind in KINDS
    }
    for start in range(0, 120, 15):
        at = WEDNESDAY + 9 * HOUR + start
        spoke = {sensor_of(city, m.topic)[:3] for m in Stream(city).between(at, at + 15)}
        assert {one for name in spoke - {"gho"} for one in domains[name]} == set(Domain)


def test_the_same_seed_tells_the_same_and_another_seed_another() -> None:
    def told(seed: int) -> list[Message]:
        return Stream(make_city(40, seed)).between(WEDNESDAY, WEDNESDAY + 60)

    assert told(1) == told(1)
    assert told(1) != told(2)


def test_the_pieces_asked_for_do_not_change_what_is_told(city: SimulatedCity) -> None:
    whole, parts = Stream(city), Stream(city)
    start, middle, end = WEDNESDAY, WEDNESDAY + 137.3, WEDNESDAY + 600

    at_once = whole.between(start, end)
    in_parts = parts.between(start, middle) + parts.between(middle, end)

    assert sorted(at_once) == sorted(in_parts)
    assert whole.held() == parts.held()
    assert whole.counted == parts.counted
    assert [m.due for m in at_once] == sorted(m.due for m in at_once)


def fields_of(kind: Kind) -> set[str]:
    return {channel.field for channel in kind.channels}


class Store:
    """What a collector would make of the messages, by the rule that the first value wins."""

    def __init__(self, city: SimulatedCity) -> None:
        self.fields = {code: fields_of(fleet.kind) for fleet in city.fleets for code in fleet.codes}
        self.city = city
        self.routes: dict[str, tuple[Decoder, Hints]] = {}
        self.values: dict[tuple[str, str, int], float] = {}
        self.seen: Counter[str] = Counter()

    def take(self, message: Message, received_us: int) -> tuple[int, int, int]:
        """New readings, duplicates and conflicts in one message; the rest is in ``seen``."""
        if message.topic not in self.routes:
            self.routes[message.topic] = bound(self.city, message.topic)
        decode, hints = self.routes[message.topic]
        sensor = hints.sensor
        if len(message.payload) > 256 * 1024:
            self.seen["too_large"] += 1
            return 0, 0, 0
        try:
            decoded = decode(message.payload, hints, received_us)
        except Undecodable as refused:
            self.seen[refused.reason] += 1
            return 0, 0, 0
        if sensor not in self.fields:
            self.seen["unknown_sensor"] += 1
            return 0, 0, 0
        self.seen.update(r.reason for r in decoded.refusals if r.field not in IGNORED)
        new = duplicates = conflicts = 0
        for reading in decoded.readings:
            if reading.field in IGNORED:
                continue
            if reading.field not in self.fields[sensor]:
                self.seen["unknown_field"] += 1
                continue
            assert reading.time_us is not None
            assert reading.sensor == sensor
            if reading.time_us > received_us + 600_000_000:
                self.seen["in_future"] += 1
            elif reading.time_us < 946_684_800_000_000:
                self.seen["too_old"] += 1
            else:
                key = (reading.sensor, reading.field, reading.time_us)
                before = self.values.setdefault(key, math.inf)
                if before == math.inf:
                    self.values[key] = reading.value
                    new += 1
                elif before == reading.value or (
                    before != before and reading.value != reading.value
                ):
                    duplicates += 1
                else:
                    conflicts += 1
        return new, duplicates, conflicts


def test_every_message_says_what_a_collector_will_make_of_it(
    city: SimulatedCity, afternoon: list[Message]
) -> None:
    store = Store(city)

    wrong = [
        (message, made)
        for message in afternoon
        if (made := store.take(message, round(message.due * 1e6)))
        != (message.readings, message.duplicates, message.conflicts)
    ]

    assert wrong == []
    assert set(store.seen) == {
        "bad_payload", "bad_value", "too_large", "unknown_sensor", "unknown_field", "in_future",
        "too_old",
    }  # fmt: skip


def test_mishaps_happen_as_often_as_stated(afternoon: list[Message]) -> None:
    happened = Counter(message.mishap for message in afternoon)
    normal = len(afternoon) - sum(n for mishap, n in happened.items() if mishap is not None)

    for mishap, rate in MISHAP_RATES.items():
        # Packs cannot say null, and some devices cannot err in some ways.
        least = 0.3 if mishap is Mishap.MISSING else 0.7
        assert least * rate < happened[mishap] / normal < 1.3 * rate, mishap


def test_late_messages_come_after_younger_ones_of_the_same_sensor(
    city: SimulatedCity, afternoon: list[Message],
) -> None:  # fmt: skip
    def said_us(message: Message) -> int:
        decode, hints = bound(city, message.topic)
        return decode(message.payload, hints, 0).readings[0].time_us or 0

    late = [m for m in afternoon if m.mishap is Mishap.LATE][:100]
    overtaken = sum(
        any(
            m.readings and m.topic == message.topic and said_us(m) > said_us(message)
            for m in afternoon
            if m.due < message.due
        )
        for message in late
    )

    # Not all: the next message may be late too, or its sensor silent.
    assert len(late) == 100
    assert overtaken > 90


def test_without_mishaps_every_message_is_good(city: SimulatedCity) -> None:
    stream, store = Stream(city, mishaps=False), Store(city)

    messages = stream.between(WEDNESDAY, WEDNESDAY + 900)

    assert {m.mishap for m in messages} == {None}
    assert sum(store.take(m, round(m.due * 1e6))[0] for m in messages) == sum(
        m.readings for m in messages
    )
    assert (store.seen, stream.held(), stream.counted) == (Counter(), [], Counter())


def test_history_holds_the_readings_that_live_would_have_sent(city: SimulatedCity) -> None:
    keeping = tuple(fleet for fleet in city.fleets if fleet.kind.clock is not Clock.NONE)
    live, past, counted = Store(city), Store(city), Counter[str]()
    stream = Stream(replace(city, fleets=keeping))
    for message in stream.between(WEDNESDAY, WEDNESDAY + HOUR / 2) + stream.held():
        live.take(message, round(message.due * 1e6))
    sizes = []
    for message in history(city, WEDNESDAY, WEDNESDAY + HOUR / 2, counted):
        assert past.take(message, round(message.due * 1e6)) == (message.readings, 0, 0)
        sizes.append(len(message.payload))

    different = {
        key
        for key, value in live.values.items()
        if past.values.get(key) != value and value == value
    }
    assert different == set()
    assert set(past.values) == set(live.values)
    assert counted == stream.counted
    assert max(sizes) < 64_000


def test_devices_without_a_clock_say_no_time_when_time_is_real(city: SimulatedCity) -> None:
    def first(name: str, clockless: bool) -> Message:
        stream = Stream(city, clockless=clockless, mishaps=False)
        return next(m for m in stream.between(WEDNESDAY, WEDNESDAY + 60) if name in m.topic)

    assert first("bollard", clockless=True).payload == b'{"open":false}'
    assert first("bollard", clockless=False).payload.startswith(b'{"time":"2024-05-01T00:00:')
    assert first("rohr-", clockless=True).topic.startswith("airrohr/rohr-")
    assert b"time" not in first("rohr-", clockless=True).payload
    assert first("/rohr-", clockless=False).topic.startswith("city/")
    assert first("/rohr-", clockless=False).payload.startswith(b'{"time":"2024-05-01T00:00:')


def test_mishaps_of_devices_without_a_clock_are_counted_right_when_time_is_real(
    city: SimulatedCity,
) -> None:
    store = Store(city)
    at = WEDNESDAY + 12 * HOUR
    fleets = tuple(fleet for fleet in city.fleets if fleet.kind.clock is Clock.NONE)
    told = Stream(replace(city, fleets=fleets), clockless=True).between(at, at + 4 * HOUR)

    wrong = []
    for message in told:
        decode, hints = bound(city, message.topic)
        try:
            decoded = decode(message.payload, hints, 0)
        except Undecodable:
            made = 0
        else:
            known = store.fields.get(hints.sensor, set())
            made = sum(one.field in known for one in decoded.readings)
        if (made, 0, 0) != (message.readings, message.duplicates, message.conflicts):
            wrong.append((message, made))

    assert wrong == []
    assert {m.mishap for m in told} == {
        None, Mishap.UNKNOWN_FIELD, Mishap.UNKNOWN_SENSOR, Mishap.GARBAGE
    }  # fmt: skip
    assert len([m for m in told if m.readings == 0]) > 20


def test_registers_start_anew_at_their_limit_and_at_resets(city: SimulatedCity) -> None:
    stream = Stream(city)
    pulses: dict[str, list[float]] = {}
    store = Store(city)
    for message in stream.between(WEDNESDAY, WEDNESDAY + 6 * HOUR):
        if "/pulse-" in message.topic:
            store.take(message, round(message.due * 1e6))
    for (sensor, field, _), value in sorted(store.values.items(), key=lambda one: one[0][2]):
        if field == "pulses" and value == value:
            pulses.setdefault(sensor, []).append(value)

    assert all(0 <= value < 65_536 for values in pulses.values() for value in values)
    falls = sum(b < a for values in pulses.values() for a, b in pairwise(values))
    assert falls >= stream.counted["rollover"] >= 1
