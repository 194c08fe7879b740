"""A role that may only look, and what a page's panels or an alert rule answer it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from dashboards.grafana.page import Page
from dashboards.grafana.panel import Panel
from dashboards.grafana.rules import RULES
from storage.city import parse
from storage.registry import register
from tests.grafana.macros import expand, interpolate

Row = dict[str, Any]

TOML = """
[city]
name = "Essai"
timezone = "Europe/Paris"
[[territory]]
code = "99001"
name = "Essai"
[[territory]]
code = "99002"
name = "Ailleurs"
[[binding]]
topic = "city/{territory}/{site}/{sensor}"
"""
CSV = """territory,site,site_name,sensor,metric,field,unit,step_s,stamp
99001,mairie,Mairie,air-1,no2,,,600,start
99001,mairie,Mairie,air-2,no2,,,600,start
99001,mairie,Mairie,air-3,no2,,,600,start
99001,ecole,École,meter-1,energy_import,,,900,end
99001,ecole,École,meter-2,energy_import,,,900,end
99001,pont,Pont,count-1,vehicles,,,900,start
99002,gare,Gare,air-9,no2,,,600,start
"""


class Looker:
    """Asks as the role; the owner's connection prepares."""

    def __init__(self, asked: psycopg.Connection[Row], owner: psycopg.Connection[Any]) -> None:
        self._asked = asked
        self.owner = owner

    def panel(
        self, page: Page, title: str, *, hours: float = 24, language: str = "en"
    ) -> list[Row]:
        """What the panel of that English title answers over the last hours."""
        end = datetime.now(UTC)
        chosen = {
            name: [row[name] for row in self._asked.execute(f"SELECT {name} FROM reader.sites")]
            for name in ("territory", "site")
        }
        text = interpolate(find(page, title).sql.replace("@language", language), chosen)
        return self._ask(expand(text, end - timedelta(hours=hours), end, 60))

    def value(self, page: Page, title: str, *, hours: float = 24) -> Any:
        """The one number of a panel that shows one."""
        (row,) = self.panel(page, title, hours=hours)
        return row["value"]

    def rule(self, uid: str) -> list[Row]:
        """The rows of a rule for which somebody would be called."""
        (rule,) = (rule for rule in RULES if rule.uid == uid)
        rows = self._ask(rule.sql.replace("@language", "en"))
        return [row for row in rows if row["value"] is not None and row["value"] > rule.above]

    def _ask(self, text: str) -> list[Row]:
        return self._asked.execute(text.encode()).fetchall()


def find(page: Page, title: str) -> Panel:
    (found,) = (
        panel for section in page.sections for panel in section.panels if panel.title["en"] == title
    )
    return found


@contextlib.contextmanager
def looking(
    owner: psycopg.Connection[Any], database: str, territory: str | None = None
) -> Iterator[Looker]:
    """A registered city, and a role that reads one territory of it or all."""
    register(owner, parse(TOML, CSV))
    name = f"look_{owner.info.dbname}"
    role = sql.Identifier(name)
    owner.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
    owner.execute(sql.SQL("GRANT USAGE ON SCHEMA reader TO {}").format(role))
    owner.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA reader TO {}").format(role))
    owner.execute(
        "INSERT INTO city.reader VALUES"
        " (%s, (SELECT territory_id FROM city.territory WHERE code = %s))",
        (name, territory),
    )
    try:
        with psycopg.connect(database, autocommit=True, row_factory=dict_row) as asked:
            asked.execute(sql.SQL("SET ROLE {}").format(role))
            asked.execute("SET timezone = 'UTC'")
            yield Looker(asked, owner)
    finally:
        owner.execute(sql.SQL("DROP OWNED BY {}").format(role))
        owner.execute(sql.SQL("DROP ROLE {}").format(role))


def series(owner: psycopg.Connection[Any], sensor: str) -> int:
    """Number of the one series of a sensor."""
    row = owner.execute(
        "SELECT series_id FROM public.series WHERE sensor = %s", (sensor,)
    ).fetchone()
    assert row is not None
    return int(row[0])


def alert(
    owner: psycopg.Connection[Any], sensor: str, kind: str = "silence", closed: bool = False
) -> None:
    """An alert of a sensor, opened two days ago."""
    owner.execute(
        "INSERT INTO pipeline.alert (series_id, kind, since, opened_at, closed_at, value, reference)"
        " VALUES (%s, %s, now() - interval '3 days', now() - interval '2 days',"
        " CASE WHEN %s THEN now() END, 2400, 600)",
        (series(owner, sensor), kind, closed),
    )


def heard(owner: psycopg.Connection[Any], sensor: str, ago: str = "1 minute") -> None:
    """When a sensor was last heard."""
    owner.execute(
        "INSERT INTO pipeline.heard (series_id, first, last)"
        " VALUES (%s, now() - interval '1 year', now() - %s::interval)",
        (series(owner, sensor), ago),
    )


def figure(
    owner: psycopg.Connection[Any],
    domain: str,
    indicator: str,
    sensor: str,
    start: datetime,
    stop: datetime,
    value: float,
    *,
    n: int = 24,
    due: int = 24,
    code: int = 0,
    at: datetime | None = None,
) -> None:
    """One figure of a sensor's series."""
    owner.execute(
        f"INSERT INTO {domain}.figure (start, stop, at, value, low, high, subject_id, n, due, code,"
        " indicator_id, status, method, provisional, indicative)"
        " SELECT %s, %s, coalesce(%s::timestamptz, '-infinity'), %s, 'NaN', 'NaN', %s, %s, %s, %s, indicator_id,"
        " 1, 0, false, false FROM city.indicator WHERE indicator = %s".encode(),
        (start, stop, at, value, series(owner, sensor), n, due, code, indicator),
    )


def ledger(
    owner: psycopg.Connection[Any], sensor: str, ago: str, received: int, refused: int = 0
) -> None:
    """One folded hour: every message held one reading."""
    stored = received - refused
    owner.execute(
        "INSERT INTO pipeline.sensor_hour (hour, messages_received, messages_qos0, messages_decoded,"
        " messages_refused, readings_decoded, readings_stored, readings_duplicate,"
        " readings_refused, sensor_id)"
        " SELECT date_trunc('hour', now() - %s::interval), %s, 0, %s, %s, %s, %s, 0, 0, sensor_id"
        "   FROM city.sensor WHERE code = %s",
        (ago, received, stored, refused, stored, stored, sensor),
    )
