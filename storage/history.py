"""The registry's history in the database: changes of sensors, written so that nothing is rewritten.

Readings that were stored before a change was known, though it holds since an earlier time,
follow their sensor to the series that they belong to by now; how they were converted stays, and
is told.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

from storage import changes, marks, stretches, timeline
from storage.changes import Change, Kind
from storage.review import Author
from storage.stretches import Sensor
from storage.timeline import BEGINNING, FOREVER, Stretch, Wanted

_REVIEWING = 0x72657669  # see storage.review.lock
_REGISTRY = 0x72656769  # as in city.hold_revision()


@dataclass(frozen=True, slots=True)
class Aim:
    """What a sensor is to be: at a site with these fields, or with ``None`` retired.

    Fields that are not named stay what they are, at that site.
    """

    site_id: int
    fields: Mapping[str, Wanted] | None


@dataclass(slots=True)
class _Plan:
    """What is to be done to one sensor."""

    sensor: Sensor
    aim: Aim
    kind: Kind
    at: dict[str, datetime.datetime] = field(default_factory=dict)
    after: dict[str, list[Stretch]] = field(default_factory=dict)


def change(
    connection: psycopg.Connection[Any],
    aims: Mapping[str, Aim],
    since: datetime.datetime | None,
    author: Author | None,
) -> list[Change]:
    """Bring sensors to what they are to be, in the transaction that is open.

    Without ``since`` a change holds from now on, or since ever where no reading of the sensor
    is stored yet. Waits for collectors' open commits and, where readings change their series,
    for processors; both wait until the transaction ends. While sensors that are new are written
    nobody waits.
    """
    row = connection.execute("SELECT now()").fetchone()
    assert row is not None
    now, sensors = row[0], stretches.load(connection, list(aims))

    def planned(codes: Sequence[str]) -> dict[str, _Plan]:
        series = [one for code in codes for one in sensors[code].series()]
        held = stretches.holding(connection, series)
        return {code: _plan(sensors[code], aims[code], since, now, held) for code in codes}

    changing = planned([code for code in aims if not _is_so(sensors[code], aims[code], since)])
    changing = {code: plan for code, plan in changing.items() if plan.after}
    sites = _site_names(connection, [*aims.values()], [*sensors.values()])
    strangers = [plan for plan in changing.values() if plan.sensor.sensor_id is None]
    made = {one.sensor: one for one in _insert_new(connection, strangers, sites, author)}
    if changing:
        known = [code for code in changing if code not in made]
        _lock(connection, [changing[code] for code in known])
        # A collector may have stored the first readings of a sensor until it was locked out.
        changing = planned(known)
    done = []
    for code, aim in aims.items():
        if code in made:
            done.append(made[code])
        elif code in changing:
            done.append(_apply(connection, changing[code], sites, author))
        else:
            done.append(Change(code, Kind.UNCHANGED, sites.get(aim.site_id, "")))
    return done


def in_service(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Site id of every sensor that nobody has retired."""
    return dict(
        connection.execute(
            """
            SELECT n.code, n.site_id FROM city.sensor n
             WHERE n.site_id IS NOT NULL AND EXISTS (
                   SELECT FROM city.series s
                    WHERE s.sensor_id = n.sensor_id AND s.valid_to = 'infinity')
             ORDER BY n.code
            """
        ).fetchall()
    )


def current(connection: psycopg.Connection[Any], sensor: str) -> dict[str, Wanted]:
    """What the fields of a sensor are at last; empty where it is retired or unknown."""
    found = stretches.load(connection, [sensor])[sensor].fields
    wanted = {name: timeline.now_wanted(of) for name, of in found.items()}
    return {name: one for name, one in wanted.items() if one is not None}


def _wanted(sensor: Sensor, aim: Aim) -> dict[str, Wanted | None]:
    """What its fields are to be: all those that are open, and those that are named."""
    was = {name: timeline.now_wanted(of) for name, of in sensor.fields.items()}
    opened = {name: one for name, one in was.items() if one is not None}
    if aim.fields is None:
        return dict.fromkeys(opened)
    # A sensor has one site: what is not named goes with what is.
    stays: dict[str, Wanted | None] = {
        name: Wanted(replace(one.identity, site_id=aim.site_id), one.conversion)
        for name, one in opened.items()
    }
    return stays | {name: one.settled(was.get(name)) for name, one in aim.fields.items()}


def _is_so(sensor: Sensor, aim: Aim, since: datetime.datetime | None) -> bool:
    """Whether nothing is to be done; with a time, what was before it counts too."""
    return since is None and all(
        timeline.now_wanted(sensor.fields.get(name, ())) == one
        for name, one in _wanted(sensor, aim).items()
    )


def _plan(
    sensor: Sensor,
    aim: Aim,
    since: datetime.datetime | None,
    now: datetime.datetime,
    held: set[int],
) -> _Plan:
    """What each field becomes, and since when; nothing ``after`` where nothing changes."""
    sensor.fields = before = {
        name: [replace(one, held=one.series_id in held) for one in of]
        for name, of in sensor.fields.items()
    }
    aims = _wanted(sensor, aim)
    opened = [one for of in before.values() if (one := timeline.now_wanted(of)) is not None]
    moved = any(one.identity.site_id != aim.site_id for one in opened)
    at = {}
    for name, one in aims.items():
        # A sensor moves, retires and returns as a whole; otherwise each field is for itself.
        as_a_whole = moved or not opened
        read = any(
            one.held for of in (before if as_a_whole else {name}) for one in before.get(of, ())
        )
        if since is not None:
            at[name] = since
        elif one is None or read:
            at[name] = now
        else:
            at[name] = BEGINNING
        if name not in before and not moved:
            at[name] = _arrival(before, aim.site_id)
    after = {
        name: timeline.changed(before.get(name, []), one, at[name]) for name, one in aims.items()
    }
    after = {name: of for name, of in after.items() if of != before.get(name)}
    if not after:
        kind = Kind.UNCHANGED
    elif not before:
        kind = Kind.NEW
    elif aim.fields is None:
        kind = Kind.RETIRED
    elif not opened:
        kind = Kind.BACK
    else:
        kind = Kind.MOVED if moved else Kind.CHANGED
    return _Plan(sensor, aim, kind, at, after)


def _arrival(fields: Mapping[str, Sequence[Stretch]], site_id: int) -> datetime.datetime:
    """Since when a sensor is where it is: a field it gets later was never anywhere else."""
    starts = [
        one.start for of in fields.values() for one in of
        if one.open and not one.empty and one.identity.site_id == site_id
    ]  # fmt: skip
    return min(starts, default=BEGINNING)


def _lock(connection: psycopg.Connection[Any], plans: Sequence[_Plan]) -> None:
    """Nobody may compute or change what is about to change its series, nor store by what was.

    In the order in which erasure takes them; collectors last, who then wait the least.
    """
    leaving = sorted(
        one.series_id
        for plan in plans if plan.aim.fields is not None
        for of in plan.sensor.fields.values()
        for one in of if one.held and one.series_id is not None
    )  # fmt: skip
    for domain in sorted(set(stretches.domains(connection, leaving).values()), key=marks.lock_key):
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", marks.lock_key(domain))
    for series_id in leaving:
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_REVIEWING, series_id])
    # Whoever commits a batch later finds that the registry is another one: storage.ingest.
    connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", [_REGISTRY])


def _insert_new(
    connection: psycopg.Connection[Any],
    plans: Sequence[_Plan],
    sites: Mapping[int, str],
    author: Author | None,
) -> list[Change]:
    """Sensors that nobody knew, many at once."""
    if not plans:
        return []
    ids: dict[str, int] = dict(
        connection.execute(
            "INSERT INTO city.sensor (site_id, code) SELECT * FROM unnest(%s::int4[], %s::text[])"
            " RETURNING code, sensor_id",
            [[plan.aim.site_id for plan in plans], [plan.sensor.code for plan in plans]],
        ).fetchall()
    )
    done = [
        Change(
            plan.sensor.code, Kind.NEW, sites.get(plan.aim.site_id, ""),
            details=tuple(f"{name}: new" for name in plan.after),
        )
        for plan in plans
    ]  # fmt: skip
    stretches.insert(
        connection,
        [
            (ids[plan.sensor.code], name, one)
            for plan in plans
            for name, after in plan.after.items()
            for one in after
        ],
    )
    changes.write_down(connection, [(ids[one.sensor], one) for one in done], author)
    return done


def _site_names(
    connection: psycopg.Connection[Any], aims: Sequence[Aim], sensors: Sequence[Sensor]
) -> dict[int, str]:
    ids = {aim.site_id for aim in aims} | {sensor.site_id for sensor in sensors}
    return dict(
        connection.execute(
            "SELECT i.site_id, t.code || '/' || i.code FROM city.site i"
            " JOIN city.territory t USING (territory_id) WHERE i.site_id = ANY (%s)",
            [list(ids - {None})],
        ).fetchall()
    )


def _apply(
    connection: psycopg.Connection[Any],
    plan: _Plan,
    sites: Mapping[int, str],
    author: Author | None,
) -> Change:
    sensor, before = plan.sensor, plan.sensor.fields
    assert sensor.sensor_id is not None
    details, kept, carried, beyond = [], [], 0, 0
    for name, after in plan.after.items():
        was, target, at = before.get(name, []), timeline.now_wanted(after), plan.at[name]
        old = timeline.now_wanted(was)
        if target is not None:
            kept += stretches.kept_as_before(connection, name, was, target, at)
        goal = stretches.write(connection, sensor.sensor_id, name, was, after)
        for one in was:
            if not one.held or one.series_id == goal:
                continue
            if target is None or goal is None:
                beyond += stretches.count(connection, one.series_id, at, FOREVER)[0]
            elif one.identity.metric == target.identity.metric:
                carried += stretches.carry(connection, one, goal, at)
        if plan.kind is Kind.NEW or (old is None and target is not None):
            details.append(f"{name}: {'new' if not was else 'back'}")
        else:
            details += [f"{name}: {words}" for words in timeline.difference(old, target)]
    connection.execute(
        "UPDATE city.sensor SET site_id = %s WHERE sensor_id = %s",
        [plan.aim.site_id, sensor.sensor_id],
    )
    site = sites.get(plan.aim.site_id, "")
    left = None if sensor.site_id in (None, plan.aim.site_id) else sites.get(sensor.site_id or 0)
    since = max(plan.at[name] for name in plan.after)
    done = Change(
        sensor.code, plan.kind, site, left, None if since == BEGINNING else since,
        tuple(details), carried, beyond, tuple(kept),
    )  # fmt: skip
    changes.write_down(connection, [(sensor.sensor_id, done)], author)
    return done
