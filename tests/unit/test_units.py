"""From the unit sent to the unit kept."""

from __future__ import annotations

import pytest

from storage.catalogue import METRICS
from storage.units import UnitError, conversion


@pytest.mark.parametrize(
    ("sent", "canonical", "value", "kept"),
    [
        ("[degF]", "Cel", 212, 100),
        ("degF", "Cel", -40, -40),
        ("W.h", "kW.h", 2500, 2.5),
        ("Wh", "kW.h", 2500, 2.5),
        ("mph", "km/h", 100, 160.9344),
        ("kPa", "hPa", 101.3, 1013),
        ("µg/m³", "ug/m3", 12, 12),
        ("mg/m3", "ug/m3", 1, 1000),
        ("MW", "kW", 54.6, 54600),
        ("km/h", "m/s", 36, 10),
        ("therm", "kW.h", 1, 29.3071),
        ("/", "%", 0.25, 25),
        ("L", "m3", 1500, 1.5),
        ("dB(A)", "dB", 55, 55),
        ("m3/h", "m3/s", 7200, 2),
        ("L.min-1", "m3/h", 1000, 60),
        ("kWh", "kW.h", 3, 3),
    ],
)
def test_a_value_is_converted(sent: str, canonical: str, value: float, kept: float):
    scale, shift = conversion(sent, canonical)

    assert value * scale + shift == pytest.approx(kept, rel=1e-5)


def test_units_of_different_things_are_told_apart():
    with pytest.raises(UnitError, match="'Cel' does not measure the same thing as 'ug/m3'"):
        conversion("Cel", "ug/m3")


@pytest.mark.parametrize(
    "odd",
    [
        "((",
        "9**9**9**9",
        "m**9**9",
        "2**3000000000",
        "m9.m9^9",
        "k" * 50,
        "no unit",
        "\x00",
        "m^^2",
        "1/0",
        "µ",
        "__import__('os')",
    ],
)
def test_an_odd_unit_is_an_error_of_ours(odd: str):
    with pytest.raises(UnitError, match=r"cannot be read|does not measure"):
        conversion(odd, "kW")


def test_every_canonical_unit_of_the_catalogue_can_be_read():
    for metric in METRICS:
        # Through a spelling with a prefix or the unit itself under another name.
        assert conversion(metric.unit, metric.unit) == (1.0, 0.0)
        with pytest.raises(UnitError):
            conversion("mol" if metric.unit != "mol" else "m", metric.unit)
