"""From the unit sent to the unit kept."""

from __future__ import annotations

import time
from functools import cache

import pint
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.catalogue import METRICS
from storage.gases import MOLAR_MASS, Reference
from storage.spellings import DEFINITIONS, LONE, SPELLINGS, WANTED
from storage.units import UnitError, check_unit, conversion

READ = sorted(
    {*SPELLINGS, *LONE, "kW.h", "W.h/m2", "m3/h", "ug/m3", "mg/m3", "L.min-1", "hPa", "mm/h", "km"}
)
"""Units enough to meet one another."""


@pytest.mark.parametrize(
    ("sent", "canonical", "value", "kept"),
    [
        ("[degF]", "Cel", 212, 100),
        ("degF", "Cel", -40, -40),
        ("K", "Cel", 273.15, 0),
        ("Cel", "K", 20, 293.15),
        ("°C", "Cel", 21.5, 21.5),
        ("W.h", "kW.h", 2500, 2.5),
        ("Wh", "kW.h", 2500, 2.5),
        ("MW.h", "kW.h", 1.5, 1500),
        ("W.min", "W.h", 3000, 50),
        ("J", "W.h", 3600, 1),
        ("mph", "km/h", 100, 160.9344),
        ("[kn_i]", "m/s", 10, 5.14444),
        ("kPa", "hPa", 101.3, 1013),
        ("mbar", "hPa", 1013, 1013),
        ("Pa", "hPa", 101300, 1013),
        ("mm[Hg]", "hPa", 760, 1013.25),
        ("µg/m³", "ug/m3", 12, 12),
        ("mg/m3", "ug/m3", 1, 1000),
        ("ng/m3", "ug/m3", 1000, 1),
        ("MW", "kW", 54.6, 54600),
        ("km/h", "m/s", 36, 10),
        ("therm", "kW.h", 1, 29.3071),
        ("/", "%", 0.25, 25),
        ("1", "%", 0.25, 25),
        ("/100", "1", 50, 0.5),
        ("/1000", "1", 50, 0.05),
        ("ppm", "1", 1e6, 1),
        ("[ppb]", "[ppm]", 400, 0.4),
        ("%RH", "%", 40, 40),
        ("L", "m3", 1500, 1.5),
        ("l/min", "m3/h", 1000, 60),
        ("dB(A)", "dB", 55, 55),
        ("B[SPL]", "dB", 5.5, 55),
        ("dBW", "dBm", 0, 30),
        ("dBm", "dBW", -60, -90),
        ("m3/h", "m3/s", 7200, 2),
        ("L.min-1", "m3/h", 1000, 60),
        ("kWh", "kW.h", 3, 3),
        ("W/m^2", "W/m2", 3, 3),
        ("VA", "kV.A", 500, 0.5),
        ("kvar.h", "var.h", 1.5, 1500),
        ("kvarh", "kvar.h", 2, 2),
        ("VAs", "kVA.h", 3.6e6, 1),
        ("mA", "A", 250, 0.25),
        ("mV", "V", 230000, 230),
        ("A.h", "C", 1, 3600),
        ("mm/h", "m/s", 3.6e6, 1),
        ("l/m2", "mm", 3.5, 3.5),
        ("dm", "mm", 1, 100),
        ("lx", "klx", 1000, 1),
        ("1/min", "h-1", 10, 600),
        ("veh/h", "h-1", 840, 840),
        ("{vehicle}/h", "h-1", 840, 840),
        ("beat/min", "1/s", 60, 1),
        ("min", "s", 2.5, 150),
        ("h", "s", 2, 7200),
        ("d", "h", 2, 48),
        ("lat", "deg", 48.85, 48.85),
        ("rad", "deg", 3.141592653589793, 180),
        ("MB/s", "Mbit/s", 1, 8),
        ("KiB", "B", 1, 1024),
        ("Ohm", "kOhm", 1000, 1),
        ("uS/cm", "S/m", 10000, 1),
        ("kW.h/m2", "W.h/m2", 0.3, 300),
        ("W/m2/K", "W.m-2.K-1", 3, 3),
        ("Cel/h", "K/h", 3, 3),
        ("kg/m3", "g/L", 1, 1),
        ("MJ", "kW.h", 3.6, 1),
        ("W{active}", "kW", 1500, 1.5),
    ],
)
def test_a_value_is_converted(sent: str, canonical: str, value: float, kept: float):
    scale, shift = conversion(sent, canonical)

    assert value * scale + shift == pytest.approx(kept, rel=1e-5)


SENML = (
    # RFC 8428, 12.1
    "m kg g s A K cd mol Hz rad sr N Pa J W C V F Ohm S Wb T H Cel lm lx Bq Gy Sv kat m2 m3 l m/s"
    " m/s2 m3/s l/s W/m2 cd/m2 bit bit/s lat lon pH dB dBW Bspl count / % %RH %EL EL 1/s 1/min"
    " beat/min beats S/m"
    # RFC 8798, 3 and 4, and what the registry took up since
    " B VA VAs var vars J/m kg/m3 deg NTU ms min h MHz kW kVA kvar Ah Wh kWh varh kvarh kVAh Wh/km"
    " KiB GB Mbit/s B/s MB/s mV mA dBm ug/m3 mm/h m/h ppm /100 /1000 hPa mm cm km km/h ppb ppt VAh"
)


@pytest.mark.parametrize("unit", SENML.split())
def test_every_unit_of_the_senml_registry_can_be_read(unit: str):
    check_unit(unit)


UCUM_AND_TRADE = (
    "ug/m3 mg/m3 [ppb] [ppm] [ppth] Cel K [degF] % 1 {count} m/s km/h [kn_i] [mi_i]/h Pa hPa kPa"
    " bar mbar mm[Hg] [in_i'Hg] m3 m3/h L L/min l/min l/h dm3 W kW MW W.h kW.h MW.h GW.h J kJ MJ"
    " GJ W.min V.A kV.A VA var kvar var.h kvar.h V A mA Hz deg dB dB[SPL] dBm lx cd lm mm mm/h l/m2"
    " cm [in_i] [ft_i] s min h d W/m2 kg g t [therm] [Btu] cal [gal_us] [psi] uS/cm Bq/m3 m-1 h-1"
    " veh/h uSv/h nSv/h"
)


@pytest.mark.parametrize("unit", UCUM_AND_TRADE.split())
def test_the_units_of_the_trades_can_be_read(unit: str):
    check_unit(unit)


@pytest.mark.parametrize(
    ("sent", "canonical", "metric", "value", "kept"),
    [
        ("[ppb]", "ug/m3", "no2", 40, 76.520),
        ("ppb", "ug/m3", "o3", 100, 199.587),
        ("ppm", "mg/m3", "co", 1, 1.16472),
        ("ppb", "mg/m3", "co", 1000, 1.16472),
        ("[ppb]", "ug/m3", "no", 1, 1.24772),
        ("nmol/mol", "ug/m3", "so2", 1, 2.66392),
        # 20 ppb of NO and 15 ppb of NO2, as nitrogen dioxide
        ("[ppb]", "ug/m3", "nox", 35, 66.955),
        ("ppm", "ug/m3", "no2", 0.04, 76.520),
        ("%", "ug/m3", "no2", 4e-6, 76.520),
        ("ug/m3", "[ppb]", "no2", 76.520, 40),
        ("mg/m3", "[ppm]", "co2", 1830, 1000.0),
        ("[ppb]", "[ppm]", "co2", 420000, 420),
        ("ppb", "ug/m3", "benzene", 1, 3.24806),
    ],
)
def test_shares_of_a_gas_become_masses_at_293_k(
    sent: str, canonical: str, metric: str, value: float, kept: float
):
    scale, shift = conversion(sent, canonical, metric)

    assert (value * scale, shift) == (pytest.approx(kept, rel=2e-5), 0)


def test_the_usual_american_factor_needs_its_own_temperature():
    scale, _ = conversion("[ppb]", "ug/m3", "no2", Reference(298.15, 101.325))

    assert scale == pytest.approx(1.8804, abs=1e-4)


def test_a_mass_meant_at_25_degrees_is_restated_at_293_k():
    # The same air, 40 ppb of nitrogen dioxide, said in both ways.
    at_25 = 40 * conversion("[ppb]", "ug/m3", "no2", Reference(298.15))[0]

    scale, _ = conversion("ug/m3@25Cel", "ug/m3", "no2")

    assert scale == pytest.approx(298.15 / 293)
    assert at_25 * scale == pytest.approx(76.520, abs=1e-3)
    assert conversion("mg/m3@298.15K", "ug/m3", "no2")[0] == pytest.approx(1000 * scale)


def test_a_pressure_may_follow_the_temperature():
    assert conversion("ug/m3@0Cel@1013.25hPa", "ug/m3", "o3")[0] == pytest.approx(
        273.15 / 293 * 1013 / 1013.25
    )
    assert conversion("ug/m3@293K@101.3kPa", "ug/m3", "o3") == (1.0, 0.0)


@pytest.mark.parametrize(
    ("sent", "metric", "told"),
    [
        ("[ppb]@25Cel", "no2", "only the mass of a gas per volume is meant at a temperature"),
        ("ug/m3@25Cel", "pm10", "only the mass of a gas per volume is meant at a temperature"),
        ("ug/m3@warm", "no2", "a temperature is written like 'ug/m3@25Cel'"),
        ("ug/m3@25", "no2", "a temperature is written like 'ug/m3@25Cel'"),
        ("ug/m3@900Cel", "no2", "no air is measured at 900Cel"),
        ("ug/m3@25Cel@1013kPa", "no2", "no air is measured at 25Cel@1013kPa"),
        ("[ppb]", "pm10", "unless the metric is a gas of known molar mass"),
        ("1", "no2", "'1' does not measure the same thing as 'ug/m3'"),
        ("count", "no2", "'count' does not measure the same thing as 'ug/m3'"),
        ("%RH", "no2", "'%RH' does not measure the same thing as 'ug/m3'"),
    ],
)
def test_what_is_no_gas_becomes_no_mass(sent: str, metric: str, told: str):
    with pytest.raises(UnitError) as caught:
        conversion(sent, "ug/m3", metric)

    assert told in str(caught.value)


def test_a_metric_is_kept_at_no_temperature_of_its_own():
    with pytest.raises(UnitError, match=r"gases are kept at 293 K and 101\.3 kPa"):
        check_unit("ug/m3@25Cel")


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("Cel", "ug/m3"),
        ("VA", "kW"),
        ("kvar.h", "kW.h"),
        ("VAh", "kvar.h"),
        ("dBm", "dB"),
        ("dB", "1"),
        ("deg", "1"),
        ("1", "deg"),
        ("rad/s", "Hz"),
        ("B", "1"),
        ("W", "kW.h"),
        ("W.h", "kW"),
        ("m3/h", "m3"),
        ("mm/h", "mm"),
        ("lm", "lx"),
        ("A", "V"),
        ("pH", "1"),
    ],
)
def test_units_of_different_things_are_told_apart(sent: str, canonical: str):
    with pytest.raises(UnitError, match="does not measure the same thing as"):
        conversion(sent, canonical)


@pytest.mark.parametrize(
    ("sent", "canonical", "told"),
    [
        ("C", "Cel", "for degrees Celsius write 'Cel'"),
        ("F", "Cel", r"for degrees Fahrenheit write '\[degF\]'"),
        ("KW", "kW", "for kilowatts write 'kW'"),
        ("HPA", "hPa", "for hectopascals write 'hPa'"),
        ("flurbs", "kW", "write it like 'ug/m3', 'kW.h' or 'Cel'"),
    ],
)
def test_a_unit_often_misspelt_is_told_with_what_is_meant(sent: str, canonical: str, told: str):
    with pytest.raises(UnitError, match=told):
        conversion(sent, canonical)


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
        "12",
        "1.5",
        ".",
        "//",
        "m/",
        "m..s",
        "{}{}",
        "²",
        "2",
        "{a}2",
        "__import__('os')",
        "nan",
        "inf",
    ],
)
def test_an_odd_unit_is_an_error_of_ours(odd: str):
    with pytest.raises(UnitError, match=r"cannot be read|does not measure"):
        conversion(odd, "kW")


def test_every_canonical_unit_of_the_catalogue_can_be_read():
    for metric in METRICS:
        check_unit(metric.unit)
        assert conversion(metric.unit, metric.unit) == (1.0, 0.0)
        with pytest.raises(UnitError):
            conversion("mol", metric.unit)


def test_every_gas_of_the_catalogue_has_a_molar_mass():
    gases = {"no2", "no", "nox", "o3", "so2", "co"}

    assert gases <= {metric.name for metric in METRICS} & set(MOLAR_MASS)


def test_what_is_added_replaces_none_of_the_librarys_own_units(caplog: pytest.LogCaptureFixture):
    registry = pint.UnitRegistry(cache_folder=None)
    for definition in DEFINITIONS:
        registry.define(definition)

    assert [record.getMessage() for record in caplog.records] == []


def test_every_spelling_can_be_read_and_what_is_often_misspelt_has_a_real_remedy():
    for unit in (*SPELLINGS, *LONE, *(written for _, written in WANTED.values())):
        check_unit(unit)


@cache
def fitting(sent: str, metric: str) -> list[str]:
    """The units of `READ` that measure the same."""

    def fits(canonical: str) -> bool:
        try:
            conversion(sent, canonical, metric)
        except UnitError:
            return False
        return True

    return [canonical for canonical in READ if fits(canonical)]


@settings(max_examples=300, deadline=None)
@given(
    st.data(), st.sampled_from(READ), st.sampled_from(["", "no2", "co", "co2"]),
    st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) > 1e-200),
)  # fmt: skip
def test_there_and_back_again_is_where_it_began(
    data: st.DataObject, sent: str, metric: str, value: float
):
    canonical = data.draw(st.sampled_from(fitting(sent, metric)))
    scale, shift = conversion(sent, canonical, metric)
    back, from_back = conversion(canonical, sent, metric)

    kept = value * scale + shift
    # As exact as the largest number on the way allows.
    size = abs(value) + abs(shift / scale)
    assert kept * back + from_back == pytest.approx(value, rel=1e-9, abs=1e-12 * size)


def test_a_unit_fits_what_measures_the_same_and_nothing_else():
    assert set(fitting("Cel", "")) == set(fitting("K", "")) >= {"degF", "°C"}
    assert set(fitting("VA", "")).isdisjoint(fitting("kvar", ""))
    assert set(fitting("[ppb]", "no2")) > set(fitting("[ppb]", "")) >= {"ppm", "/1000", "1"}
    assert "ug/m3" in fitting("[ppb]", "no2")
    assert "ug/m3" not in fitting("[ppb]", "")


_WORDS = st.sampled_from(
    [*READ, "m", "W", "h", "k", "µ", ".", "/", "*", "·", "^", "2", "-9", "{x}", "[", ")", "@", "@25Cel",
     " ", "\n", "1", "0", "e", "nan", "°", "²", "((", "**", "delta_", "_"]
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(
    st.one_of(st.text(max_size=60), st.lists(_WORDS, max_size=30).map("".join)),
    st.sampled_from(["kW", "ug/m3", "Cel", "1", "%", "dB"]),
)
def test_any_text_is_a_unit_or_an_error_of_ours_and_at_once(text: str, canonical: str):
    conversion("W", "kW")  # who reads the first unit also loads the library
    began = time.perf_counter()
    try:
        scale, _ = conversion(text, canonical, "no2")
    except UnitError as error:
        told = str(error)
    else:
        told = "" if scale > 0 else "no scale"
    assert told != "no scale"
    assert "\n" not in told
    assert len(told) < 300
    assert time.perf_counter() - began < 0.5


def test_a_million_letters_are_refused_as_fast_as_ten():
    began = time.perf_counter()
    for unit in ("k" * 1_000_000, "m." * 500_000, "@" * 1_000_000, "{" * 1_000_000):
        with pytest.raises(UnitError) as caught:
            conversion(unit, "kW")
        assert len(str(caught.value)) < 300
    assert time.perf_counter() - began < 0.5
