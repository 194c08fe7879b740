"""From nothing that the board tells can be had how many a small cell hides.

Two cities that differ in nothing but in counts of 1 to 4 of published cells look the same: in
every view, of every place, in words, drawings, tables, data and events.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import psycopg
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.board import language, method
from dashboards.board.ground import GroundReads
from dashboards.board.live import live
from dashboards.board.method import MethodReads
from dashboards.board.open_json import as_json
from dashboards.board.pages import histories
from dashboards.board.rows import Registered, Rows, Window
from dashboards.board.views.catalogue import views
from dashboards.board.views.moving_days import counted
from dashboards.board.views.view import Asked
from dashboards.settings import Settings
from storage.catalogue import BY_NAME

NOW = datetime(2026, 3, 12, 14, 37, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 11, 23, tzinfo=UTC)
QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
COUNTED = ("bikes", "pedestrians", "vehicles")

# Every second quarter-hour and hour counts few, differently in each city.
_SMALL = """
UPDATE mobility.{table} r
   SET sum = n, min = n, max = n, first = n, last = n
  FROM (SELECT series_id, start, {count} AS n
          FROM mobility.{table} JOIN public.series USING (series_id),
               LATERAL (SELECT (extract(epoch FROM start) / {width_s})::int + series_id AS k) c
         WHERE metric IN ('bikes', 'pedestrians', 'vehicles') AND k % 2 = 0) s
 WHERE (r.series_id, r.start) = (s.series_id, s.start)
"""
# One counter sends whenever somebody passes, one by the hour.
_SENDERS = (
    "UPDATE city.series SET step_s = 0 WHERE series_id IN"
    " (SELECT series_id FROM public.series WHERE sensor = 'eco-001')",
    "UPDATE city.series SET step_s = 3600 WHERE series_id IN"
    " (SELECT series_id FROM public.series WHERE sensor = 'eco-003')",
)
_EVENTS = """
UPDATE mobility.rollup_15min SET received = sum, good = sum, suspect = 0, expected = 0
 WHERE series_id IN (SELECT series_id FROM public.series
                      WHERE sensor = 'eco-001' AND metric IN ('bikes', 'pedestrians', 'vehicles'))
"""


def small(conninfo: str, count: str) -> None:
    """Give the city its small counts."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for statement in _SENDERS:
            connection.execute(statement)
        for table, width_s in (("rollup_15min", 900), ("rollup_1h", 3600)):
            connection.execute(_SMALL.format(table=table, width_s=width_s, count=count))
        connection.execute(_EVENTS)


def told(conninfo: str, now: datetime) -> dict[str, str]:
    """Everything that the board tells of every place, by what tells it."""

    async def all_of_it() -> dict[str, str]:
        connection = await asyncpg.connect(conninfo)
        try:
            ground = await GroundReads().load(connection, now, None)
            methods = await MethodReads().load(connection, now, None)
            found = {}
            for name, view in views(Settings()).items():
                rows = await view.load(connection, now, None)
                for code in ("", *(place.code for place in ground.places)):
                    where = ground.where(code)
                    asked = Asked(where, language.language("en"), now)
                    sheet = view.say(rows, asked)
                    found[f"{name} {code} page"] = repr(sheet)
                    found[f"{name} {code} data"] = repr(
                        as_json(sheet, where, now, now, away=False, language="en")
                    )
                    found[f"{name} {code} events"] = repr(
                        live(sheet, where, now, asked.language, "")
                    )
                    for fact in sheet.facts if name == "now" else ():
                        found[f"method {fact.key} {code}"] = repr(
                            method.method(methods, fact.key, where, asked.language, fact)
                        )
            return found
        finally:
            await connection.close()

    return asyncio.run(all_of_it())


def test_two_cities_that_differ_in_counts_of_1_to_4_alone_look_the_same(city: str) -> None:
    now = datetime.now(UTC)
    small(city, "1 + k / 2 % 4")
    first = told(city, now)
    small(city, "1 + (k / 2 + k / 14 + 1) % 4")
    second = told(city, now)

    assert [name for name in first if first[name] != second[name]] == []
    assert "Amount(value=2.5, about=True)" in first["now  page"]
    assert "below" in first["now 99001 data"]


def test_two_cities_that_differ_in_a_count_of_5_and_more_do_not(city: str) -> None:
    now = datetime.now(UTC)
    small(city, "1 + k / 2 % 4")
    first = told(city, now)
    small(city, "5 + k / 2 % 4")
    second = told(city, now)

    # The map tells of today: just after midnight there is nothing of it yet.
    today = {"map"} if now.astimezone(ZoneInfo("Europe/Paris")).hour >= 2 else set()
    assert {name.split()[0] for name in first if first[name] != second[name]} >= {
        "now", "moving", "method", *today,
    }  # fmt: skip


def registered(step_s: int, territory: str) -> Registered:
    known = BY_NAME["bikes"]
    return Registered(
        "bikes", known.domain, known.unit, known.kind, known.labels["fr"], known.labels["en"],
        known.labels["de"], known.public_step_s or 0, territory, territory, "Europe/Paris", step_s, 1,
    )  # fmt: skip


def windows(counts: list[int], width: timedelta, territory: str) -> list[Window]:
    seconds = int(width.total_seconds())
    return [
        Window("bikes", territory, seconds, MIDNIGHT + k * width, float(count), None, 1, 1)
        for k, count in enumerate(counts)
    ]


def looks(fast: list[int], slow: list[int], slow_at: str) -> list[object]:
    """What is told while a slow counter is heard of, and what once it has been silent for long."""
    registry = [registered(900, "a"), registered(3600, slow_at)]
    quarters = windows(fast, QUARTER, "a")
    found: list[object] = []
    for rows in (quarters + windows(slow, HOUR, slow_at), quarters):
        found.append(histories(Rows(registry, (), rows), NOW))
        found.append(counted(registry, rows, {}, NOW))
    return found


_COUNT = st.one_of(st.integers(0, 6), st.integers(0, 200))


@settings(max_examples=60, deadline=None)
@given(
    fast=st.lists(_COUNT, min_size=4, max_size=62),
    slow=st.lists(_COUNT, min_size=1, max_size=15),
    other=st.lists(st.integers(1, 4), min_size=77, max_size=77),
    slow_at=st.sampled_from("ab"),
)
def test_a_slow_counter_that_falls_silent_uncovers_no_quarter_hour(
    fast: list[int], slow: list[int], other: list[int], slow_at: str
) -> None:
    numbers = iter(other)
    changed_fast = [next(numbers) if 0 < count < 5 else count for count in fast]
    changed_slow = [next(numbers) if 0 < count < 5 else count for count in slow]

    assert looks(fast, slow, slow_at) == looks(changed_fast, changed_slow, slow_at)
