"""Recorded stations, read from the files and computed by the kernels, in the clock of the files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from processors.air import atmo, eaqi
from processors.air.capture import captured_mean
from processors.air.rounding import half_up
from processors.air.running import daily_maximum, running_mean
from processors.air.worst import worst
from storage.indicators.air import INDEX_POLLUTANTS

COLUMNS = {"no2": "no2", "o3": "o3", "so2": "so2", "pm10": "pm10", "pm25": "pm2.5", "co": "co"}


@pytest.fixture(scope="module")
def expected(shared: Path) -> dict[str, Any]:
    """Numbers computed from the files beside, with pandas."""
    found: dict[str, Any] = json.loads((shared / "data/expected.json").read_text())
    return found


@pytest.fixture(scope="module")
def valencia(shared: Path) -> dict[str, np.ndarray]:
    """Hourly means of 2022 by pollutant, 8760 each."""
    file = shared / "data/valencia-air-2022/air_quality_valencia_2022.csv"
    table = pd.read_csv(file, parse_dates=["datetime"]).set_index("datetime")
    table = table.reindex(pd.date_range("2022-01-01", "2022-12-31 23:00", freq="h"))
    return {name: table[column].to_numpy(np.float64) for name, column in COLUMNS.items()}


def by_day(hours: np.ndarray) -> np.ndarray:
    return hours.reshape(-1, 24)


@pytest.mark.parametrize("name", ["no2", "o3", "so2", "pm10", "pm25"])
def test_valid_days_and_the_highest_daily_mean(valencia, expected, name):
    told = expected["valencia_2022"][COLUMNS[name]]
    mean, _ = captured_mean(by_day(valencia[name]), 24)

    assert np.isfinite(mean).sum() == told["valid_days_18h"]
    assert round(float(np.nanmax(mean)), 3) == told["max_daily_mean"]
    assert np.nanmax(daily_maximum(by_day(valencia[name]), 24)[3]) == told["max_hour"]
    for over in (25, 45, 50):
        if f"days_over_{over}_rounded" in told:
            assert (half_up(mean) > over).sum() == told[f"days_over_{over}_rounded"]


def test_348_days_have_a_maximum_8_hour_mean_of_ozone_and_the_highest_is_115_375(
    valencia, expected
):
    told = expected["valencia_2022"]["o3"]
    highest, *_ = daily_maximum(by_day(running_mean(valencia["o3"], 8)[0]), 24)

    assert np.isfinite(highest).sum() == told["mda8_valid_days"] == 348
    assert np.nanmax(highest) == told["mda8_max"] == 115.375
    assert (half_up(highest) > 120).sum() == told["mda8_days_over_120"]
    assert (half_up(highest) > 100).sum() == told["mda8_days_over_100"]


def test_the_highest_8_hour_mean_of_carbon_monoxide_is_0_3625_mg(valencia, expected):
    highest, *_ = daily_maximum(by_day(running_mean(valencia["co"], 8)[0]), 24)

    assert (
        np.nanmax(highest)
        == pytest.approx(0.3625)
        == expected["valencia_2022"]["co"]["mda8_max_mg"]
    )


def test_the_revised_european_index_of_every_hour_of_the_year(valencia, expected):
    hours = np.vstack([valencia[name] for name in INDEX_POLLUTANTS])
    what = np.arange(5)
    sub, *_ = eaqi.sub_index(hours, what, np.full(8760, 2, np.int16))

    found = worst(sub, np.zeros(5, np.intp), what, np.zeros(5, np.bool_), (1, 5))

    told = expected["valencia_2022"]["eaqi_revised_hourly_any_pollutant"]
    assert counted(found.index[0]) == told


def test_the_french_index_of_every_day_that_has_all_five(valencia, expected):
    hours = np.stack([by_day(valencia[name]) for name in INDEX_POLLUTANTS])
    sub, *_ = atmo.sub_index(hours, np.arange(5), np.full(365, 24))

    whole = np.isfinite(sub).all(axis=0)

    told = expected["valencia_2022"]["atmo_daily_all5_valid"]
    assert counted(sub.max(axis=0)[whole]) == told


@pytest.mark.parametrize("station", ["FR04014", "London Westminster", "BETR801"])
def test_days_of_paris_london_and_antwerp(shared: Path, expected, station: str):
    told = expected[f"openaq_no2_{station}"]
    file = shared / "data/openaq-paris-antwerp-london/air_quality_no2_long.csv"
    table = pd.read_csv(file, parse_dates=["date.utc"]).query("location == @station")
    value = table.set_index(table["date.utc"].dt.tz_localize(None))["value"].sort_index()
    days = pd.date_range(value.index[0].normalize(), value.index[-1].normalize(), freq="D")
    hours = value.reindex(pd.date_range(days[0], periods=24 * len(days), freq="h"))

    mean, _ = captured_mean(by_day(hours.to_numpy(np.float64)), 24)

    assert len(value) == told["hours"]
    assert np.isfinite(mean).sum() == told["valid_utc_days_18h"]
    assert round(float(np.nanmax(mean)), 3) == told["max_daily_mean"]
    assert str(days[np.nanargmax(mean)].date()) == told["day_of_max"]


def counted(classes: np.ndarray) -> dict[str, int]:
    number, times = np.unique(classes[~np.isnan(classes)].astype(int), return_counts=True)
    return dict(zip(map(str, number.tolist()), times.tolist(), strict=True))
