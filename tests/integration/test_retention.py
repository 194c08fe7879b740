"""Refusals are bounded when they are written, and forgotten in time; every one stays counted."""

from __future__ import annotations

import datetime

import psycopg
import pytest

from collector.again import Replayed
from collector.masking import mask_payload
from storage.allowance import Allowance
from storage.retention import Forgotten, forget_refusals
from tests.integration.refused_city import (
    AIR_2,
    NINE,
    City,
    collect,
    connected,
    message,
    reading,
    replay_all,
)

AIR_1_TOPIC, AIR_2_TOPIC = "city/mairie/air-1", "city/mairie/air-2"
NOW = NINE + datetime.timedelta(days=10)
MUCH = 1 << 40


@pytest.fixture
def city(connection: psycopg.Connection) -> City:
    return City(connection)


async def forget(connection, **limits: float) -> Forgotten:
    wanted = {"keep_days": 30, "total_bytes": MUCH, "sensor_bytes": MUCH} | limits
    return await forget_refusals(connection, now=NOW, **wanted)


def test_a_device_may_fill_its_share_of_a_minute_and_no_more():
    allowance = Allowance(sensor=1000, strangers=2000, total=3000)
    allowance.begin(0)
    granted = [allowance.grant(7, "a", 400) for _ in range(3)]
    others = [allowance.grant(0, topic, 1000) for topic in ("x", "y", "z")]

    assert granted == [True, True, False]
    # Devices nobody registered count by topic, and together.
    assert others == [True, True, False]
    assert allowance.grant(8, "b", 400) is False  # all together
    allowance.settle()
    allowance.begin(59_000_000)
    assert allowance.grant(7, "a", 400) is False
    allowance.begin(60_000_000)
    assert allowance.grant(7, "a", 400) is True


def test_what_was_not_committed_may_be_asked_for_again():
    allowance = Allowance(sensor=1000)
    for _ in range(3):
        allowance.begin(0)
        assert allowance.grant(7, "a", 900)


async def test_a_flood_of_refused_payloads_takes_little_room_and_every_message_counts(city: City):
    async with connected() as connection:
        allowance = Allowance()
        for _ in range(20):
            flood = [message(AIR_1_TOPIC, b"{" + b" " * 4000) for _ in range(50)]
            await collect(connection, [*flood, message(AIR_2_TOPIC, reading(1, no2=1))], allowance)

        room = city.connection.execute(
            "SELECT sum(length(payload)), count(*), sum(messages) FROM pipeline.refusal"
            " WHERE reason = 'bad_payload'"
        ).fetchone()
        assert room is not None
        assert room[0] <= 1 << 20
        assert room[1] <= 300
        assert room[2] == 1000
        shared = city.connection.execute(
            "SELECT messages, bytes, payload, detail FROM pipeline.refusal"
            " WHERE messages > 1 ORDER BY refusal_id DESC LIMIT 1"
        ).fetchone()
        assert shared is not None
        assert shared[:3] == (50, 50 * 4001, b"")
        assert shared[3].startswith("too much was refused in this minute to keep all; the first")
        assert city.ledger()["air-1"] == (1000, 0, 1000, 0, 0, 0, 0)
        city.assert_balanced()

        # The other device's refusals are all there, and can be replayed.
        city.add(AIR_2)
        done = await replay_all(connection)
    assert (done.stored, done.duplicate, done.settled) == (1, 19, 20)
    assert (
        done.cut
        == city.connection.execute(
            "SELECT count(*) FROM pipeline.refusal WHERE payload = ''"
        ).fetchone()[0]
    )  # type: ignore[index]
    city.assert_balanced()


async def test_of_a_flood_only_the_payloads_that_are_kept_are_searched_for_identifiers(
    city: City, monkeypatch: pytest.MonkeyPatch
):
    searched: list[int] = []

    def counting(payload: bytes, keep: frozenset[str]) -> bytes:
        searched.append(len(payload))
        return mask_payload(payload, keep)

    monkeypatch.setattr("collector.refusing.mask_payload", counting)
    async with connected() as connection:
        flood = [message(AIR_1_TOPIC, b"{" + b" " * 100_000) for _ in range(200)]
        await collect(connection, flood, Allowance(sensor=1 << 20))

    assert 500_000 < sum(searched) <= 1 << 20
    city.assert_balanced()


async def test_a_flood_of_refused_readings_is_counted_reading_by_reading(city: City):
    async with connected() as connection:
        allowance = Allowance(sensor=2000)
        odd = [message(AIR_1_TOPIC, reading(1, no2=n, odd=n, strange=n)) for n in range(100)]
        await collect(connection, odd, allowance)

    assert city.ledger() == {"air-1": (100, 100, 0, 300, 1, 0, 299)}
    shared = {row[2:]: row for row in city.refusals() if row[4] > 1}
    assert {field for field, _, _ in shared} == {"no2", "(several)"}
    assert len(city.refusals()) < 12
    city.assert_balanced()


async def test_conflicts_of_one_message_share_rows_beyond_fifty(city: City):
    pack = [
        {"bn": "air-1:", "bt": 1772352000, "n": "no2", "u": "ug/m3", "v": n} for n in range(200)
    ]
    async with connected() as connection:
        await collect(connection, [message("senml/x", pack)])

    rows = city.refusals()
    assert (len(rows), sum(row[4] for row in rows)) == (50, 199)
    assert city.ledger() == {"air-1": (1, 1, 0, 200, 1, 0, 199)}
    city.assert_balanced()


async def test_refusals_older_than_a_week_are_forgotten_and_stay_counted(city: City):
    async with connected() as connection:
        for day in range(10):
            at = NINE + datetime.timedelta(days=day)
            await collect(
                connection,
                [
                    message(AIR_2_TOPIC, reading(day, no2=1), at=at),
                    message(AIR_1_TOPIC, reading(day, no2=1, odd=1, strange=1), at=at),
                ],
            )
        # The oldest that is kept was received seven days before, to the microsecond.
        done = await forget(connection, keep_days=7)
        again = await forget(connection, keep_days=7)

    assert (done.messages, done.rows) == (6, 9)
    assert again == Forgotten()
    assert len(city.refusals()) == 21
    forgotten = city.connection.execute(
        "SELECT s.code, day::text, cause, messages, readings"
        "  FROM pipeline.forgotten JOIN city.sensor s USING (sensor_id) ORDER BY 1"
    ).fetchall()
    assert forgotten == [
        ("(unknown sensor)", "2026-03-11", "age", 3, 0),
        ("air-1", "2026-03-11", "age", 0, 6),
    ]
    city.assert_balanced()


async def test_a_broken_device_does_not_push_out_what_others_had_refused(city: City):
    async with connected() as connection:
        for minute in range(5):
            at = NINE + datetime.timedelta(minutes=minute)
            await collect(connection, [message(AIR_2_TOPIC, reading(minute, no2=1), at=at)])
            await collect(
                connection, [message(AIR_1_TOPIC, b"{" + b" " * 1000, at=at) for _ in range(40)]
            )
        size = sum(200 + 1001 for _ in range(200))

        done = await forget(connection, sensor_bytes=size // 2)

    kept = [row[1] for row in city.refusals()]
    assert kept.count("(unknown sensor)") == 5
    # Down to nine tenths of the limit.
    assert kept.count("air-1") == 90
    assert done.messages == 110
    oldest = city.connection.execute(
        "SELECT min(received_at) FROM pipeline.refusal WHERE reason = 'bad_payload'"
    ).fetchone()
    assert oldest is not None
    assert oldest[0] >= NINE + datetime.timedelta(minutes=2)
    city.assert_balanced()


async def test_all_refusals_together_are_bounded_oldest_first(city: City):
    async with connected() as connection:
        for sensor in range(20):
            at = NINE + datetime.timedelta(minutes=sensor)
            await collect(
                connection, [message(f"city/x/{sensor}", b" " * 800, at=at) for _ in range(100)]
            )
        done = await forget(connection, total_bytes=1_000_000)

        assert done.messages == 1100
        assert len(city.refusals()) == 900
        kept = city.connection.execute("SELECT DISTINCT topic FROM pipeline.refusal").fetchall()
        assert {row[0] for row in kept} == {f"city/x/{sensor}" for sensor in range(11, 20)}
        city.assert_balanced()
        assert await forget(connection, total_bytes=1_000_000) == Forgotten()


async def test_whole_messages_are_forgotten_with_all_their_rows(city: City):
    async with connected() as connection:
        fields = {f"odd{n}": n for n in range(40)}
        await collect(connection, [message(AIR_1_TOPIC, reading(n, **fields)) for n in range(5)])

        await forget(connection, sensor_bytes=30_000)

    rows = city.connection.execute(
        "SELECT message_id, count(*), count(*) FILTER (WHERE payload <> '')"
        " FROM pipeline.refusal GROUP BY 1"
    ).fetchall()
    assert [row[1:] for row in rows] == [(40, 1)] * 3
    city.assert_balanced()


async def test_a_message_under_replay_is_not_forgotten(city: City, database: str):
    async with connected() as connection:
        await collect(connection, [message(AIR_2_TOPIC, reading(n, no2=n)) for n in range(2)])
        with psycopg.connect(database) as holding:
            holding.execute("SELECT FROM pipeline.refusal ORDER BY refusal_id LIMIT 1 FOR UPDATE")
            first = await forget(connection, keep_days=1)
        second = await forget(connection, keep_days=1)

    assert (first.messages, second.messages) == (1, 1)
    city.assert_balanced()


async def test_room_made_by_a_replay_is_known_before_anything_is_dropped(city: City):
    async with connected() as connection:
        sent = [message(AIR_2_TOPIC, reading(n % 60, no2=n), at=NINE) for n in range(50)]
        await collect(connection, sent)
        city.add(AIR_2)
        done = await replay_all(connection)
        assert isinstance(done, Replayed)
        await collect(connection, [message("city/x/ghost", bytes(10)) for _ in range(20)])

        # Rows deleted by hand are in no sum; they are found before they cost others.
        city.connection.execute("DELETE FROM pipeline.refusal WHERE topic = 'city/x/ghost'")
        await collect(connection, [message("city/x/other", bytes(10)) for _ in range(20)])
        forgotten = await forget(connection, sensor_bytes=5000, total_bytes=5000)

    assert forgotten == Forgotten()
    sizes = city.connection.execute("SELECT sum(bytes) FROM pipeline.refusal_size").fetchone()
    assert sizes == (20 * 210,)


async def test_a_look_with_nothing_to_do_does_not_read_the_refusals(city: City):
    async with connected() as connection:
        sent = [message(f"city/x/{n}", bytes(10)) for n in range(2000)]
        await collect(connection, sent)
        city.connection.execute("ANALYZE pipeline.refusal")
        await forget(connection)
        await connection.execute("SELECT pg_stat_force_next_flush()")
        before = await _rows_read(connection)

        assert await forget(connection) == Forgotten()

        assert await _rows_read(connection) - before < 10


async def _rows_read(connection) -> int:
    await connection.execute("SELECT pg_stat_force_next_flush()")
    await connection.execute("SELECT pg_stat_clear_snapshot()")
    return await connection.fetchval(
        "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables"
        " WHERE schemaname = 'pipeline' AND relname = 'refusal'"
    )
