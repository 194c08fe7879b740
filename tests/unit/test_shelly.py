"""Shelly beyond its cases: a real device's dump, and messages broken on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.formats import shelly
from collector.formats.format import Hints
from storage.units import conversion
from tests.unit.mutations import mutated, sound

FRAME = {
    "src": "shellypro3em-aabbccddeeff", "dst": "x", "method": "NotifyStatus",
    "params": {
        "ts": 1700000000.5,
        "switch:0": {
            "id": 0, "output": True, "apower": 8.9, "pf": 0.9, "temperature": {"tC": 40.5, "tF": 105},
            "aenergy": {"total": 123.5, "by_minute": [1, 2, 3], "minute_ts": 1699999980},
        },
        "em:0": {"id": 0, "a_act_power": 375.5, "n_current": None, "errors": []},
        "bthomesensor:200": {"id": 200, "value": 19.5, "last_updated_ts": 1700000000},
        "sys": {"unixtime": 1700000000, "uptime": 12}, "wifi": {"rssi": -60},
    },
}  # fmt: skip
DUMP = {"shelly": {"id": "shellyx-1"}, "status": FRAME["params"]}
FIRST = {
    "unixtime": 1700000000, "relays": [{"ison": True}],
    "meters": [{"power": 12.5, "is_valid": True, "total": 3000}],
    "emeters": [{"power": 3, "total": 1.5, "is_valid": False}],
    "tmp": {"tC": 21.5, "is_valid": True}, "hum": {"value": 40}, "bat": {"value": 80, "voltage": 3},
    "ext_temperature": {"0": {"tC": 12}}, "wifi_sta": {"rssi": -60}, "lux": 120, "motion": True,
}  # fmt: skip
TOPICS = [
    "s1/events/rpc", "s1/status/switch:0", "s1/status/sys", "shellies/s1/info", "s1/online", "",
    "shellies/s1/status", "shellies/s1/relay/0/power", "shellies/s1/light/0/status", "shellies", "x",
]  # fmt: skip


def test_a_real_devices_dump_is_read(shared: Path) -> None:
    payload = (shared / "data/payloads/shelly/gen2_plus1pm_device_dump.json").read_bytes()

    said = shelly.decode(payload, Hints("", topic="shelly/dump"), 0)

    # sys.unixtime, 2024-02-07T17:28:56Z.
    assert {one.time_us for one in (*said.readings, *said.offered)} == {1_707_326_936_000_000}
    assert {one.sensor for one in said.readings} == {"shellyplus1pm-aabbccddeeff"}
    assert [(one.field, one.value, one.unit) for one in said.readings] == [
        ("input:0.state", 0, None),
        ("switch:0.aenergy.total", 110.046, "W.h"),
        ("switch:0.apower", 0, "W"),
        ("switch:0.current", 0, "A"),
        ("switch:0.output", 0, None),
        ("switch:0.voltage", 232.8, "V"),
    ]
    assert ("switch:0.temperature.tC", 30.3) in [(one.field, one.value) for one in said.offered]
    assert not any(word in one.field for one in said.offered for word in ("mac", "ssid", "sta_ip"))
    assert said.refusals == []


def test_3000_watt_minutes_are_50_watt_hours() -> None:
    hints = Hints("plug", topic="shellies/plug/relay/0/energy")

    [said] = shelly.decode(b"3000", hints, 0).readings
    scale, shift = conversion(said.unit or "", "W.h")

    assert said.value * scale + shift == pytest.approx(50)


def test_a_value_that_a_first_generation_device_calls_invalid_is_missing() -> None:
    hints = Hints("ht", topic="dumps/ht")
    status = b'{"shelly": {}, "status": {"hum": {"value": 0, "is_valid": false}, "tmp": {"tC": 9}}}'

    said = shelly.decode(status, hints, 0)

    assert [(one.field, one.flag) for one in said.readings] == [("hum.value", 9), ("tmp.tC", 2)]


@pytest.mark.parametrize(
    ("topic", "src", "sensor"),
    [
        ("shellyplus1-aabbcc/events/rpc", "shellyplus1-aabbcc", "shellyplus1-aabbcc"),
        ("town/shellyplus1-aabbcc/events/rpc", "shellyplus1-aabbcc", "shellyplus1-aabbcc"),
        ("town/hall/events/rpc", "shellyplus1-aabbcc", "town.hall"),
        ("events/rpc", "shellyplus1-aabbcc", "shellyplus1-aabbcc"),
        ("hall", "shellyplus1-aabbcc", "shellyplus1-aabbcc"),
    ],
)
def test_a_notification_names_its_sensor(topic: str, src: str, sensor: str) -> None:
    payload = (
        f'{{"src": "{src}", "method": "NotifyStatus", "params": {{"pm1:0": {{"apower": 1}}}}}}'
    )

    said = shelly.decode(payload.encode(), Hints("", topic=topic), 0)

    assert [one.sensor for one in said.readings] == [sensor]


def test_both_ways_of_telling_a_status_name_the_same_fields_and_sensor() -> None:
    told = b'{"src":"shelly1-aabb","method":"NotifyStatus","params":{"switch:0":{"apower":3}}}'

    notified = shelly.decode(told, Hints("", topic="town/hall/events/rpc"), 0)
    status = shelly.decode(b'{"apower":3}', Hints("", topic="town/hall/status/switch:0"), 0)

    assert notified.readings == status.readings


@pytest.mark.parametrize(
    ("topic", "payload", "fits"),
    [
        ("shellyplug-s-DDEEFF/online", b"true", True),
        ("plug/online", b"true", False),
        ("a/events/rpc", b'{"method":"NotifyStatus","params":{}}', True),
        ("a/status/switch:0", b'{"apower":3}', True),
        ("shellies/a/relay/0", b"on", True),
        ("x", b'{"shelly":{},"status":{}}', True),
        ("x", b'{"status":"ok","no2":3}', False),
        ("x", b'{"method":"NotifyStatus"', False),
    ],
)
def test_it_is_recognised_by_topic_or_frame(topic: str, payload: bytes, fits: bool) -> None:
    assert shelly.fits(topic, payload) is fits


@settings(max_examples=400)
@given(
    payload=st.one_of(
        mutated(FRAME), mutated(DUMP), mutated(FIRST), mutated(FRAME["params"]), st.text().map(str.encode)
    ),
    topic=st.sampled_from(TOPICS),
    named=st.booleans(),
)  # fmt: skip
def test_no_broken_message_raises_anything_but_undecodable(
    payload: bytes, topic: str, named: bool
) -> None:
    sound(shelly.FORMAT, payload, Hints("s1" if named else "", "Europe/Paris", topic=topic))
