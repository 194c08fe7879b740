"""The register of measures in the database: new versions, never a silent change."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from storage import inventory, review
from storage.catalogue import Kind
from storage.indicators.catalogue import INDICATORS
from storage.indicators.word import Indicator, Period, Subject
from storage.measures import COLUMNS, Daily, Measure
from storage.review import Author, NotNamed, near

_LOCK = 0x6D656173  # "meas"

DAILY_PERIODS = (Period.DAY, Period.AIR_DAY)


class Became(StrEnum):
    """What a registration did."""

    NEW = "new"
    CORRECTED = "corrected"
    UNCHANGED = "unchanged"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Registered:
    """One version of a measure: who said so, when and why."""

    measure_id: int
    version: int
    registered_at: datetime.datetime
    person: str
    why: str
    retired: bool
    measure: Measure


_ABOUT = ("measure_id", "version", "registered_at", "person", "why", "retired")


def versions(
    connection: psycopg.Connection[Any], code: str | None = None, *, newest: bool = False
) -> list[Registered]:
    """Every version of one measure or of all, oldest first; or only the newest of each."""
    only = sql.SQL("DISTINCT ON (code)" if newest else "")
    order = sql.SQL("DESC" if newest else "ASC")
    query = sql.SQL(
        "SELECT {only} {columns} FROM city.measure WHERE %(code)s::text IS NULL OR code = %(code)s"
        " ORDER BY code, version {order}"
    ).format(
        only=only, order=order, columns=sql.SQL(", ").join(map(sql.Identifier, (*_ABOUT, *COLUMNS)))
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        return [_registered(row) for row in cursor.execute(query, {"code": code}).fetchall()]


def _registered(row: dict[str, Any]) -> Registered:
    about = {name: row[name] for name in _ABOUT}
    return Registered(
        **about, measure=Measure.model_validate({name: row[name] for name in COLUMNS})
    )


def find(connection: psycopg.Connection[Any], code: str) -> Registered:
    """The newest version of a measure, also of one that was retired.

    Raises
    ------
    NotNamed
        With codes that are near.
    """
    found = versions(connection, code, newest=True)
    if found:
        return found[0]
    known = [one.measure.code for one in versions(connection, newest=True)]
    if not known:
        raise NotNamed(f"measure {code!r} is not registered; none is yet: beffroi measures add")
    raise NotNamed(f"measure {code!r} is not registered; {near(code, known)}")


def save(
    connection: psycopg.Connection[Any], measure: Measure, author: Author
) -> tuple[Became, int]:
    """Register a measure, or a correction of it as its next version; says which.

    In the caller's transaction.
    """
    connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", [_LOCK])
    known = versions(connection, measure.code, newest=True)
    if known and known[0].measure == measure and not known[0].retired:
        return Became.UNCHANGED, known[0].version
    version = known[0].version + 1 if known else 1
    _write(connection, measure, version, author, retired=False)
    return (Became.CORRECTED if known else Became.NEW), version


def retire(connection: psycopg.Connection[Any], code: str, author: Author) -> tuple[Became, int]:
    """Take a measure out of the register; its versions and evaluations stay to be read."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", [_LOCK])
    last = find(connection, code)
    if last.retired:
        return Became.UNCHANGED, last.version
    _write(connection, last.measure, last.version + 1, author, retired=True)
    return Became.RETIRED, last.version + 1


def _write(
    connection: psycopg.Connection[Any],
    measure: Measure,
    version: int,
    author: Author,
    *,
    retired: bool,
) -> None:
    said: dict[str, Any] = {
        **measure.model_dump(), "version": version, "person": author.person, "why": author.why,
        "retired": retired,
    }  # fmt: skip
    row = {name: list(one) if isinstance(one, tuple) else one for name, one in said.items()}
    connection.execute(
        sql.SQL("INSERT INTO city.measure ({}) VALUES ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(map(sql.Placeholder, row)),
        ),
        row,
    )


def unknown(connection: psycopg.Connection[Any], measure: Measure) -> list[tuple[str, str]]:
    """What of a measure is not registered or cannot be compared by the day: key and remedy."""
    zones = inventory.zones(connection)
    found: list[tuple[str, str]] = []
    if measure.territory not in zones:
        meant = near(measure.territory, list(zones)) if zones else "none is: beffroi register"
        found.append(("territory", f"{measure.territory!r} is not registered; {meant}"))
    indicator = next((one for one in INDICATORS if one.name == measure.indicator), None)
    if measure.indicator:
        found += _of_indicator(measure, indicator)
    if measure.metric:
        found += _of_metric(connection, measure)
    of_sites = indicator is not None and indicator.subject is Subject.SITE
    if not found:
        found += _of_places(connection, measure, of_sites)
    return found


def _of_indicator(measure: Measure, indicator: Indicator | None) -> Iterator[tuple[str, str]]:
    daily = [
        one.name
        for one in INDICATORS
        if one.period in DAILY_PERIODS and one.subject is not Subject.TERRITORY
    ]
    if indicator is None:
        yield "indicator", f"{measure.indicator!r} is unknown; {near(measure.indicator, daily)}"
    elif indicator.name not in daily:
        yield (
            "indicator",
            f"{indicator.name} is of a {indicator.period} of a {indicator.subject}; days of series"
            f" or sites can be compared: {near(indicator.name, daily)}",
        )
    elif indicator.subject is Subject.SERIES and not measure.metric:
        yield "metric", f"is missing; name the metric whose {indicator.name} counts"
    elif indicator.subject is Subject.SITE and measure.metric:
        yield "metric", f"{indicator.name} is of whole sites; leave the metric out"


def _of_metric(connection: psycopg.Connection[Any], measure: Measure) -> Iterator[tuple[str, str]]:
    metrics = inventory.metrics(connection)
    metric = metrics.get(measure.metric)
    if metric is None:
        yield "metric", f"{measure.metric!r} is unknown; {near(measure.metric, list(metrics))}"
    elif metric.kind is Kind.ANGLE:
        yield "metric", f"{metric.name} is a direction, which goes neither up nor down"
    elif measure.daily is Daily.TOTAL and metric.kind not in (Kind.COUNT, Kind.INDEX):
        yield "daily", f"{metric.name} has no total; write mean"
    elif measure.daily is Daily.MEAN and metric.kind is Kind.INDEX:
        yield "daily", f"{metric.name} is a register, which has no mean; write total"


def _of_places(
    connection: psycopg.Connection[Any], measure: Measure, of_sites: bool
) -> Iterator[tuple[str, str]]:
    sites = list(inventory.sites(connection).values())
    for key in ("touched_sites", "comparison_sites"):
        for site in measure.placed(getattr(measure, key)):
            if site not in sites:
                yield key, f"site {site!r} is not registered; {near(site, sites)}"
    for key in ("touched_sensors", "comparison_sensors"):
        sensors = getattr(measure, key)
        if sensors and of_sites:
            yield key, f"{measure.indicator} is of whole sites; name sites instead"
            continue
        for sensor in sensors:
            try:
                review.named(connection, sensor, measure.metric or None)
            except NotNamed as error:
                yield key, str(error)
