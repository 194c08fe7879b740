"""The registry out: which sensors there are, what they measure, and what they have been."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from storage.catalogue import Domain, Kind, Metric


@dataclass(frozen=True, slots=True)
class Listed:
    """One field of a sensor at its last. ``until`` is ``None`` where it goes on."""

    sensor: str
    territory: str
    site: str
    site_name: str
    longitude: float | None
    latitude: float | None
    field: str
    metric: str
    unit: str
    step_s: int
    stamp: str
    since: datetime.datetime | None
    until: datetime.datetime | None
    retired: bool


def fields(
    connection: psycopg.Connection[Any],
    *,
    territory: str | None = None,
    site: str | None = None,
    metric: str | None = None,
    retired: bool = False,
) -> list[Listed]:
    """Fields of the sensors that are in service, or of those that are not, by sensor."""
    with connection.cursor(row_factory=class_row(Listed)) as cursor:
        return cursor.execute(
            """
            SELECT * FROM (
                   SELECT DISTINCT ON (s.sensor_id, s.field) n.code AS sensor, t.code AS territory,
                          i.code AS site, i.name AS site_name, i.longitude, i.latitude, s.field,
                          s.metric, s.unit, s.step_s, s.stamp,
                          nullif(greatest(s.valid_from, s.converted_since), '-infinity') AS since,
                          nullif(s.valid_to, 'infinity') AS until, s.valid_to <= now() AS retired
                     FROM city.series s
                     JOIN city.sensor n USING (sensor_id)
                     JOIN city.site i ON i.site_id = s.site_id
                     JOIN city.territory t USING (territory_id)
                    WHERE s.valid_from < s.valid_to
                    ORDER BY s.sensor_id, s.field, s.valid_from DESC) l
             WHERE retired = %(retired)s
               AND (%(territory)s::text IS NULL OR territory = %(territory)s)
               AND (%(site)s::text IS NULL OR site = %(site)s)
               AND (%(metric)s::text IS NULL OR metric = %(metric)s)
             ORDER BY sensor, field
            """,
            {"territory": territory, "site": site, "metric": metric, "retired": retired},
        ).fetchall()


def zones(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """The time zone of every territory, by code."""
    return dict(connection.execute("SELECT code, timezone FROM city.territory").fetchall())


def sites(connection: psycopg.Connection[Any]) -> dict[int, str]:
    """Territory and site, by the site's id."""
    return dict(
        connection.execute(
            "SELECT i.site_id, t.code || '/' || i.code"
            "  FROM city.site i JOIN city.territory t USING (territory_id)"
        ).fetchall()
    )


def metrics(connection: psycopg.Connection[Any]) -> Mapping[str, Metric]:
    """All that are registered, those of the city's own too, by name."""
    rows = connection.execute(
        "SELECT metric, domain, unit, kind, low, high, label_fr, label_en, label_de, spike,"
        " rate_per_h, flat_h, public_step_s FROM city.metric"
    )
    return {
        name: Metric(
            name, Domain(domain), unit, Kind(kind), low, high,
            dict(zip(("fr", "en", "de"), rest[:3], strict=True)), *rest[3:],
        )
        for name, domain, unit, kind, low, high, *rest in rows
    }  # fmt: skip
