"""Tasmota beyond its cases: the published messages, and messages broken on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.formats import tasmota
from collector.formats.format import Hints, Undecodable
from tests.unit.mutations import mutated, sound

SENSOR = {
    "Time": "2024-02-15T17:37:10",
    "Epoch": 1708015030,
    "ENERGY": {
        "TotalStartTime": "2023-11-14T18:39:40", "Total": [6.294, 1.5], "Today": 0.954,
        "Period": 217, "Power": 2635, "Factor": 0.99, "Voltage": 227, "Current": [1.3, 2.1],
    },
    "DS18B20": {"Id": "00000566CC39", "Temperature": 13.3},
    "BME280": {"Temperature": 18.5, "Pressure": 1013.2},
    "TIC": {"ADCO": "021528600000", "HCHC": 920750, "PTEC": "HP..", "PAPP": 170},
    "ZbReceived": {"A": {"Device": "0x8F20", "Temperature": 21}},
    "Switch1": "ON", "POWER1": "OFF", "TempUnit": "C", "PressureUnit": "hPa",
}  # fmt: skip
TOPICS = [
    "tele/s1/SENSOR", "tele/s1/STATE", "stat/s1/STATUS8", "stat/s1/RESULT", "stat/s1/POWER",
    "a/b/tele/SENSOR", "x", "", "tele", "tele/ a/SENSOR",
]  # fmt: skip


def test_a_real_plug_whose_clock_was_not_set_is_refused(shared: Path) -> None:
    folder = shared / "data/payloads/tasmota"
    topic = (folder / "pow_sensor.topic.txt").read_text().strip()

    with pytest.raises(Undecodable, match="bad_time: the clock was not set"):
        tasmota.decode((folder / "pow_sensor.json").read_bytes(), Hints("", topic=topic), 0)


def test_a_real_meter_is_read_without_its_number(shared: Path) -> None:
    folder = shared / "data/payloads/tasmota"
    hints = Hints(
        "", "Europe/Paris", topic=(folder / "teleinfo_sensor.topic.txt").read_text().strip()
    )
    lines = (folder / "teleinfo_sensor.ndjson").read_bytes().splitlines()

    said = [tasmota.decode(line, hints, 0) for line in lines]

    # 17:28:45 in Paris is 15:28:45 UTC.
    assert [one.readings[0].time_us for one in said] == [
        1_635_262_125_000_000, 1_635_262_425_000_000, 1_635_262_725_000_000
    ]  # fmt: skip
    assert [(one.field, one.value, one.unit) for one in said[1].readings] == [
        ("ENERGY.Total", 9098.255, "kW.h"),
        ("ENERGY.Power", 190, "W"),
        ("ENERGY.Current", 1, "A"),
        ("ENERGY.Load", 6, "%"),
        ("TIC.HCHC", 920750, "W.h"),
        ("TIC.HCHP", 2275570, "W.h"),
        ("TIC.IINST", 1, "A"),
        ("TIC.PAPP", 190, "V.A"),
    ]
    assert {one.sensor for message in said for one in message.readings} == {"denky_D6C0C0"}
    assert [one.refusals for one in said] == [[], [], []]
    assert not any("ADCO" in one.field for one in said[0].offered)


@pytest.mark.parametrize(
    ("topic", "sensor"),
    [
        ("tele/plug/SENSOR", "plug"),
        ("plug/tele/SENSOR", "plug"),
        ("town/hall/plug/tele/SENSOR", "plug"),
        ("town/tele/hall/plug/SENSOR", "hall.plug"),
        ("town/plug/SENSOR", "plug"),
        ("SENSOR", ""),
    ],
)
def test_the_full_topic_names_the_sensor_whichever_way_it_is_built(topic: str, sensor: str) -> None:
    said = tasmota.decode(b'{"ENERGY": {"Power": 3}}', Hints("", topic=topic), 0)

    assert [one.sensor for one in said.readings] == [sensor]


def test_objects_nested_deeper_than_16_levels_are_refused() -> None:
    hints = Hints("s1", topic="tele/s1/SENSOR")
    deep = b'{"A":' * 15 + b"1" + b"}" * 15

    assert len(tasmota.decode(deep, hints, 0).readings) == 1
    with pytest.raises(Undecodable, match="nested deeper than 16 levels"):
        tasmota.decode(b'{"A":' * 17 + b"1" + b"}" * 17, hints, 0)


@pytest.mark.parametrize(
    ("topic", "payload", "fits"),
    [
        ("tele/a/SENSOR", b'{"Time":"2024-01-01T00:00:00","SI7021":{"Temperature":1}}', True),
        ("tele/a/LWT", b"Online", True),
        ("stat/a/POWER", b"ON", True),
        ("x", b'{"StatusSNS":{"Time":"2024-01-01T00:00:00"}}', True),
        ("x", b'{"Time":"2024-01-01T00:00:00","ENERGY":{"Power":1}}', True),
        ("x", b'{"Time":"2024-01-01T00:00:00","no2":1}', False),
        ("zigbee2mqtt/a", b'{"power":1,"linkquality":80}', False),
        ("tele/a/SENSOR", b"[1]", False),
    ],
)
def test_it_is_recognised_by_topic_or_members(topic: str, payload: bytes, fits: bool) -> None:
    assert tasmota.fits(topic, payload) is fits


@settings(max_examples=400)
@given(payload=mutated(SENSOR), topic=st.sampled_from(TOPICS), named=st.booleans())
def test_no_broken_message_raises_anything_but_undecodable(
    payload: bytes, topic: str, named: bool
) -> None:
    sound(tasmota.FORMAT, payload, Hints("s1" if named else "", "Europe/Paris", topic=topic))
    wrapped = b'{"StatusSNS": ' + payload + b"}"
    sound(tasmota.FORMAT, wrapped, Hints("s1" if named else "", "Europe/Paris", topic=topic))
