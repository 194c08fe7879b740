"""What is stored and rolled up of recorded cities is what the files say.

``recorded.py`` makes the same of the same files without a line of ours.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pytest

from processors import sketch
from tests.acceptance.recorded import DATA_SETS, KEY, Recorded, ranked, summaries
from tests.acceptance.replayed import TABLES, City, collect, ledger, sketches_of

SECONDS = {"15min": 900, "h": 3600, "D": 86400}
QUANTILES = np.array([0.0, 0.05, 0.25, 0.5, 0.75, 0.85, 0.95, 1.0])


def _sensors(recorded: Recorded) -> list[str]:
    return sorted(set(recorded.readings.sensor))


# Readings -----------------------------------------------------------------------


@pytest.mark.parametrize("name", DATA_SETS)
def test_every_value_of_a_file_is_accounted_for(city: City, name: str):
    recorded = city.recorded[name]
    books = city.ledger.loc[_sensors(recorded)].sum()

    assert books.stored + books.duplicate + books.refused == len(recorded.readings)
    assert (books.decoded, books.stored) == (len(recorded.readings), len(recorded.readings))
    assert (books.messages_refused, books.duplicate, books.refused) == (0, 0, 0)


@pytest.mark.parametrize("name", DATA_SETS)
def test_every_message_is_acknowledged_and_every_missing_cell_counted(city: City, name: str):
    recorded, published = city.recorded[name], city.published[name]

    assert sum(one.readings for one in published) == len(recorded.readings)
    assert [one.acknowledged for one in published] == [one.messages for one in published]
    assert city.ledger.received[_sensors(recorded)].sum() == sum(p.messages for p in published)
    assert sum(int(one.missing.sum()) for one in city.recordings[name]) == recorded.missing


@pytest.mark.parametrize("name", DATA_SETS)
def test_the_database_holds_exactly_the_readings_of_a_file(city: City, name: str):
    recorded = city.recorded[name]
    key = ["sensor", "metric", "time"]
    wanted = recorded.readings.set_index(key).sort_index()
    stored = city.readings[city.readings.sensor.isin(_sensors(recorded))]
    stored = stored.set_index(key).sort_index()

    assert stored.index.is_unique
    assert list(stored.index) == list(wanted.index)
    # Degrees Fahrenheit near the freezing point lose digits in the subtraction.
    nothing = 1e-12 if name == "eemeter_temperature" else 0.0
    np.testing.assert_allclose(stored["value"], wanted["value"], rtol=1e-12, atol=nothing)
    assert (stored.flag <= 3).all()


def test_nothing_else_is_stored(city: City):
    assert len(city.readings) == sum(len(one.readings) for one in city.recorded.values())


def test_counters_without_data_are_registered_and_have_no_data_rather_than_zero(city: City):
    for name in ("Brébeuf", "St-Urbain"):
        assert name in {one.sensor for r in city.recordings["montreal_bikes"] for one in r.series}
        assert name not in set(city.readings.sensor)
        assert name not in set(city.rollups["D"].sensor)


async def test_replaying_a_file_again_adds_nothing(
    city: City, connection_of_city: psycopg.Connection
):
    before = connection_of_city.execute("SELECT count(*) FROM mobility.reading").fetchone()
    books = ledger(connection_of_city).loc[["fremont-east", "fremont-west"]].sum()

    await collect(city, ["seattle"])

    after = ledger(connection_of_city).loc[["fremont-east", "fremont-west"]].sum()
    assert connection_of_city.execute("SELECT count(*) FROM mobility.reading").fetchone() == before
    assert (after - books)[["stored", "duplicate", "refused"]].tolist() == [0, 17566, 0]


# Rollups ------------------------------------------------------------------------


def _pairs() -> list[Any]:
    return [pytest.param(n, length, id=f"{n}-{length}") for n in DATA_SETS for length in TABLES]


def _found(city: City, name: str, length: str) -> pd.DataFrame:
    table = city.rollups[length]
    mine = table[table.sensor.isin(_sensors(city.recorded[name]))]
    return mine.set_index(KEY).sort_index()


@pytest.mark.parametrize(("name", "length"), _pairs())
def test_rollups_equal_a_second_computation(city: City, name: str, length: str):
    recorded = city.recorded[name]
    found = _found(city, name, length)
    if recorded.step_s > SECONDS[length]:
        assert found.empty, "a series enters the rollups at the smallest window not below its step"
        return
    wanted = summaries(recorded, length)

    assert list(found.index) == list(wanted.index)
    assert not found.provisional.any()
    np.testing.assert_array_equal(found.received, wanted["count"])
    np.testing.assert_array_equal(found.good + found.suspect, wanted["count"])
    for column in ("min", "max", "first", "last"):
        _close(found[column], wanted[column], 1e-12)
    # Temperatures around zero add up to less than the parts they lose.
    size = wanted["count"] * np.maximum(wanted["max"].abs(), wanted["min"].abs())
    _close(found["sum"], wanted["sum"], 1e-12, size)
    _close(found["sum"] / (found.good + found.suspect), wanted["mean"], 1e-12, size)
    _close(found.m2, wanted.m2, 1e-9)
    _close(found.x, wanted.x, 1e-12, wanted["count"])
    _close(found.y, wanted.y, 1e-12, wanted["count"])


def _close(
    found: pd.Series, wanted: pd.Series, relative: float, size: pd.Series | None = None
) -> None:
    """Equal but for ``relative`` of the wanted number, or of ``size`` where that is larger."""
    np.testing.assert_array_equal(found.isna(), wanted.isna(), err_msg=str(wanted.name))
    scale = wanted.abs() if size is None else np.maximum(wanted.abs(), size)
    beyond = (found - wanted).abs() > relative * scale + 1e-12
    assert not beyond.any(), pd.DataFrame({"found": found, "wanted": wanted})[beyond].head()


@pytest.mark.parametrize(("name", "length"), _pairs())
def test_quantiles_lie_within_one_percent_of_the_measured_values(
    city: City, name: str, length: str
):
    recorded = city.recorded[name]
    if recorded.step_s > SECONDS[length]:
        assert _found(city, name, length).empty
        return
    found = _found(city, name, length)
    found = found[found.index.get_level_values("metric") != "wind_direction"]
    sketches = sketches_of(found)
    values, borders = ranked(recorded, length)
    size = np.diff(borders)
    rank = np.floor(QUANTILES * (size - 1)[:, None]).astype(int)
    measured = values[borders[:-1, None] + rank]

    estimated = sketch.quantile(sketches, QUANTILES)

    counted = np.add.reduceat(sketches.pairs["count"].astype(int), sketches.offset[:-1])
    np.testing.assert_array_equal(counted, size)
    assert (np.abs(estimated - measured) <= (0.01 + 1e-9) * np.abs(measured)).all()


def test_directions_have_no_sketch(city: City):
    table = city.rollups["D"]
    assert {len(s) for s in table[table.metric == "wind_direction"].sketch} == {0}


@pytest.mark.parametrize(
    ("day", "start", "expected", "received", "total"),
    [
        ("2016-03-13", "2016-03-13T08:00Z", 23, 23, 334),
        ("2016-03-14", "2016-03-14T07:00Z", 24, 24, 2147),
        ("2016-11-06", "2016-11-06T07:00Z", 25, 24, 1509),
        ("2016-11-07", "2016-11-07T08:00Z", 24, 24, 3243),
    ],
)
def test_local_days_last_23_24_or_25_hours(
    city: City, day: str, start: str, expected: int, received: int, total: int
):
    parts = [city.rolled("D", f"fremont-{side}", "bikes") for side in ("east", "west")]
    rows = [part[part.start == pd.Timestamp(start)].iloc[0] for part in parts]

    assert [(row.expected, row.received) for row in rows] == [(expected, received)] * 2
    assert sum(row["sum"] for row in rows) == total


def test_the_hole_that_eco_compteur_leaves_in_autumn_is_no_missing_day(city: City):
    days = city.rolled("D", "353226380", "bikes")
    october = days[days.start.isin(pd.to_datetime(["2022-10-29T22:00Z"]))]

    assert len(days) == 365
    assert days.expected.tolist() == [1] * 365
    assert october[["received", "good", "suspect"]].sum(axis=1).tolist() == [2]
