"""Recorded days of real cities, through broker, collector, database and processors.

Every file under ../shared/data is published over real MQTT and collected by the real
pipeline into one city; what is stored and rolled up must be what ``recorded.py`` makes of
the same files without a line of ours.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pytest

from beffroi.embedded.testing import TestBroker, TestCluster
from collector.mqtt.outlet import OutletRefusedError
from collector.mqtt.session import MqttSource
from collector.pipeline import Pipeline
from collector.replay.mapping import load_mapping, parse_mapping
from collector.replay.publish import Published, publish
from collector.replay.read import Recording, city_of, read
from collector.settings import Settings, broker_from_url
from collector.topics import filters
from processors import rollup, sketch
from storage.catalogue import DOMAINS
from storage.database import open_pool
from storage.registry import register
from storage.rollup import SKETCH_PAIR, Sketches
from tests.acceptance.recorded import DATA_SETS, KEY, Recorded, ranked, summaries

MAPPINGS = Path(__file__).parents[1] / "replay"
TABLES = {"15min": "rollup_15min", "h": "rollup_1h", "D": "rollup_1d"}
SECONDS = {"15min": 900, "h": 3600, "D": 86400}
QUANTILES = np.array([0.0, 0.05, 0.25, 0.5, 0.75, 0.85, 0.95, 1.0])
NOW = np.datetime64("2026-06-23T00:00:00", "us")
"""After the newest recorded day has ended."""


@dataclass
class City:
    """What went in and what came out."""

    conninfo: str
    broker: TestBroker
    recorded: dict[str, Recorded]
    recordings: dict[str, list[Recording]] = field(default_factory=dict)
    published: dict[str, list[Published]] = field(default_factory=dict)
    ledger: pd.DataFrame = field(default_factory=pd.DataFrame)
    readings: pd.DataFrame = field(default_factory=pd.DataFrame)
    rollups: dict[str, pd.DataFrame] = field(default_factory=dict)

    def rolled(self, length: str, sensor: str, metric: str) -> pd.DataFrame:
        """Rollups of one series, by start."""
        table = self.rollups[length]
        mine = table[(table.sensor == sensor) & (table.metric == metric)]
        return mine.sort_values("start", ignore_index=True)


@pytest.fixture(scope="module")
def city(cluster: TestCluster, broker: TestBroker, shared: Path) -> Iterator[City]:
    """All files, replayed into one fresh database and rolled up."""
    conninfo = cluster.clone("migrated")
    data = shared / "data"
    city = City(conninfo, broker, {name: computed(data) for name, computed in DATA_SETS.items()})
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cluster.environment(conninfo).items():
            patch.setenv(name, value)
        with psycopg.connect(city.conninfo, autocommit=True) as connection:
            for name, recorded in city.recorded.items():
                mapping = load_mapping(MAPPINGS / f"{recorded.mapping}.toml")
                city.recordings[name] = [read(mapping, data / file) for file in recorded.files]
                for recording in city.recordings[name]:
                    register(connection, city_of(mapping, recording))
            asyncio.run(_replay_and_roll_up(city))
            city.ledger = _ledger(connection)
            city.readings = _table(
                connection,
                " UNION ALL ".join(
                    f"SELECT sensor, metric, time, value, flag FROM {d}.readings" for d in DOMAINS
                ),
                "time",
            )
            for length, table in TABLES.items():
                query = " UNION ALL ".join(
                    f"SELECT s.sensor, s.metric, r.* FROM {d}.{table} r"
                    " JOIN public.series s USING (series_id)"
                    for d in DOMAINS
                )
                city.rollups[length] = _table(connection, query, "start")
        yield city
    cluster.drop(conninfo)


async def _replay_and_roll_up(city: City) -> None:
    for name, done in (await _collect(city, list(city.recordings))).items():
        city.published[name] = done
    pool = await open_pool()
    try:
        while not (await rollup.process(pool, NOW)).idle:
            pass
    finally:
        await pool.close()


async def _collect(city: City, names: list[str]) -> dict[str, list[Published]]:
    """Publish the data sets one after the other while a collector stores them."""
    environment = {"COLLECTOR_CLIENT_ID": "replay", "COLLECTOR_SESSION_EXPIRY_S": "60"}
    settings = Settings(broker_from_url(city.broker.url, environment))
    pipeline = Pipeline(settings)
    routes = await pipeline.prepare()
    source = MqttSource(
        settings.broker, filters(routes.bindings), batch_messages=10_000, linger_s=0.05
    )
    published: dict[str, list[Published]] = {}
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(source.run())
        tasks.create_task(pipeline.run(source))
        try:
            await _until(lambda: source.connected)
            for name in names:
                published[name] = [
                    await publish(recording, city.broker.url, environment={})
                    for recording in city.recordings[name]
                ]
            sent = sum(one.messages for done in published.values() for one in done)
            await _until(lambda: pipeline.totals.messages == sent)
        finally:
            pipeline.stop()
            source.close()
    return published


async def _until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def _table(connection: psycopg.Connection, query: str, time: str) -> pd.DataFrame:
    with connection.cursor() as cursor:
        cursor.execute(query.encode())
        names = [column.name for column in cursor.description or ()]
        table = pd.DataFrame(cursor.fetchall(), columns=names)
    return table.assign(**{time: pd.to_datetime(table[time], utc=True).dt.as_unit("us")})


def _ledger(connection: psycopg.Connection) -> pd.DataFrame:
    query = """
        SELECT n.code AS sensor, sum(messages_received)::int AS received,
               sum(messages_refused)::int AS messages_refused,
               sum(readings_decoded)::int AS decoded, sum(readings_stored)::int AS stored,
               sum(readings_duplicate)::int AS duplicate, sum(readings_refused)::int AS refused
          FROM pipeline.ledger l JOIN city.sensor n USING (sensor_id)
         GROUP BY n.code"""
    with connection.cursor() as cursor:
        cursor.execute(query.encode())
        names = [column.name for column in cursor.description or ()]
        return pd.DataFrame(cursor.fetchall(), columns=names).set_index("sensor")


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
    books = _ledger(connection_of_city).loc[["fremont-east", "fremont-west"]].sum()

    await _collect(city, ["seattle"])

    after = _ledger(connection_of_city).loc[["fremont-east", "fremont-west"]].sum()
    assert connection_of_city.execute("SELECT count(*) FROM mobility.reading").fetchone() == before
    assert (after - books)[["stored", "duplicate", "refused"]].tolist() == [0, 17566, 0]


@pytest.fixture
def connection_of_city(city: City) -> Iterator[psycopg.Connection]:
    with psycopg.connect(city.conninfo, autocommit=True) as connection:
        yield connection


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
    sketches = _sketches(found)
    values, borders = ranked(recorded, length)
    size = np.diff(borders)
    rank = np.floor(QUANTILES * (size - 1)[:, None]).astype(int)
    measured = values[borders[:-1, None] + rank]

    estimated = sketch.quantile(sketches, QUANTILES)

    counted = np.add.reduceat(sketches.pairs["count"].astype(int), sketches.offset[:-1])
    np.testing.assert_array_equal(counted, size)
    assert (np.abs(estimated - measured) <= (0.01 + 1e-9) * np.abs(measured)).all()


def _sketches(found: pd.DataFrame) -> Sketches:
    pieces = [bytes(piece) for piece in found.sketch]
    ends = np.cumsum([len(piece) // SKETCH_PAIR.itemsize for piece in pieces])
    offset = np.concatenate(([0], ends)).astype(np.int64)
    return Sketches(offset, np.frombuffer(b"".join(pieces), SKETCH_PAIR))


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


# Publishing -----------------------------------------------------------------------

DESCENDING = """
[time]
column = "t"
zone = "UTC"
stamp = "start"
step_s = 3600
[[territory]]
code = "99001"
name = "Essai"
timezone = "UTC"
[[value]]
column = "v"
sensor = "loop"
metric = "flow"
"""


@pytest.fixture
def descending(tmp_path: Path) -> Recording:
    """Four hours, newest first."""
    file = tmp_path / "file.csv"
    file.write_text("t,v\n" + "".join(f"2024-01-01 {h:02}:00,{h}\n" for h in (3, 2, 1, 0)))
    return read(parse_mapping(DESCENDING), file)


async def test_a_replay_at_speed_n_goes_by_the_recorded_times(
    broker: TestBroker, descending: Recording
):
    settings = broker_from_url(broker.url, {"COLLECTOR_CLIENT_ID": "listener"})
    listener = MqttSource(settings, ["replay/#"], batch_messages=100, linger_s=0.0)
    heard: list[tuple[float, str]] = []
    told: list[tuple[int, int]] = []
    loop = asyncio.get_running_loop()

    async def listen() -> None:
        while messages := await listener.batch():
            heard.extend((loop.time(), json.loads(m.payload)["time"][11:13]) for m in messages)
            listener.acknowledge(messages)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listener.run())
        tasks.create_task(listen())
        await _until(lambda: listener.connected)
        done = await publish(
            descending, broker.url, speed=18_000, progress=lambda *now: told.append(now)
        )
        await _until(lambda: len(heard) == 4, 5)
        listener.close()

    assert [hour for _, hour in heard] == ["00", "01", "02", "03"]
    assert heard[3][0] - heard[0][0] == pytest.approx(0.6, abs=0.3)
    assert (done, told[-1]) == (Published(4, 4, 4), (4, 4))


async def test_a_stopped_replay_says_how_much_was_acknowledged(
    broker: TestBroker, descending: Recording
):
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.3, stop.set)

    assert await publish(descending, broker.url, speed=1, stop=stop) == Published(1, 1, 1)


async def test_a_broker_that_refuses_or_is_not_there_is_named_with_a_remedy(
    broker: TestBroker, descending: Recording
):
    where = broker.url.rpartition("@")[2]
    with pytest.raises(
        OutletRefusedError, match="refused the connection: Not authorized; check BEFFROI_MQTT_URL"
    ):
        await publish(descending, f"mqtt://beffroi:wrong@{where}")
    with pytest.raises(
        OutletRefusedError, match=r"no MQTT broker answers at 127\.0\.0\.1:1: .*check BEFFROI"
    ):
        await publish(descending, "mqtt://127.0.0.1:1")


async def test_a_broker_that_goes_away_ends_the_replay_with_what_was_acknowledged(
    descending: Recording, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("collector.replay.publish._PATIENCE_S", 1.0)
    with TestBroker() as mortal:
        asyncio.get_running_loop().call_later(0.5, mortal.kill)
        with pytest.raises(
            OutletRefusedError, match="after 1 acknowledged messages; publish the file"
        ):
            await publish(descending, mortal.url, speed=7_200 / 5)


# The researcher's numbers ---------------------------------------------------------

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

INDICATORS = (
    "valencia_2022.no2.days_over_50_rounded", "valencia_2022.no2.hours_over_200",
    "valencia_2022.o3.mda8_valid_days", "valencia_2022.o3.mda8_max",
    "valencia_2022.o3.mda8_days_over_120", "valencia_2022.o3.mda8_days_over_100",
    "valencia_2022.pm10.days_over_50_rounded", "valencia_2022.pm10.days_over_45_rounded",
    "valencia_2022.pm2.5.days_over_25_rounded", "valencia_2022.co.mda8_max_mg",
    "valencia_2022.eaqi_revised_hourly_any_pollutant", "valencia_2022.atmo_daily_all5_valid",
    "valencia_2022.wind_2022-01-15.speed_weighted_deg",
    "fremont_2016.AADT_AASHTO_84", "fremont_2016.weekday_peak_hour_by_mean",
    "fremont_2016.K_max_hour_over_AADT",
    "montreal_2012_hdd18.meteo_minmax", "montreal_2012_hdd18.costic",
    "montreal_2012_hdd18.daily_mean_of_hours", "montreal_2012_hdd18.jan_meteo",
    "montreal_2012_hdd18.2012-06-15.meteo", "montreal_2012_hdd18.2012-06-15.costic",
    *(f"{name}.{key}" for name in ("occupancy_6005", "speed_6005")
      for key in ("twa_locf", "twa_linear", "span_s", "p85_linear")),
    "il_energy_signature_365d_before_2016-12-26",
)  # fmt: skip
"""Numbers that a domain's kernels make of readings or rollups, tested beside those."""

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
    known = {*ROLLUPS, *WITHIN_ONE_PERCENT, *INDICATORS, *NO_ROLLUP}
    for key, value in expected.items():
        path = above + key
        if isinstance(value, dict) and path not in known:
            yield from _leaves(value, f"{path}.")
        else:
            yield path


def test_every_expected_number_is_a_rollup_an_indicator_or_neither(expected: dict[str, Any]):
    known = [*ROLLUPS, *WITHIN_ONE_PERCENT, *INDICATORS, *NO_ROLLUP]
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
    whole = sketch.merge(_sketches(hours), np.zeros(len(hours), np.intp), 1)

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
