"""Whatever the clock shows and wherever a territory lies, every view has something sound to say."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import psycopg

from dashboards.board import language
from dashboards.board.facts import fact
from dashboards.board.figures import Amount
from dashboards.board.ground import GroundReads
from dashboards.board.live import live
from dashboards.board.open_json import as_json
from dashboards.board.pages import not_ahead
from dashboards.board.rows import Latest
from dashboards.board.sheet import Fact, State
from dashboards.board.views.catalogue import views
from dashboards.board.views.view import Asked
from dashboards.settings import Settings

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 3, 12, 14, 7, tzinfo=UTC)
MOMENTS = (
    datetime(2026, 3, 29, 12, 5, tzinfo=PARIS),  # of a day of 23 hours
    datetime(2026, 10, 25, 2, 30, tzinfo=PARIS),  # the first of two of that name
    datetime(2026, 10, 25, 2, 30, tzinfo=PARIS, fold=1),
    datetime(2026, 10, 25, 23, 59, 59, tzinfo=PARIS),
    datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=PARIS),
    datetime(2027, 1, 1, tzinfo=PARIS),
    datetime(2027, 1, 1, 0, 0, 1, tzinfo=PARIS),
    datetime(2028, 2, 29, 0, 7, tzinfo=PARIS),
)


async def _all_said(conninfo: str, moments: list[datetime]) -> list[tuple[str, Fact]]:
    connection = await asyncpg.connect(conninfo)
    found = []
    try:
        for now in moments:
            ground = await GroundReads().load(connection, now, None)
            for name, view in views(Settings()).items():
                rows = await view.load(connection, now, None)
                # Rows may be some minutes old when they are said.
                for later in (now, now + timedelta(minutes=10)):
                    for code in ("", *(place.code for place in ground.places)):
                        where = ground.where(code)
                        assert where is not None
                        asked = Asked(where, language.language("en"), later)
                        sheet = view.say(rows, asked)
                        as_json(sheet, where, later, now, away=False, language="en")
                        live(sheet, where, later, asked.language, "")
                        found += [(f"{name} {code} {later}", one) for one in sheet.facts]
    finally:
        await connection.close()
    return found


def test_every_view_speaks_at_every_moment_and_no_figure_is_younger_than_now(
    city: str,
) -> None:
    with psycopg.connect(city, autocommit=True) as connection:
        for code, zone in (("99002", "Asia/Kolkata"), ("08999001", "Pacific/Apia")):
            connection.execute(
                "UPDATE city.territory SET timezone = %s WHERE code = %s", [zone, code]
            )
    now = datetime.now(UTC)
    midnight = now.astimezone(PARIS).replace(hour=0, minute=0, second=0, microsecond=0)
    recent = [now, midnight, midnight + timedelta(seconds=3), midnight + timedelta(minutes=16)]
    told = asyncio.run(_all_said(city, [*recent, *MOMENTS, now - timedelta(minutes=4)]))

    assert [(name, one.key, one.age) for name, one in told if re.search("[-\u2212]", one.age)] == []
    # What was not measured has no number, and never a zero.
    assert [name for name, one in told if one.state is State.ABSENT and one.value] == []
    assert [name for name, one in told
            if one.state is State.ABSENT and one.quantity.value is not None] == []  # fmt: skip
    assert {one.state for _, one in told} >= {State.FRESH, State.STALE, State.ABSENT}


def _told(at: datetime, code: str = "en") -> Fact:
    return fact(
        language.language(code), key="no2", label="NO₂", amount=Amount(21.0), unit="ug/m3", at=at,
        step_s=60, now=NOW, timezone="Europe/Paris",
    )  # fmt: skip


def test_a_figure_up_to_5_minutes_ahead_is_new_and_one_further_ahead_says_of_when_it_is() -> None:
    near, far = (_told(NOW + timedelta(seconds=s)) for s in (299, 301))

    assert (near.state, near.age) == (State.FRESH, "just now")
    assert (far.state, far.said, far.age) == (
        State.STALE, "data of 12 Mar 15:12", "ahead of the clock",
    )  # fmt: skip
    assert _told(NOW + timedelta(hours=1), "fr").age == "en avance sur l’heure"


def test_a_sensor_whose_clock_is_ahead_does_not_speak_for_those_whose_is_right() -> None:
    right, wrong = (
        Latest("no2", "a", 60, NOW + timedelta(minutes=minutes), 20.0) for minutes in (-1, 6)
    )

    assert list(not_ahead([right, wrong], NOW)) == [right]
    assert list(not_ahead([wrong], NOW)) == [wrong]
