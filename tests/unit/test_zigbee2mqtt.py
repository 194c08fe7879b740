"""Zigbee2MQTT beyond its cases: the published examples, and states broken on purpose."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.formats import zigbee2mqtt
from collector.formats.format import Hints
from storage.units import check_unit
from tests.unit.mutations import mutated, sound

HINTS = Hints("s1", "Europe/Paris", topic="zigbee2mqtt/s1")
STATE = {
    "power": 48.5, "energy": 12.05, "voltage": 231, "state": "ON", "linkquality": 80,
    "battery": "100.00", "temperature": 21.5, "occupancy": False,
    "last_seen": "2024-02-26T20:44:09+01:00", "update": {"state": "idle"},
}  # fmt: skip
TOPICS = ["zigbee2mqtt/s1", "zigbee2mqtt/s1/power", "zigbee2mqtt/a/b", "s1", "", "zigbee2mqtt"]


def test_the_guides_examples_are_read(shared: Path) -> None:
    lines = (shared / "data/payloads/zigbee2mqtt/examples.ndjson").read_bytes().splitlines()

    read = [zigbee2mqtt.decode(line, HINTS, 0) for line in lines[:2]]

    assert [[(one.field, one.value, one.unit) for one in said.readings] for said in read] == [
        [("temperature", 27.34, "Cel"), ("humidity", 44.72, "%")],
        [("occupancy", 1.0, None)],
    ]
    assert all(one.time_us is None for said in read for one in said.readings)


def test_the_guides_other_examples_are_read() -> None:
    said = zigbee2mqtt.decode(b'{"action": "single"}', HINTS, 0)
    light = zigbee2mqtt.decode(b'{"state": "ON", "brightness": 215, "color_temp": 325}', HINTS, 0)

    assert said == ([], [], [], "s1")
    assert [(one.field, one.value) for one in light.readings] == [("state", 1), ("brightness", 215)]
    assert [(one.field, one.value) for one in light.offered] == [("color_temp", 325)]


@pytest.mark.parametrize(
    ("voltage", "unit"), [(999.9, "V"), (1000, "mV"), (3, "V"), ("2995", "mV"), (0, "V")]
)
def test_a_voltage_of_a_thousand_and_more_is_millivolts(voltage: float | str, unit: str) -> None:
    said = zigbee2mqtt.decode(json.dumps({"voltage": voltage}).encode(), HINTS, 0)

    assert [one.unit for one in (*said.readings, *said.offered)] == [unit]


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("temperature_12", "Cel"), ("floor_temperature", "Cel"), ("power_left", "W"),
        ("energy_tier_4", "kW.h"), ("current_neutral", "A"), ("mains_voltage", "V"),
        ("probe_temperature", "Cel"), ("external_temperature_input", "setting"),
        ("temperature_f", "setting"), ("max_heat_setpoint_limit", "setting"),
        ("current_heating_setpoint", "setting"), ("detection_distance", "setting"),
        ("target_distance", None), ("water_consumed", None), ("current_level_startup", "setting"),
    ],
)  # fmt: skip
def test_a_member_is_known_by_its_name(name: str, unit: str | None) -> None:
    said = zigbee2mqtt.decode(json.dumps({name: 7}).encode(), HINTS, 0)

    if unit == "setting":
        assert [one.field for one in said.offered] == [name]
        assert said.readings == []
    else:
        assert [(one.field, one.unit) for one in said.readings] == [(name, unit)]


def test_another_time_member_counts_where_the_binding_names_it() -> None:
    hints = Hints("s1", time_field="measured_at", topic="zigbee2mqtt/s1")

    said = zigbee2mqtt.decode(b'{"measured_at": 1709224678, "power": 3}', hints, 0)

    assert [one[1:4] for one in said.readings] == [("power", 1_709_224_678_000_000, 3)]


@pytest.mark.parametrize(
    ("topic", "payload", "fits"),
    [
        ("zigbee2mqtt/plug", b'{"power": 3}', True),
        ("zigbee2mqtt/plug/availability", b"online", True),
        ("home/plug", b'{"power": 3, "linkquality": 80}', True),
        ("home/plug", b'{"power": 3}', False),
        ("tele/zb/SENSOR", b'{"ZbReceived": {"A": {"LinkQuality": 80}}}', False),
        ("home/plug", b"[", False),
    ],
)
def test_it_is_recognised_by_its_topic_or_its_link_quality(
    topic: str, payload: bytes, fits: bool
) -> None:
    assert zigbee2mqtt.fits(topic, payload) is fits


def test_its_units_can_be_read() -> None:
    for unit in {unit for unit in zigbee2mqtt._UNITS.values() if unit and unit != "var"}:
        check_unit(unit)


@settings(max_examples=300)
@given(payload=mutated(STATE), topic=st.sampled_from(TOPICS), named=st.booleans())
def test_no_broken_state_raises_anything_but_undecodable(
    payload: bytes, topic: str, named: bool
) -> None:
    sound(zigbee2mqtt.FORMAT, payload, Hints("s1" if named else "", "Europe/Paris", topic=topic))
