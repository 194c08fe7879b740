"""A recount from the tables says what the ledger says, or what is off and why."""

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import AsyncIterator

import psycopg
import pytest
from typer.testing import CliRunner

from beffroi import books
from beffroi.cli import app
from beffroi.records import recount
from beffroi.records.ledger import Question, show
from processors import upkeep
from processors.settings import Settings
from storage import audit, folding
from storage.balance import Equation, Grouping
from storage.city import parse
from storage.registry import register
from tests.integration.ledger_city import (
    A_BIT_OF_EVERYTHING,
    BROKEN,
    CSV,
    NONE,
    TEN,
    TOML,
    WRONG_FIELD,
    Collector,
    air,
    count,
    findings,
    meter,
    opened,
)


@pytest.fixture
def city(connection: psycopg.Connection) -> psycopg.Connection:
    register(connection, parse(TOML, CSV))
    return connection


@pytest.fixture
async def collector(city: psycopg.Connection, database: str) -> AsyncIterator[Collector]:
    running = await opened(database)
    yield running
    await running.connection.close()


@pytest.fixture
async def another(city: psycopg.Connection, database: str) -> AsyncIterator[Collector]:
    running = await opened(database)
    yield running
    await running.connection.close()


# Recounting --------------------------------------------------------------------


async def test_a_recount_agrees_after_everything_that_may_happen_to_the_books(
    collector: Collector, city: psycopg.Connection, capsys: pytest.CaptureFixture[str]
):
    await collector.receive(*A_BIT_OF_EVERYTHING)
    await collector.receive(*A_BIT_OF_EVERYTHING)
    await folding.fold(collector.connection, after=NONE)
    await collector.receive(*A_BIT_OF_EVERYTHING, at=TEN + datetime.timedelta(hours=2))
    city.execute(
        "INSERT INTO pipeline.action (person, action, series_id, readings, detail, why)"
        " SELECT 'anna', 'delete', series_id, count(*), '', 'erasure' FROM air.reading"
        " WHERE value = 9.5 GROUP BY series_id"
    )
    city.execute("DELETE FROM air.reading WHERE value = 9.5")
    settings = Settings(refusal_days=1)
    later = TEN + datetime.timedelta(days=30)
    done = await upkeep.keep_up(collector.connection, settings, later)

    assert (done.folded, done.forgotten.rows, count(city, "pipeline.refusal")) == (0, 15, 0)
    assert done.unbalanced == 0
    assert findings(city) == []
    assert books.take(city).balanced
    assert recount.check(None, True) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["balanced"], told["rows"], told["findings"]) == (True, 3, [])
    assert told["held"] == {"readings": 4, "refused_readings": 6, "refused_messages": 9}


BY_HAND = [
    ("DELETE FROM air.reading WHERE value = 9.5", Equation.STORED, 3, 2, "deleted by hand"),
    (
        "INSERT INTO energy.reading SELECT time + interval '1 day', 1, series_id, 2"
        " FROM energy.reading",
        Equation.STORED, 1, 2, "past the collector",
    ),
    (
        "INSERT INTO air.reading VALUES ('2026-03-01', 1, 4711, 2)",
        Equation.STORED, 0, 1, "past the collector",
    ),
    (
        "DELETE FROM pipeline.refusal WHERE reason = 'bad_payload'",
        Equation.REFUSED_MESSAGES, 1, 0, "refusals were deleted",
    ),
    (
        "DELETE FROM pipeline.refusal WHERE reason = 'conflict'",
        Equation.REFUSED_READINGS, 2, 1, "refusals were deleted",
    ),
    (
        "UPDATE pipeline.refusal SET readings = 5 WHERE reason = 'conflict'",
        Equation.REFUSED_READINGS, 2, 6, "refusals were inserted",
    ),
]  # fmt: skip


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize(("statement", "equation", "ledger", "found", "words"), BY_HAND)
async def test_a_recount_finds_what_was_changed_by_hand(
    collector: Collector,
    city: psycopg.Connection,
    capsys: pytest.CaptureFixture[str],
    folded: bool,
    statement: str,
    equation: Equation,
    ledger: int,
    found: int,
    words: str,
):
    await collector.receive(*A_BIT_OF_EVERYTHING)
    if folded:
        await folding.fold(collector.connection, after=NONE)
    assert findings(city) == []
    city.execute(statement.encode())

    assert findings(city) == [(equation, ledger, found)]
    assert not books.take(city).balanced
    assert recount.check(None, False) == 1
    out = capsys.readouterr().out
    assert words in out.replace("\n", " ")
    assert f"{found - ledger:+d}" in out


@pytest.mark.parametrize(
    ("statement", "fold_first"),
    [
        ("UPDATE pipeline.batch SET readings_stored[3] = 4", False),
        ("UPDATE pipeline.sensor_hour SET readings_stored = 4 WHERE sensor_id = 1", True),
    ],
)
async def test_a_recount_finds_a_ledger_row_that_was_changed(
    collector: Collector,
    city: psycopg.Connection,
    capsys: pytest.CaptureFixture[str],
    statement: str,
    fold_first: bool,
):
    await collector.receive(*A_BIT_OF_EVERYTHING)
    if fold_first:
        await folding.fold(collector.connection, after=NONE)
    assert await folding.unbalanced(collector.connection) == 0
    city.execute(statement.encode())

    assert findings(city) == [(Equation.READINGS, 6, 7), (Equation.STORED, 4, 3)]
    assert await folding.unbalanced(collector.connection) == 1
    assert recount.check("air-1", True) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["findings"][0]["hour"] == "2026-03-01T10:00:00+00:00"
    assert recount.check("meter-1", True) == 0
    assert show(Question(start="2026-03-01", as_json=True)) == 0
    told = capsys.readouterr().out.splitlines()[-1]
    assert json.loads(told)["balanced"] is False


async def test_chunks_that_were_dropped_are_named_and_can_be_booked(
    collector: Collector, city: psycopg.Connection, capsys: pytest.CaptureFixture[str]
):
    for day in range(0, 90, 10):
        at = TEN + datetime.timedelta(days=day)
        await collector.receive(air(day * 1440), meter(day * 1440), at=at)
    city.execute("SELECT drop_chunks('air.reading', timestamptz '2026-04-15')")
    left = count(city, "air.reading")
    assert 0 < left < 9

    assert findings(city) == [(Equation.STORED, 9, left)]
    assert recount.check(None, False) == 1
    assert "chunks were dropped" in capsys.readouterr().out
    city.execute("DELETE FROM energy.reading WHERE time < '2026-03-02'")
    assert recount.check("air-1", False, "kept for 45 days") == 0
    assert "Booked 1 difference:" in capsys.readouterr().out
    assert findings(city) == [(Equation.STORED, 9, 8)]
    row = city.execute("SELECT readings, detail, why FROM pipeline.action").fetchall()
    assert row == [(9 - left, "stored", "kept for 45 days")]
    assert recount.check(None, True, "by mistake") == 0
    assert findings(city) == []
    await collector.receive(air(1), meter(1))
    assert findings(city) == []


async def test_refusals_deleted_by_hand_can_be_booked(
    collector: Collector, city: psycopg.Connection
):
    await collector.receive(*A_BIT_OF_EVERYTHING)
    city.execute("DELETE FROM pipeline.refusal")
    assert len(findings(city)) == 4

    assert recount.check(None, True, "truncated") == 0
    assert findings(city) == []


async def test_an_unequal_hour_cannot_be_booked_away(
    collector: Collector, city: psycopg.Connection
):
    await collector.receive(air(0))
    city.execute("UPDATE pipeline.batch SET messages_received[1] = 2")

    assert recount.check(None, True, "no idea") == 1
    assert findings(city) == [(Equation.MESSAGES, 2, 1)]


async def test_two_recounts_do_not_book_the_same_difference(
    collector: Collector, city: psycopg.Connection, another: Collector
):
    await another.connection.execute("SELECT pg_advisory_lock($1)", audit._LOCK)

    with pytest.raises(audit.AdjustingError, match="try again"):
        audit.adjust(city, None, "anna", "twice")


async def test_a_recount_is_right_while_collectors_commit_and_batches_are_folded(
    collector: Collector, another: Collector, city: psycopg.Connection, database: str
):
    committing = True

    async def commit() -> None:
        for number in range(60):
            await collector.receive(
                *(air(10 * number + k) for k in range(20)), meter(number), BROKEN, WRONG_FIELD
            )

    async def fold() -> None:
        while committing:
            await folding.fold(another.connection, after=NONE, limit=5)

    def watch() -> list[int]:
        seen = []
        with psycopg.connect(database, autocommit=True) as connection:
            while committing:
                done = audit.recount(connection)
                assert done.findings == []
                seen.append(done.rows)
        return seen

    tasks = [asyncio.create_task(fold()), asyncio.create_task(asyncio.to_thread(watch))]
    await commit()
    committing = False
    _, seen = await asyncio.gather(*tasks)

    assert len(set(seen)) > 3
    assert count(city, "air.reading") == 610


# What is shown -----------------------------------------------------------------


def test_an_empty_database_has_a_balanced_ledger(
    connection: psycopg.Connection, capsys: pytest.CaptureFixture[str]
):
    assert show(Question()) == 0
    assert capsys.readouterr().out.startswith("Nothing was received from ")
    assert show(Question(as_json=True)) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["balanced"], told["lines"]) == (True, [])
    assert recount.check(None, False) == 0
    out = capsys.readouterr().out
    assert "Counted 0 readings" in out
    assert "The ledger balances" in out


async def test_the_ledger_is_shown_by_day_hour_and_sensor(
    collector: Collector, capsys: pytest.CaptureFixture[str]
):
    await collector.receive(*A_BIT_OF_EVERYTHING)
    await collector.receive(air(5), at=TEN + datetime.timedelta(hours=1), qos=0)
    await collector.receive(meter(15), at=TEN + datetime.timedelta(days=1))

    def told(by: Grouping, **more: str) -> dict[str, dict[str, int]]:
        assert show(Question(by, "2026-03-01", "2026-03-03", as_json=True, **more)) == 0
        answer = json.loads(capsys.readouterr().out)
        return {line.pop(by.value): line for line in answer["lines"]}

    days = told(Grouping.DAY)
    assert [d["messages_received"] for d in days.values()] == [10, 1]
    assert list(days) == ["2026-03-01", "2026-03-02"]
    assert days["2026-03-01"]["messages_qos0"] == 1
    assert list(told(Grouping.HOUR)) == ["2026-03-01 10:00", "2026-03-01 11:00", "2026-03-02 10:00"]
    per_sensor = told(Grouping.SENSOR)
    assert list(per_sensor) == ["air-1", "meter-1", "unknown devices", "unreadable topics"]
    assert per_sensor["unknown devices"]["messages_refused"] == 1
    assert per_sensor["unreadable topics"]["messages_refused"] == 1
    assert per_sensor["air-1"]["readings_stored"] == 4
    assert next(iter(told(Grouping.DAY, sensor="meter-1").values()))["messages_received"] == 1


async def test_the_ledger_speaks_in_words(collector: Collector, capsys: pytest.CaptureFixture[str]):
    await collector.receive(*A_BIT_OF_EVERYTHING, qos=0)
    assert show(Question(start="2026-03-01", stop="2026-03-02")) == 0
    out = capsys.readouterr().out

    assert "2026-03-01" in out
    assert "1 of the messages came from devices that nobody registered" in out
    assert "1 of the messages had topics that no binding reads" in out
    assert "9 of the messages came at QoS 0, which nothing protects" in out
    assert "Most refused: air-1 (3)" in out
    assert "It balances" in out
    assert max(map(len, out.splitlines())) <= 110


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (Question(sensor="air-2"), "no sensor is called 'air-2'; did you mean air-1"),
        (Question(start="yesterday"), "--from: 'yesterday' is no time; write one like"),
        (Question(stop="2026-13-01"), "--to: '2026-13-01' is no time"),
        (Question(stop="0001-01-01"), "must lie within the calendar"),
        (Question(start="2026-03-02", stop="2026-03-01"), "must be before --to"),
    ],
)
async def test_a_wrong_question_is_answered_with_what_to_write(
    city: psycopg.Connection, capsys: pytest.CaptureFixture[str], question: Question, words: str
):
    assert show(question) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--adjust"], "--adjust and --why"),
        (["--why", "because"], "--adjust and --why"),
        (["--adjust", "--why", " "], "--adjust and --why"),
        (["--check", "--from", "2026-03-01"], "leave out --from and --to"),
        (["--check", "--sensor", "meter"], "no sensor is called 'meter'; did you mean meter-1"),
    ],
)
async def test_options_that_do_not_go_together_are_told(
    city: psycopg.Connection, arguments: list[str], words: str
):
    told = CliRunner().invoke(app, ["ledger", *arguments])

    assert told.exit_code == 2
    assert words in told.stderr


async def test_the_command_ends_with_1_when_the_tables_disagree(
    collector: Collector, city: psycopg.Connection
):
    await collector.receive(air(0))
    assert CliRunner().invoke(app, ["ledger", "--check"]).exit_code == 0
    city.execute("DELETE FROM air.reading")

    assert CliRunner().invoke(app, ["ledger"]).exit_code == 0
    assert CliRunner().invoke(app, ["ledger", "--check"]).exit_code == 1
