"""The numbers that a researcher made of the same files, met by rollups and by indicators."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pytest

from processors import sketch
from tests.acceptance.replayed import City, sketches_of

_NO2 = ("FR04014", "London Westminster", "BETR801")
_AIR = ("no2", "o3", "so2", "pm10", "pm2.5")
_AIR_ROLLUPS = (
    "valid_hours",
    "capture_pct",
    "annual_mean",
    "max_hour",
    "valid_days_18h",
    "max_daily_mean",
)

ROLLUPS = (
    *(f"openaq_no2_{s}.{key}" for s in _NO2 for key in (
        "hours", "first", "last", "valid_utc_days_18h", "max_hour", "max_daily_mean", "day_of_max")),
    *(f"valencia_2022.{metric}.{key}" for metric in _AIR for key in _AIR_ROLLUPS),
    *(f"valencia_2022.wind_2022-01-15.{key}" for key in (
        "n", "unit_vector_mean_deg", "R", "scalar_mean_speed")),
    *(f"rte_2017.{key}" for key in (
        "energy_TWh", "mean_MW", "peak_MW", "peak_at", "load_factor", "min_MW",
        "median_of_daily_min_MW")),
    *(f"fremont_2016.{key}" for key in (
        "rows", "missing_rows", "total", "simple_mean_day", "max_day", "max_day_date",
        "total_2016-03-13", "total_2016-11-06", "max_hour")),
    *(f"montreal_2012_hdd18.{key}" for key in (
        "days", "2012-06-15.tmin", "2012-06-15.tmax")),
    *(f"{name}.{key}" for name in ("occupancy_6005", "speed_6005") for key in (
        "n", "mean", "dup_ts")),
)  # fmt: skip
"""Numbers of expected.json that follow from rollups alone (Fremont's rows and missing rows from
the reading of the file): all are met below."""

WITHIN_ONE_PERCENT = ("rte_2017.p5_MW_linear", "occupancy_6005.p85_lower", "speed_6005.p85_lower")
"""Percentiles, which sketches know to 1 %."""

_LIMITS = {
    "no2.days_over_50_rounded": "eu2030_no2_day",
    "no2.hours_over_200": "eu2008_no2_hour",
    "o3.mda8_days_over_120": "eu2008_o3_8h",
    "o3.mda8_days_over_100": "eu2030_o3_8h_long_term",
    "pm10.days_over_50_rounded": "eu2008_pm10_day",
    "pm10.days_over_45_rounded": "eu2030_pm10_day",
    "pm2.5.days_over_25_rounded": "eu2030_pm25_day",
}
"""Which limit each counter is about."""

INDICATORS = (
    *(f"valencia_2022.{key}" for key in _LIMITS),
    "valencia_2022.o3.mda8_valid_days", "valencia_2022.o3.mda8_max",
    "valencia_2022.co.mda8_max_mg",
    "valencia_2022.eaqi_revised_hourly_any_pollutant", "valencia_2022.atmo_daily_all5_valid",
    "valencia_2022.wind_2022-01-15.speed_weighted_deg",
    "fremont_2016.AADT_AASHTO_84",
    "montreal_2012_hdd18.jan_meteo",
    "montreal_2012_hdd18.2012-06-15.meteo", "montreal_2012_hdd18.2012-06-15.costic",
)  # fmt: skip
"""Numbers that are figures of indicators, read from the database below."""

KERNELS = (
    "fremont_2016.weekday_peak_hour_by_mean", "fremont_2016.K_max_hour_over_AADT",
    "montreal_2012_hdd18.meteo_minmax", "montreal_2012_hdd18.costic",
    "montreal_2012_hdd18.daily_mean_of_hours",
    *(f"{name}.{key}" for name in ("occupancy_6005", "speed_6005")
      for key in ("twa_locf", "twa_linear", "span_s", "p85_linear")),
    "il_energy_signature_365d_before_2016-12-26",
)  # fmt: skip
"""Numbers of single readings, of the sum of two counters that are no road, of days without summer
time, or with prescribed parameters: the kernels are tested for them on the same files."""

NO_ROLLUP = ("valencia_2022.wind_2022-01-15.naive_arithmetic_deg", "tic_delta", "_definitions")
"""What is there to be avoided, of other data, or prose."""


@pytest.fixture(scope="module")
def expected(shared: Path) -> dict[str, Any]:
    return dict(json.loads((shared / "data" / "expected.json").read_text("utf-8")))


def _look_up(expected: dict[str, Any], path: str) -> Any:
    """Keys may hold dots themselves: pm2.5."""
    if path in expected:
        return expected[path]
    head = next(key for key in expected if path.startswith(f"{key}."))
    return _look_up(expected[head], path[len(head) + 1 :])


def _leaves(expected: dict[str, Any], above: str = "") -> Iterator[str]:
    known = {*ROLLUPS, *WITHIN_ONE_PERCENT, *INDICATORS, *KERNELS, *NO_ROLLUP}
    for key, value in expected.items():
        path = above + key
        if isinstance(value, dict) and path not in known:
            yield from _leaves(value, f"{path}.")
        else:
            yield path


def test_every_expected_number_is_a_rollup_an_indicator_or_neither(expected: dict[str, Any]):
    known = [*ROLLUPS, *WITHIN_ONE_PERCENT, *INDICATORS, *KERNELS, *NO_ROLLUP]
    assert sorted(_leaves(expected)) == sorted(known)


@pytest.mark.parametrize("path", ROLLUPS)
def test_the_researchers_number_is_met(city: City, expected: dict[str, Any], path: str):
    wanted, found = _look_up(expected, path), _number(city, path)

    if isinstance(wanted, str):
        assert str(found).startswith(wanted)
    else:
        # As far as it is printed.
        decimals = len(f"{wanted}".partition(".")[2])
        assert found == pytest.approx(wanted, rel=0, abs=0.5000001 * 10.0**-decimals)


@pytest.mark.parametrize("path", WITHIN_ONE_PERCENT)
def test_the_researchers_percentile_is_met_within_one_percent(
    city: City, expected: dict[str, Any], path: str
):
    hours, q, scale = {
        "rte_2017.p5_MW_linear": (_rte_2017(city), 0.05, 1000.0),
        "occupancy_6005.p85_lower": (city.rolled("h", "occupancy_6005", "occupancy"), 0.85, 1.0),
        "speed_6005.p85_lower": (city.rolled("h", "speed_6005", "speed"), 0.85, 1.609344),
    }[path]
    whole = sketch.merge(sketches_of(hours), np.zeros(len(hours), np.intp), 1)

    found = sketch.quantile(whole, np.array([q]))[0, 0] / scale

    assert found == pytest.approx(_look_up(expected, path), rel=0.01)


def _number(city: City, path: str) -> Any:
    """A number of expected.json, from rollups alone."""
    head, _, key = path.partition(".")
    if head.startswith("openaq_no2_"):
        return _of_station(city.rolled("h", head.removeprefix("openaq_no2_"), "no2"))[key]
    if head == "valencia_2022":
        return _of_valencia(city, key)
    if head == "rte_2017":
        return _of_rte(city)[key]
    if head == "fremont_2016":
        return _of_fremont(city)[key]
    if head == "montreal_2012_hdd18":
        return _of_montreal(city)[key]
    return _of_loop(city, head)[key]


def _mean(rows: pd.DataFrame) -> float:
    return float(rows["sum"].sum() / (rows.good + rows.suspect).sum())


def _by_utc_day(hours: pd.DataFrame) -> pd.DataFrame:
    """Hours combined to UTC days that have 18 of them."""
    days = hours.groupby(hours.start.dt.floor("D"))[["sum", "good", "suspect"]].sum()
    days = days[days.good + days.suspect >= 18]
    return days.assign(mean=days["sum"] / (days.good + days.suspect))


def _of_station(hours: pd.DataFrame) -> dict[str, Any]:
    days = _by_utc_day(hours)
    return {
        "hours": int(hours.received.sum()),
        "first": hours.start.min(),
        "last": hours.start.max(),
        "valid_utc_days_18h": len(days),
        "max_hour": hours["max"].max(),
        "max_daily_mean": days["mean"].max(),
        "day_of_max": days["mean"].idxmax(),
    }


def _of_valencia(city: City, key: str) -> Any:
    if key.startswith("wind_2022-01-15."):
        day = pd.Timestamp("2022-01-15T00:00Z")
        wind, speed = (
            next(rows[rows.start == day].itertuples())
            for rows in (
                city.rolled("D", "valencia-air", m) for m in ("wind_direction", "wind_speed")
            )
        )
        return {
            "n": wind.good + wind.suspect,
            "unit_vector_mean_deg": np.degrees(np.arctan2(wind.y, wind.x)) % 360,
            "R": np.hypot(wind.x, wind.y) / (wind.good + wind.suspect),
            "scalar_mean_speed": speed.sum / (speed.good + speed.suspect),
        }[key.rpartition(".")[2]]
    metric, _, what = key.rpartition(".")
    hours, days = (
        city.rolled(length, "valencia-air", metric.replace(".", "")) for length in ("h", "D")
    )
    days = days[days.good + days.suspect >= 18]
    return {
        "valid_hours": hours.received.sum(),
        "capture_pct": 100 * hours.received.sum() / 8760,
        "annual_mean": _mean(hours),
        "max_hour": hours["max"].max(),
        "valid_days_18h": len(days),
        "max_daily_mean": (days["sum"] / (days.good + days.suspect)).max(),
    }[what]


def _rte_2017(city: City) -> pd.DataFrame:
    hours = city.rolled("h", "rte-load", "power")
    return hours[hours.start < pd.Timestamp("2018-01-01T00:00Z")]


def _of_rte(city: City) -> dict[str, Any]:
    """Hourly means in kW; an hour of 1 kW is 1 kWh."""
    hours = _rte_2017(city)
    days = city.rolled("D", "rte-load", "power")
    days = days[days.start < pd.Timestamp("2018-01-01T00:00Z")]
    return {
        "energy_TWh": hours["sum"].sum() / 1e9,
        "mean_MW": _mean(hours) / 1e3,
        "peak_MW": hours["max"].max() / 1e3,
        "peak_at": hours.start[hours["max"].idxmax()],
        "load_factor": _mean(hours) / hours["max"].max(),
        "min_MW": hours["min"].min() / 1e3,
        "median_of_daily_min_MW": days["min"].median() / 1e3,
    }


def _of_fremont(city: City) -> dict[str, Any]:
    """Both sidewalks together; days by the local date of their start."""
    hours, days = (
        pd.concat([city.rolled(length, f"fremont-{side}", "bikes") for side in ("east", "west")])
        for length in ("h", "D")
    )
    both, total = (part.groupby("start")["sum"].sum() for part in (hours, days))
    total.index = total.index.tz_convert("America/Los_Angeles").strftime("%Y-%m-%d")
    (recording,) = city.recordings["seattle"]
    return {
        "rows": recording.rows,
        "missing_rows": int(recording.missing.max()),
        "total": both.sum(),
        "simple_mean_day": total.mean(),
        "max_day": total.max(),
        "max_day_date": total.idxmax(),
        "total_2016-03-13": total["2016-03-13"],
        "total_2016-11-06": total["2016-11-06"],
        "max_hour": both.max(),
    }


def _of_montreal(city: City) -> dict[str, Any]:
    days = city.rolled("D", "montreal-weather", "temperature")
    june = days[days.start == pd.Timestamp("2012-06-15", tz="America/Toronto")].iloc[0]
    return {"days": len(days), "2012-06-15.tmin": june["min"], "2012-06-15.tmax": june["max"]}


def _of_loop(city: City, name: str) -> dict[str, Any]:
    metric, scale = {"occupancy_6005": ("occupancy", 1.0), "speed_6005": ("speed", 1.609344)}[name]
    hours = city.rolled("h", name, metric)
    return {
        "n": hours.received.sum(),
        "mean": _mean(hours) / scale,
        "dup_ts": city.ledger.duplicate[name],
    }


# Indicators ---------------------------------------------------------------------


@pytest.mark.parametrize("path", INDICATORS)
def test_the_researchers_number_is_a_figure(
    connection_of_city: psycopg.Connection, expected: dict[str, Any], path: str
):
    wanted, found = _look_up(expected, path), _figure(connection_of_city, path)

    if isinstance(wanted, dict):
        assert found == wanted
    else:
        decimals = len(f"{wanted}".partition(".")[2])
        assert found == pytest.approx(wanted, rel=0, abs=0.5000001 * 10.0**-decimals)


def _figure(connection: psycopg.Connection, path: str) -> Any:
    """A number of expected.json, from the figures of the recorded cities."""
    head, _, key = path.partition(".")
    if head == "valencia_2022":
        return _figure_of_valencia(connection, key)
    if head == "fremont_2016":
        return _one(
            connection,
            "SELECT value FROM mobility.figures WHERE indicator = %s AND site = 'fremont-bridge'",
            "site_aadt_bikes",
        )
    return _figure_of_montreal(connection, key)


def _figure_of_valencia(connection: psycopg.Connection, key: str) -> Any:
    here = "FROM air.figures WHERE territory = '46250' AND indicator = %s AND start >= '2022-01-01Z' AND start < '2023-01-01Z'"
    if key in _LIMITS:
        return _one(connection, f"SELECT value {here}", _LIMITS[key])
    if key == "eaqi_revised_hourly_any_pollutant":
        return _classes(connection, f"SELECT value, count(*) {here} GROUP BY 1", "eaqi")
    if key == "atmo_daily_all5_valid":
        whole = f"SELECT value, count(*) {here} AND status = 'complete' GROUP BY 1"
        return _classes(connection, whole, "atmo_site")
    if key == "wind_2022-01-15.speed_weighted_deg":
        day = f"SELECT value {here} AND start = '2022-01-15Z'"
        return _one(connection, day, "wind_day_direction")
    what = "count(value)" if key.endswith("valid_days") else "max(value)"
    name = "co_day_max_8h" if key.startswith("co.") else "air_day_max_8h"
    return _one(connection, f"SELECT {what} {here} AND metric = %s", name, key.partition(".")[0])


def _figure_of_montreal(connection: psycopg.Connection, key: str) -> Any:
    here = (
        "FROM energy.figures WHERE sensor = 'montreal-weather' AND indicator = %s"
        " AND start >= '2012-01-01 05:00Z' AND start < '2013-01-01 05:00Z'"
    )
    name = "heating_degree_days_costic" if key.endswith("costic") else "heating_degree_days"
    if key == "jan_meteo":
        return _one(connection, f"SELECT sum(value) {here} AND start < '2012-02-01 05:00Z'", name)
    day = f"SELECT value {here} AND start = '{key.partition('.')[0]} 00:00 America/Toronto'"
    return _one(connection, day, name)


def _one(connection: psycopg.Connection, query: str, *parameters: str) -> float:
    (row,) = connection.execute(query.encode(), parameters).fetchall()
    return float(row[0])


def _classes(connection: psycopg.Connection, query: str, name: str) -> dict[str, int]:
    return {str(int(value)): n for value, n in connection.execute(query.encode(), [name])}
