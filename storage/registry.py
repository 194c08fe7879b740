"""Registering a city, and what the collector needs to know of it.

Registering is repeatable: codes identify territories, sites and sensors, a sensor and a field
what it measures; what is already there is changed from a time on, nothing is removed.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import asyncpg
import numpy as np
import psycopg
from numpy.typing import NDArray

from storage import history
from storage.bindings import load_bindings, load_codecs, save_bindings, save_devices, save_profiles
from storage.board_store import save_board
from storage.catalogue import DOMAINS
from storage.changes import Change
from storage.chunks import follow_rate
from storage.city import City
from storage.facts.naming import Lists
from storage.history import Aim
from storage.metrics import save_metrics
from storage.mistakes import Mistake, MistakesError
from storage.review import Author, NotNamed, named, near
from storage.routes import NOT_YET, RETIRED, SINCE_EVER_US, Routes, Timelines
from storage.sensor_list import PlacedSeries
from storage.timeline import Conversion, Identity, Wanted
from storage.trade_store import Revised, save_facts


@dataclass(frozen=True, slots=True)
class Site:
    """A place in a territory, both by code; an empty name leaves the name as it is."""

    territory: str
    code: str
    name: str = ""
    longitude: float | None = None
    latitude: float | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """How many of each the city now has, what became of the sensors that were named, and of
    which facts the figures that are there know nothing."""

    territories: int
    sites: int
    sensors: int
    series: int
    changes: tuple[Change, ...] = field(default=(), compare=False)
    revised: tuple[Revised, ...] = field(default=(), compare=False)


def register(
    connection: psycopg.Connection,
    city: City,
    *,
    since: datetime.datetime | None = None,
    author: Author | None = None,
    retire_missing: bool = False,
    dry_run: bool = False,
) -> Registered:
    """Write the city in one transaction; running collectors take it up by themselves.

    What changes of sensors that are known holds from ``since`` on, without it from now on;
    see :func:`storage.history.change`. ``retire_missing`` retires those that the city does
    not name. A dry run says what would be, and leaves everything as it is.
    """
    with _registering(connection, dry_run):
        _refuse_changes(connection, city)
        save_metrics(connection, city.metrics)
        with connection.cursor() as cursor:
            cursor.executemany(
                """
                INSERT INTO city.territory (code, name, code_system, timezone)
                VALUES (%s, %s, %s, %s)
                ON CONFLICT (code) DO UPDATE
                   SET (name, code_system, timezone)
                     = (excluded.name, excluded.code_system, excluded.timezone)
                """,
                [(t.code, t.name, t.code_system, t.timezone) for t in city.territories],
            )
            aims = _aims(_save_sites(cursor, city.series), city.series)
            if retire_missing:
                there = history.in_service(connection)
                aims |= {code: Aim(at, None) for code, at in there.items() if code not in aims}
            changes = history.change(connection, aims, since, author)
            save_profiles(cursor, city.profiles)
            save_devices(cursor, city.series)
            save_bindings(cursor, city.bindings)
        revised = save_facts(connection, city.facts)
        save_board(connection, city.said, city.outlines)
        counts = _counts(connection)
    return Registered(*counts, tuple(changes), revised)


def move(
    connection: psycopg.Connection,
    sensor: str,
    site: Site,
    *,
    since: datetime.datetime | None,
    author: Author,
    dry_run: bool = False,
) -> Change:
    """Let a sensor stand at another site from a time on."""
    with _registering(connection, dry_run):
        fields = history.current(connection, sensor)
        if not fields:
            raise _retired(connection, sensor)
        site_id = _place(connection, site)
        moved = {
            name: Wanted(replace(one.identity, site_id=site_id), one.conversion)
            for name, one in fields.items()
        }
        (done,) = history.change(connection, {sensor: Aim(site_id, moved)}, since, author)
    return done


def retire(
    connection: psycopg.Connection,
    sensor: str,
    *,
    since: datetime.datetime | None,
    author: Author,
    dry_run: bool = False,
) -> Change:
    """Refuse what a sensor measures from a time on; what is stored stays."""
    with _registering(connection, dry_run):
        there = history.in_service(connection)
        if sensor not in there:
            raise _retired(connection, sensor)
        (done,) = history.change(connection, {sensor: Aim(there[sensor], None)}, since, author)
    return done


@contextmanager
def _registering(connection: psycopg.Connection, dry_run: bool) -> Iterator[None]:
    """One registration after the other, each of which everybody notices; or none of it stays."""
    with connection.transaction() as transaction:
        connection.execute("SELECT FROM city.revision FOR UPDATE")
        yield
        follow_rate(connection)
        connection.execute("UPDATE city.revision SET revision = revision + 1")
        if dry_run:
            raise psycopg.Rollback(transaction)


def _counts(connection: psycopg.Connection) -> tuple[int, int, int, int]:
    """How many of each there are."""
    counts = connection.execute(
        """
        SELECT (SELECT count(*) FROM city.territory), (SELECT count(*) FROM city.site),
               (SELECT count(*) FROM city.sensor WHERE sensor_id > 0),
               (SELECT count(*) FROM city.series WHERE valid_to = 'infinity')
        """
    ).fetchone()
    assert counts is not None
    return counts


def _retired(connection: psycopg.Connection, sensor: str) -> NotNamed:
    named(connection, sensor)  # one that nobody knows has a sentence of its own
    return NotNamed(
        f"sensor {sensor!r} is retired; beffroi sensors history {sensor} says since when, and"
        " importing it again brings it back"
    )


def _refuse_changes(connection: psycopg.Connection, city: City) -> None:
    """What is stored under a series or metric would change its meaning without a trace."""
    there = {
        name: tuple(facts)
        for name, *facts in connection.execute("SELECT metric, domain, unit, kind FROM city.metric")
    }
    known = {
        (sensor, field): metric
        for sensor, field, metric in connection.execute(
            "SELECT n.code, s.field, s.metric FROM city.series s JOIN city.sensor n USING (sensor_id)"
            " WHERE s.valid_to = 'infinity'"
        )
    }
    mistakes = [
        Mistake(
            "city.toml", 1,
            f"metric {m.name!r} is registered with another domain, unit or kind; choose another name",
        )
        for m in city.metrics
        if there.get(m.name, (m.domain, m.unit, m.kind)) != (m.domain, m.unit, m.kind)
    ]  # fmt: skip
    for placed in city.series:
        before = known.get((placed.line.sensor, placed.line.field))
        if before not in (None, placed.metric.name):
            what = (
                f"field {placed.line.field!r} of sensor {placed.line.sensor!r} is registered as"
                f" {before}; its readings stay that. Give the new one another field name"
            )
            mistakes.append(Mistake(placed.file, placed.number, what))
    if city.unlisted:
        lists = _lists(connection)
        mistakes += [mistake for name, mistake in city.unlisted if not lists.know(name)]
    if mistakes:
        raise MistakesError(mistakes)


def _lists(connection: psycopg.Connection) -> Lists:
    """Every name that is registered, of sensors that are retired too."""
    rows = connection.execute(
        """
        SELECT t.code, i.code, n.code, s.field
          FROM city.territory t
          LEFT JOIN city.site i USING (territory_id)
          LEFT JOIN city.series s ON s.site_id = i.site_id
          LEFT JOIN city.sensor n ON n.sensor_id = s.sensor_id
        """
    ).fetchall()
    return Lists(
        {territory for territory, *_ in rows},
        {(territory, site) for territory, site, *_ in rows if site is not None},
        {sensor for *_, sensor, _ in rows if sensor is not None},
        {f"{sensor}/{field}" for *_, sensor, field in rows if sensor is not None},
    )


def _save_sites(
    cursor: psycopg.Cursor, series: Sequence[PlacedSeries]
) -> dict[tuple[str, str], int]:
    """Sites as the lines describe them; their ids by territory and code."""
    sites = {(placed.line.territory, placed.line.site): placed.line for placed in series}
    cursor.executemany(
        """
        INSERT INTO city.site (territory_id, code, name, longitude, latitude)
        SELECT territory_id, %s, %s, %s, %s FROM city.territory WHERE code = %s
        ON CONFLICT (territory_id, code) DO UPDATE
           SET (name, longitude, latitude)
             = (excluded.name, excluded.longitude, excluded.latitude)
        """,
        [
            (line.site, line.site_name or line.site, line.longitude, line.latitude, line.territory)
            for line in sites.values()
        ],
    )
    rows = cursor.execute(
        "SELECT t.code, i.code, i.site_id FROM city.site i JOIN city.territory t USING (territory_id)"
    )
    return {(territory, site): site_id for territory, site, site_id in rows}


def _place(connection: psycopg.Connection, site: Site) -> int:
    """The id of a site, made where it is new; what is not said of one that is there stays."""
    row = connection.execute(
        """
        INSERT INTO city.site AS i (territory_id, code, name, longitude, latitude)
        SELECT territory_id, %(code)s, coalesce(nullif(%(name)s, ''), %(code)s), %(longitude)s,
               %(latitude)s
          FROM city.territory WHERE code = %(territory)s
        ON CONFLICT (territory_id, code) DO UPDATE
           SET name = coalesce(nullif(%(name)s, ''), i.name),
               longitude = coalesce(excluded.longitude, i.longitude),
               latitude = coalesce(excluded.latitude, i.latitude)
        RETURNING site_id
        """,
        {
            "territory": site.territory, "code": site.code, "name": site.name,
            "longitude": site.longitude, "latitude": site.latitude,
        },
    ).fetchone()  # fmt: skip
    if row is None:
        known = [code for (code,) in connection.execute("SELECT code FROM city.territory")]
        raise NotNamed(
            f"territory {site.territory!r} is not registered; {near(site.territory, known)}"
            " (a new one is a [[territory]] of city.toml)"
        )
    return int(row[0])


def _aims(sites: Mapping[tuple[str, str], int], series: Sequence[PlacedSeries]) -> dict[str, Aim]:
    """What the lines want of each sensor."""
    fields: dict[str, dict[str, Wanted]] = {}
    site_of: dict[str, int] = {}
    for placed in series:
        line = placed.line
        site_id = site_of[line.sensor] = sites[line.territory, line.site]
        top = None if line.register_max is None else line.register_max * placed.scale
        assert line.unit is not None  # the metric's own where the line has none
        fields.setdefault(line.sensor, {})[line.field] = Wanted(
            Identity(placed.metric.name, site_id, line.step_s, top),
            Conversion(line.unit, placed.scale, placed.shift, line.stamp),
        )
    return {sensor: Aim(site_of[sensor], wanted) for sensor, wanted in fields.items()}


async def load_routes(connection: asyncpg.Connection) -> Routes:
    """Read the registry in one snapshot."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        revision = await connection.fetchval("SELECT revision FROM city.revision")
        bindings = await load_bindings(connection)
        codecs = await load_codecs(connection)
        sensors = await connection.fetch(
            "SELECT sensor_id, code FROM city.sensor WHERE sensor_id > 0"
        )
        rows = await connection.fetch(
            """
            SELECT s.series_id, n.code, s.field, c.scale, c.shift, s.step_s, c.stamp, c.unit,
                   s.metric, m.domain, m.low, m.high, m.unit AS canonical,
                   nullif(greatest(s.valid_from, c.since), '-infinity') AS start,
                   nullif(s.valid_to, 'infinity') AS stop
              FROM city.series s
              JOIN city.sensor n USING (sensor_id)
              JOIN city.metric m USING (metric)
              CROSS JOIN LATERAL (
                   SELECT s.converted_since AS since, s.unit, s.scale, s.shift, s.stamp
                    UNION ALL
                   SELECT f.since, f.unit, f.scale, f.shift, f.stamp
                     FROM city.former_conversion f WHERE f.series_id = s.series_id) c
             WHERE s.valid_from < s.valid_to AND c.since < s.valid_to
             ORDER BY s.sensor_id, s.field, s.valid_from, c.since
            """
        )
    known: dict[str, tuple[int, dict[str, int]]] = {
        row["code"]: (row["sensor_id"], {}) for row in sensors
    }
    back_us = np.array(
        [row["step_s"] * 1_000_000 if row["stamp"] == "end" else 0 for row in rows], np.int64
    )
    versions: dict[tuple[str, str], list[int]] = {}
    for position, row in enumerate(rows):
        known[row["code"]][1][row["field"]] = position
        versions.setdefault((row["code"], row["field"]), []).append(position)
    return Routes(
        revision=revision,
        bindings=bindings,
        sensors=known,
        series=np.array([row["series_id"] for row in rows], np.int32),
        domain=np.array([DOMAINS.index(row["domain"]) for row in rows], np.int8),
        scale=np.array([row["scale"] for row in rows], np.float64),
        shift=np.array([row["shift"] for row in rows], np.float64),
        low=np.array([row["low"] for row in rows], np.float64),
        high=np.array([row["high"] for row in rows], np.float64),
        back_us=back_us,
        metric=tuple(row["metric"] for row in rows),
        unit=tuple(row["unit"] for row in rows),
        canonical=tuple(row["canonical"] for row in rows),
        codecs=codecs,
        timelines=_timelines(rows, list(versions.values()), back_us),
    )  # fmt: skip


def _timelines(
    rows: Sequence[asyncpg.Record], versions: Sequence[Sequence[int]], back_us: NDArray[np.int64]
) -> Timelines | None:
    """The histories of the fields that have one."""
    histories: list[list[tuple[int, int]]] = []
    for positions in versions:
        first, last = rows[positions[0]], rows[positions[-1]]
        if len(positions) == 1 and first["start"] is None and last["stop"] is None:
            continue
        entries = [(SINCE_EVER_US, NOT_YET if first["start"] else positions[0])]
        ended: int | None = None
        for position in positions:
            start, stop = (_us(rows[position][end]) for end in ("start", "stop"))
            if start is not None:
                if ended is not None and ended < start:
                    entries.append((ended, RETIRED))
                entries.append((start + int(back_us[position]), position))
            ended = None if stop is None else stop + int(back_us[position])
        if ended is not None:
            entries.append((ended, RETIRED))
        histories.append(entries)
    return Timelines.of_histories(len(rows), histories) if histories else None


def _us(time: datetime.datetime | None) -> int | None:
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return None if time is None else (time - epoch) // datetime.timedelta(microseconds=1)
