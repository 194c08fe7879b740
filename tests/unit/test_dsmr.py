"""P1 telegrams: real ones read in full, and none that breaks the decoder."""

from __future__ import annotations

import math
from pathlib import Path

import fastcrc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.formats import dsmr
from collector.formats.format import Decoded, Hints, Undecodable
from storage.reading import Reason

HINTS = Hints("meter-1", "Europe/Amsterdam", topic="p1/meter-1/telegram")
LINES = (
    b"0-0:1.0.0(161113205757W)", b"0-0:96.1.1(0000000000000000000000000000000000)",
    b"1-0:1.8.1(001581.123*kWh)", b"1-0:1.7.0(02.027*kW)", b"0-0:96.14.0(0002)",
    b"1-0:99.97.0(1)(0-0:96.7.19)(000104180320W)(0000237126*s)", b"0-0:96.13.0()",
    b"1-0:1.6.0(200509134558S)(02.589*kW)", b"0-1:24.2.1(161129200000W)(00981.443*m3)",
    b"0-1:24.3.0(161107190000)(00)(60)(1)(0-1:24.2.1)(m3)", b"(00001.001)",
)  # fmt: skip


def telegram(lines: list[bytes], checked: bool) -> bytes:
    body = b"\r\n".join([b"/KFM5KAIFA-METER", b"", *lines, b"!"])
    return body + (b"%04X\r\n" % fastcrc.crc16.arc(body) if checked else b"\r\n")


def values(decoded: Decoded) -> dict[str, tuple[float, str | None]]:
    return {one.field: (one.value, one.unit) for one in decoded.readings}


def test_a_real_telegram_of_dsmr_4_is_read_in_full(shared: Path) -> None:
    payload = (shared / "data/payloads/dsmr-p1/TELEGRAM_V4_2.txt").read_bytes()

    decoded = dsmr.decode(payload, HINTS, 0)

    assert values(decoded) == {
        "1-0:1.8.1": (1581.123, "kW.h"), "1-0:1.8.2": (1435.706, "kW.h"),
        "1-0:2.8.1": (0.0, "kW.h"), "1-0:2.8.2": (0.0, "kW.h"),
        "1-0:1.7.0": (2.027, "kW"), "1-0:2.7.0": (0.0, "kW"),
        "1-0:31.7.0": (0.0, "A"), "1-0:51.7.0": (6.0, "A"), "1-0:71.7.0": (2.0, "A"),
        "1-0:21.7.0": (0.17, "kW"), "1-0:22.7.0": (0.0, "kW"), "1-0:41.7.0": (1.247, "kW"),
        "1-0:42.7.0": (0.0, "kW"), "1-0:61.7.0": (0.209, "kW"), "1-0:62.7.0": (0.0, "kW"),
        "0-1:24.2.1": (981.443, "m3"),
    }  # fmt: skip
    times = {one.field: one.time_us for one in decoded.readings}
    assert times.pop("0-1:24.2.1") == 1_480_446_000_000_000  # 2016-11-29T19:00:00Z
    assert set(times.values()) == {1_479_067_077_000_000}  # 2016-11-13T19:57:57Z
    assert decoded.refusals == []
    assert {one.field: one.value for one in decoded.offered} == {
        "0-0:96.14.0": 2.0, "0-0:96.7.21": 15.0, "0-0:96.7.9": 7.0,
        "1-0:32.32.0": 0.0, "1-0:52.32.0": 0.0, "1-0:72.32.0": 0.0,
        "1-0:32.36.0": 0.0, "1-0:52.36.0": 0.0, "1-0:72.36.0": 0.0,
    }  # fmt: skip


def test_a_real_telegram_of_dsmr_2_is_read_in_full(shared: Path) -> None:
    payload = (shared / "data/payloads/dsmr-p1/TELEGRAM_V2_2.txt").read_bytes()

    decoded = dsmr.decode(payload, HINTS, 0)

    assert values(decoded) == {
        "1-0:1.8.1": (1.001, "kW.h"), "1-0:1.8.2": (1.001, "kW.h"),
        "1-0:2.8.1": (1.001, "kW.h"), "1-0:2.8.2": (1.001, "kW.h"),
        "1-0:1.7.0": (1.01, "kW"), "1-0:2.7.0": (0.0, "kW"), "0-1:24.2.1": (1.001, "m3"),
    }  # fmt: skip
    assert [one.time_us for one in decoded.readings] == [None] * 6 + [1_478_541_600_000_000]
    assert decoded.refusals == []


@pytest.mark.parametrize("name", ["TELEGRAM_V2_2", "TELEGRAM_V4_2"])
def test_no_number_of_a_meter_stands_in_anything_decoded(shared: Path, name: str) -> None:
    payload = (shared / f"data/payloads/dsmr-p1/{name}.txt").read_bytes()

    said = repr(dsmr.decode(payload, HINTS, 0))

    assert "96.1." not in said
    assert "3960221976967177082151037881335713" not in said
    assert "4819243993373755377509728609491464" not in said


def test_a_changed_bit_anywhere_is_noticed(shared: Path) -> None:
    payload = (shared / "data/payloads/dsmr-p1/TELEGRAM_V4_2.txt").read_bytes()

    for place in range(payload.index(b"!")):
        damaged = bytearray(payload)
        damaged[place] ^= 1
        with pytest.raises(Undecodable) as refused:
            dsmr.decode(bytes(damaged), HINTS, 0)
        assert refused.value.reason is Reason.BAD_PAYLOAD


def test_telegrams_are_recognised_and_nothing_else(shared: Path) -> None:
    assert dsmr.fits("p1/x", telegram(list(LINES), True))
    assert not dsmr.fits("p1/x", b"/usr/bin\n!")
    for folder in ("tasmota", "shelly", "zigbee2mqtt", "sparkplug-b", "senml", "ngsi"):
        for file in (shared / "data/payloads" / folder).iterdir():
            assert not dsmr.fits("t", file.read_bytes())


def test_a_very_long_telegram_costs_linear_time() -> None:
    lines = [b"1-0:1.8.1(001581.123*kWh)", b"(" * 60, b"1-0:1.8.1" + b"()" * 30] * 3_000

    decoded = dsmr.decode(telegram(lines, False), HINTS, 0)

    assert [one.flag for one in decoded.readings] == [9] * 3_000
    assert [one.reason for one in decoded.refusals] == [Reason.BAD_VALUE] * 3_000


def test_digits_of_other_scripts_are_no_number():
    decoded = dsmr.decode(telegram([b"1-0:1.8.1(\xb2*kWh)"], False), HINTS, 0)

    assert [(one.field, one.reason) for one in decoded.refusals] == [
        ("1-0:1.8.1", Reason.BAD_VALUE)
    ]


MUTATED = st.lists(
    st.sampled_from(LINES)
    | st.binary(max_size=40)
    | st.builds(
        lambda code, value: code + b"(" + value + b")",
        st.sampled_from([b"1-0:1.8.1", b"0-1:24.2.1", b"0-1:24.3.0", b"1-0:1.6.0", b"0-0:1.0.0"]),
        st.binary(max_size=30)
        | st.sampled_from(
            [b"1e999*kW", b"nan", b"9" * 400, b"-1*kWh", b"1_0", b"\xb2*kW", b"161113205757W)(",
             b"991313256161W)(1*m3", b"000000000000S)(1", b"1*" + b"k" * 300]
        ),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=500)
@given(lines=MUTATED, checked=st.booleans(), cut=st.integers(0, 60))
def test_no_telegram_breaks_the_decoder(lines: list[bytes], checked: bool, cut: int) -> None:
    whole = telegram(lines, checked)
    dsmr.fits("t", whole)
    try:
        decoded = dsmr.decode(whole[: len(whole) - cut], HINTS, 0)
    except Undecodable:
        return
    for reading in (*decoded.readings, *decoded.offered):
        assert reading.sensor == "meter-1"
        assert math.isfinite(reading.value) or reading.flag == 9
        assert reading.time_us is None or abs(reading.time_us) < 2**62
    assert all(refusal.field and refusal.detail for refusal in decoded.refusals)
