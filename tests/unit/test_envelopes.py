"""What the simulated devices write is read back by the decoders: same value, time, unit, sensor."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest

from collector.formats.format import Hints
from collector.formats.registry import FORMATS
from collector.simulation.city import make_city
from collector.simulation.devices import KINDS, Clock, Kind
from collector.simulation.envelopes import (
    AIRROHR,
    CHIRPSTACK,
    DSMR,
    FORMS,
    NGSI,
    SHELLY,
    TIC,
    TTS,
    Form,
)
from collector.simulation.messages import Stream
from collector.simulation.rows import written
from storage.reading import Flag, Reading

WEDNESDAY = 1_714_521_600.0  # 2024-05-01T00:00:00Z
T_US = 1_714_566_896_000_000  # 2024-05-01T12:34:56Z
ISO = "2024-05-01T12:34:56.000Z"


def read(form: Form, code: str, payload: str) -> list[Reading]:
    hints = Hints(code, form.timezone, topic=form.topic_of("99001", "s01", code))
    decoded = FORMATS[form.format].decode(payload.encode(), hints, 0)
    assert decoded.refusals == []
    return decoded.readings


Said = list[tuple[str, float, str | None]]


@pytest.mark.parametrize(
    ("form", "time", "members", "said"),
    [
        (CHIRPSTACK, ISO, '"index":35.214,"open":true', [("index", 35.214, None), ("open", 1, None)]),
        (TTS, ISO, '"index":9731', [("index", 9731, None)]),
        (
            NGSI,
            ISO,
            '"no2":{"type":"Property","value":41.5,"unitCode":"GQ"}',
            [("no2", 41.5, "ug/m3")],
        ),
        (
            SHELLY,
            "1714566896.0",
            '"switch:0":{"id":0,"apower":8.9,"output":false}',
            [("switch:0.apower", 8.9, "W"), ("switch:0.output", 0, None)],
        ),
        (
            TIC,
            "E240501143456",
            "EAST\t003839865\nSINSTS\t00780",
            [("EAST", 3_839_865, "W.h"), ("SINSTS", 780, "V.A")],
        ),
        (
            DSMR,
            "240501143456S",
            "1-0:1.8.0(002130.115*kWh)\r\n1-0:1.7.0(00.494*kW)\r\n",
            [("1-0:1.8.0", 2130.115, "kW.h"), ("1-0:1.7.0", 0.494, "kW")],
        ),
    ],
)  # fmt: skip
def test_what_is_written_is_read_again(form: Form, time: str, members: str, said: Said) -> None:
    assert form.write is not None
    code = form.code("some", 12)

    readings = read(form, code, form.write(code, time, members))

    assert readings == [
        Reading(code, field, T_US, value, unit, int(Flag.NOT_EVALUATED))
        for field, value, unit in said
    ]


def test_airrohr_says_values_and_no_time() -> None:
    assert AIRROHR.write is not None
    entry = '{"value_type":"SDS_P1","value":"35.67"}'

    assert read(AIRROHR, "rohr-001", AIRROHR.write("rohr-001", "", entry)) == [
        Reading("rohr-001", "SDS_P1", None, 35.67, "ug/m3", int(Flag.NOT_EVALUATED))
    ]


@pytest.mark.parametrize(
    "form", [form for form in FORMS if form.more], ids=lambda form: form.format
)
def test_a_member_more_is_one_reading_more(form: Form) -> None:
    kind = next(kind for kind in KINDS if kind.form is form)
    assert form.write is not None
    code = form.code(kind.name, 1)
    [time] = written(np.array([T_US / 1e6]), kind.clock)
    members = kind.says % (("1",) * len(kind.channels))

    plain = read(form, code, form.write(code, time, members))
    more = read(form, code, form.write(code, time, members + form.more))

    ignored = {"battery"}
    assert [one.field for one in plain if one.field not in ignored] == [
        channel.field for channel in kind.channels
    ]
    assert more[: len(plain)] == plain
    assert len(more) == len(plain) + 1


def test_meters_say_the_season_in_the_hour_that_occurs_twice() -> None:
    # 2024-10-27: 00:30Z is 02:30 in summer time, 01:30Z is 02:30 in winter time.
    twice = np.array([1_729_989_000.0, 1_729_992_600.0])

    assert written(twice, Clock.SEASON_FIRST) == ["E241027023000", "H241027023000"]
    assert written(twice, Clock.SEASON_LAST) == ["241027023000S", "241027023000W"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_of_device_is_recognised_by_its_format(kind: Kind) -> None:
    stream = Stream(make_city(), mishaps=False, clockless=True)
    topics = {t for f in make_city().fleets if f.kind.name == kind.name for t in f.topics}
    messages = stream.between(WEDNESDAY, WEDNESDAY + kind.step_s)
    topic, payload = next((m.topic, m.payload) for m in messages if m.topic in topics)

    guessed = next(name for name, form in FORMATS.items() if form.fits(topic, payload))

    assert guessed == kind.form.format


def test_uplinks_of_one_device_have_ids_of_their_own() -> None:
    code = CHIRPSTACK.code("water", 3)
    times = written(WEDNESDAY + np.arange(0.0, 90_000.0, 900.25), Clock.ISO_MS)

    assert code == "70b3d57ed9000003"
    assert distinct(CHIRPSTACK.write(code, time, "")[:60] for time in times if CHIRPSTACK.write)


def distinct(texts: Iterable[str]) -> bool:
    ordered = sorted(texts)
    return len(ordered) > 1 and all(a != b for a, b in pairwise(ordered))
