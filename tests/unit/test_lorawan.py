"""ChirpStack and The Things Stack: real messages, and messages gone wrong."""

from __future__ import annotations

import itertools
import json
import math
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.decode import Decoding, has_strangers
from collector.formats import chirpstack, tts
from collector.formats.format import Decoded, Decoder, Hints, Undecodable
from storage.codec import Codec
from storage.reading import Reading
from storage.routes import BindingRow
from tests.unit.lht65 import LHT65
from tests.unit.small_routes import OLDEST, PAYLOAD_BYTES, message, routes

CASES = Path(__file__).parent.parent / "cases"
RECEIVED_US = 1_709_294_400_000_000  # 2024-03-01T12:00:00Z
LPP = Codec(standard="cayenne-lpp")
SCHEMA = {
    "chirpstack": ["members_of_the_object_are_readings", "a_status_is_offered"],
    "tts": ["members_of_the_decoded_payload_are_readings", "a_normalized_payload_alone_is_read"],
}


def recorded(folder: Path, name: str) -> tuple[bytes, Hints]:
    topic = (folder / f"{name}.topic.txt").read_text().strip()
    return (folder / f"{name}.json").read_bytes(), Hints("", topic=topic)


def plainly(readings: Any) -> list[tuple[str, float]]:
    return [(reading.field, reading.value) for reading in readings]


def case(name: str, of: str) -> dict[str, Any]:
    message: dict[str, Any] = json.loads((CASES / of / name / "payload.json").read_text())
    return message


def test_chirpstack_s_documented_uplink_waits_for_a_codec(shared: Path) -> None:
    payload, hints = recorded(shared / "data" / "payloads" / "chirpstack-v4", "up")

    with pytest.raises(Undecodable) as refused:
        chirpstack.decode(payload, hints, RECEIVED_US)
    assert refused.value.reason == "no_codec"
    assert "ChirpStack's device profile" in refused.value.detail

    one_byte = Codec.model_validate({"field": [{"name": "level", "offset": 0}]})
    decoded = chirpstack.decode(payload, hints._replace(codec=one_byte), RECEIVED_US)
    at_us = 1_658_136_855_775_023  # 2022-07-18T09:34:15.775023242Z, cut off after the microsecond
    assert decoded.readings == [Reading("0101010101010101", "level", at_us, 170.0)]
    assert plainly(decoded.offered) == [
        ("rssi", -36.0), ("snr", 10.5), ("gateways", 1.0), ("spreading_factor", 11.0),
        ("f_cnt", 0.0), ("dr", 1.0),
    ]  # fmt: skip


def test_chirpstack_s_documented_status_offers_margin_and_battery(shared: Path) -> None:
    payload, hints = recorded(shared / "data" / "payloads" / "chirpstack-v4", "status")

    decoded = chirpstack.decode(payload, hints, RECEIVED_US)

    at_us = 1_658_136_906_927_172  # 2022-07-18T09:35:06.927172638Z
    assert (decoded.readings, decoded.refusals) == ([], [])
    assert decoded.offered == [
        Reading("0101010101010101", "margin", at_us, 10.0, "dB"),
        Reading("0101010101010101", "external_power", at_us, 0.0),
        Reading("0101010101010101", "battery_level", at_us, 88.3, "%"),
    ]


def test_chirpstack_s_documented_join_measures_nothing_and_names_its_device(shared: Path) -> None:
    payload, hints = recorded(shared / "data" / "payloads" / "chirpstack-v4", "join")

    assert chirpstack.decode(payload, hints, RECEIVED_US) == Decoded(
        [], [], sensor="0101010101010101"
    )


def test_the_things_stack_s_documented_uplink_waits_for_a_codec(shared: Path) -> None:
    payload, hints = recorded(shared / "data" / "payloads" / "tts-v3", "up")

    with pytest.raises(Undecodable) as refused:
        tts.decode(payload, hints, RECEIVED_US)
    assert refused.value.reason == "no_codec"

    # The bytes are the text "Temperature = 0.0".
    first = Codec.model_validate({"field": [{"name": "letter", "offset": 0}], "length": 17})
    decoded = tts.decode(payload, hints._replace(codec=first), RECEIVED_US)
    at_us = 1_548_766_954_981_000  # 2019-01-29T13:02:34.981Z, the gateway's: no server says one
    assert decoded.readings == [Reading("dev1", "letter", at_us, 84.0)]
    assert plainly(decoded.offered) == [
        ("rssi", -35.0), ("snr", 5.0), ("gateways", 1.0), ("spreading_factor", 7.0), ("f_cnt", 0.0),
    ]  # fmt: skip


def test_the_things_stack_s_documented_join_measures_nothing(shared: Path) -> None:
    payload, hints = recorded(shared / "data" / "payloads" / "tts-v3", "join")

    assert tts.decode(payload, hints, RECEIVED_US) == Decoded([], [], sensor="dev1")


def test_the_order_of_the_gateways_changes_nothing() -> None:
    event = case("the_earliest_clock_of_a_gateway_counts", "chirpstack")
    heard = event["rxInfo"]
    said = []
    for order in itertools.permutations(heard):
        payload = json.dumps({**event, "rxInfo": order}).encode()
        said.append(chirpstack.decode(payload, Hints("a"), RECEIVED_US))

    assert len(said) == 6
    assert all(one == said[0] for one in said)
    assert said[0].readings[0].time_us == 1_709_294_399_700_100


def test_an_uplink_delivered_twice_has_the_same_key_and_value() -> None:
    payload = json.dumps(case("members_of_the_object_are_readings", "chirpstack")).encode()

    first, second = (
        chirpstack.decode(payload, Hints("a"), received_us)
        for received_us in (RECEIVED_US, RECEIVED_US + 60_000_000)
    )

    assert repr(first) == repr(second)


def test_bytes_that_wait_for_a_codec_are_read_again_under_a_newer_registry() -> None:
    uplinks = BindingRow("lora/{sensor}", "chirpstack", "UTC", "", frozenset())
    reader = Decoding(
        replace(routes(), bindings=(uplinks,)),
        payload_bytes=PAYLOAD_BYTES,
        oldest=OLDEST,
        ahead_s=600,
    )
    payload = json.dumps(case("bytes_without_a_codec_wait_for_one", "chirpstack")).encode()

    intake = reader.intake([message("lora/air-1", payload)])

    assert [(row.field, str(row.reason)) for row in intake.refusals] == [("", "no_codec")]
    assert has_strangers(intake)


def test_the_same_device_speaks_alike_through_both_networks() -> None:
    """One payload of the LHT65's manual, through ChirpStack and through The Things Stack."""
    lht65 = Codec.model_validate(tomllib.loads(LHT65))
    up = case("bytes_are_read_by_the_profile_s_codec", "chirpstack")
    uplink = case("bytes_are_read_by_the_profile_s_codec", "tts")
    uplink["uplink_message"] |= {"f_port": 2, "frm_payload": up["data"]}

    hints = Hints("a", codec=lht65)
    one = chirpstack.decode(json.dumps(up).encode(), hints, RECEIVED_US)
    other = tts.decode(json.dumps(uplink).encode(), hints, RECEIVED_US)

    assert plainly(one.readings) == plainly(other.readings)
    assert len(one.readings) == 4


def test_neither_network_claims_messages_of_the_other_or_of_plain_json() -> None:
    up = json.dumps(case("members_of_the_object_are_readings", "chirpstack")).encode()
    uplink = json.dumps(case("members_of_the_decoded_payload_are_readings", "tts")).encode()
    plain_topic, plain = "city/99001/mairie/air-1", b'{"time": "2024-05-01T12:34:56Z", "no2": 12.5}'

    assert chirpstack.fits("x/y", up)
    assert tts.fits("x/y", uplink)
    assert not chirpstack.fits("x/y", uplink)
    assert not tts.fits("x/y", up)
    assert not chirpstack.fits(plain_topic, plain)
    assert not tts.fits(plain_topic, plain)
    assert not chirpstack.fits(plain_topic, b"[1")


@pytest.mark.parametrize("payload", [b"{", b'{"a": 1}', b"[]", b"1", b""])
def test_json_that_breaks_off_is_not_taken_for_protobuf(payload: bytes) -> None:
    with pytest.raises(Undecodable) as refused:
        chirpstack.decode(payload, Hints("a"), RECEIVED_US)

    assert refused.value.reason == "bad_payload"
    assert "integration.mqtt" not in refused.value.detail


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every member of a message."""
    if path:
        yield path
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, one in inner:
        yield from places(one, (*path, key))


DEEP: Any = 1
for _ in range(60):
    DEEP = {"a": [DEEP]}
ODD = st.sampled_from(
    [
        None, True, -1, 0, 2**63, 10**40, 1e308, math.nan, math.inf, -0.0, "", "x", "NaN", "1" * 5000,
        "2024-03-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T24:00", "AAAA", [], {}, [1],
        {"a": 1}, DEEP, ["a", {"b": None}], {"time": -1}, [{"rssi": 1}, 3],
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("decode", "name", "of"),
    [
        (chirpstack.decode if of == "chirpstack" else tts.decode, name, of)
        for of, names in SCHEMA.items()
        for name in names
    ],
)
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_mutilated_message_is_refused_or_read_soundly(
    decode: Decoder, name: str, of: str, data: st.DataObject
) -> None:
    mutilated = deepcopy(case(name, of))
    for _ in range(data.draw(st.integers(1, 3))):
        if not mutilated:
            break
        path = data.draw(st.sampled_from(list(places(mutilated))))
        holder = mutilated
        for key in path[:-1]:
            holder = holder[key]
        if data.draw(st.booleans()):
            holder[path[-1]] = deepcopy(data.draw(ODD))
        else:
            del holder[path[-1]]
    payload = json.dumps(mutilated).encode()
    if data.draw(st.booleans()):
        payload = payload[: data.draw(st.integers(0, len(payload)))]
    hints = Hints(
        data.draw(st.sampled_from(["", "a"])),
        time_field=data.draw(st.sampled_from(["", "BatV", "door.open", "TempC_SHT"])),
        topic=(CASES / of / name / "topic.txt").read_text().strip(),
        codec=data.draw(st.sampled_from([None, LPP])),
    )
    try:
        decoded = decode(payload, hints, RECEIVED_US)
    except Undecodable:
        return
    for reading in (*decoded.readings, *decoded.offered):
        assert math.isfinite(reading.value) or reading.flag == 9
        assert abs(reading.time_us or 0) < 2**62
        assert reading.sensor
        assert not hints.sensor or reading.sensor == hints.sensor
