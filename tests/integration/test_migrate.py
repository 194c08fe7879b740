"""The schema: applied once, in order, forward only."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Iterator
from dataclasses import replace

import asyncpg
import psycopg
import pytest

from beffroi.embedded.testing import TestCluster
from storage import folding
from storage.audit import recount
from storage.catalogue import METRICS
from storage.indicators.catalogue import INDICATORS
from storage.migrate import OtherSchemaError, migrate, migrations


@pytest.fixture
def empty(cluster: TestCluster) -> Iterator[psycopg.Connection]:
    cluster.template("empty", lambda conninfo: None)
    conninfo = cluster.clone("empty")
    with psycopg.connect(conninfo, autocommit=True) as connection:
        yield connection
    cluster.drop(conninfo)


def test_an_empty_database_is_migrated_once(empty: psycopg.Connection):
    assert migrate(empty) == [name for _, name, _ in migrations()]
    assert migrate(empty) == []


def test_indicators_keep_their_numbers_and_use_up_none_however_often_it_is_migrated(
    empty: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
):
    for _ in range(3):
        migrate(empty)
    empty.execute("UPDATE city.indicator SET unit = 'former' WHERE indicator = 'eaqi'")
    before = dict(empty.execute("SELECT indicator, indicator_id FROM city.indicator").fetchall())
    new = replace(INDICATORS[0], name="new")
    monkeypatch.setattr("storage.migrate.INDICATORS", (new, *INDICATORS))

    migrate(empty)

    after = dict(empty.execute("SELECT indicator, indicator_id FROM city.indicator").fetchall())
    assert after == before | {"new": len(INDICATORS) + 1}
    assert empty.execute("SELECT unit FROM city.indicator WHERE indicator = 'eaqi'").fetchone() == (
        "1",
    )


def test_the_metric_table_says_what_the_catalogue_says(empty: psycopg.Connection):
    migrate(empty)
    found = empty.execute("SELECT metric, domain, unit, kind, low, high, label_fr FROM city.metric")

    assert sorted(found.fetchall()) == sorted(
        (m.name, m.domain, m.unit, m.kind, m.low, m.high, m.labels["fr"]) for m in METRICS
    )


def test_ledger_and_refusals_of_the_first_schema_survive(
    empty: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
):
    every = migrations()
    monkeypatch.setattr("storage.migrate.migrations", lambda: every[:1])
    monkeypatch.setattr("storage.migrate.save_indicators", lambda *_: None)  # it had none
    monkeypatch.setattr("storage.migrate.renew_grants", lambda *_: [])  # nor readers
    assert migrate(empty) == ["0001_first.sql"]
    # Two commits in one hour; three messages refused in part, one of them twice, and one whole.
    empty.execute(
        """
        INSERT INTO pipeline.batch (
               hour, sensor_id, messages_received, messages_decoded, messages_refused,
               readings_decoded, readings_stored, readings_duplicate, readings_refused)
        VALUES ('2026-03-01 10:00Z', '{0,7}', '{1,4}', '{0,4}', '{1,0}', '{0,9}', '{0,2}', '{0,3}',
                '{0,4}'),
               ('2026-03-01 10:00Z', '{7}', '{2}', '{2}', '{0}', '{2}', '{1}', '{1}', '{0}')
        """
    )
    empty.execute(
        """
        INSERT INTO pipeline.refusal (received_at, sensor_id, topic, payload, field, reason, detail,
                                      readings)
        VALUES ('2026-03-01 10:00:01Z', 7, 'a', 'first', 'x', 'bad_value', '', 1),
               ('2026-03-01 10:00:01Z', 7, 'a', '', 'y', 'bad_value', '', 1),
               ('2026-03-01 10:00:02Z', 7, 'a', 'second', 'x', 'bad_value', '', 2),
               ('2026-03-01 10:00:02Z', 0, 'b', 'other', '', 'unknown_sensor', '', 1)
        """
    )
    series = "SELECT '2026-03-01 10:00Z'::timestamptz + n * interval '1 minute', n, 1, 2"
    empty.execute(
        "INSERT INTO city.sensor (sensor_id, code) VALUES (7, 'air-7');"
        "INSERT INTO city.series (sensor_id, metric, field, unit, scale, shift, step_s, stamp)"
        " VALUES (7, 'no2', 'x', 'ug/m3', 1, 0, 60, 'start');"
        f"INSERT INTO air.reading {series} FROM generate_series(1, 3) n"
    )
    columns = (
        "sensor_id, hour, messages_received, messages_decoded, messages_refused,"
        " readings_decoded, readings_stored, readings_duplicate, readings_refused"
    )
    ledger = f"SELECT {columns} FROM pipeline.ledger ORDER BY sensor_id"
    kept = "SELECT received_at, topic, payload, field, readings FROM pipeline.refusal ORDER BY refusal_id"
    before = empty.execute(ledger).fetchall(), empty.execute(kept).fetchall()
    assert [row[2:] for row in before[0]] == [(1, 0, 1, 0, 0, 0, 0), (6, 6, 0, 11, 3, 4, 4)]

    monkeypatch.undo()
    assert migrate(empty) == [name for _, name, _ in every[1:]]

    assert (empty.execute(ledger).fetchall(), empty.execute(kept).fetchall()) == before
    messages = empty.execute(
        "SELECT dense_rank() OVER (ORDER BY message_id), bytes, messages FROM pipeline.refusal"
        " ORDER BY refusal_id"
    ).fetchall()
    assert messages == [(1, 5, 1), (1, 0, 1), (2, 6, 1), (3, 5, 1)]
    assert recount(empty).findings == []
    assert asyncio.run(_fold(empty.info)) == 2
    assert (empty.execute(ledger).fetchall(), recount(empty).findings) == (before[0], [])
    assert empty.execute("SELECT max(messages_qos0) FROM pipeline.sensor_hour").fetchone() == (0,)


async def _fold(to: psycopg.ConnectionInfo) -> int:
    connection = await asyncpg.connect(
        host=to.host, port=to.port, user=to.user, password=to.password, database=to.dbname
    )
    try:
        return await folding.fold(connection, after=datetime.timedelta(0))
    finally:
        await connection.close()


def test_fifteen_hypertables_are_there(empty: psycopg.Connection):
    migrate(empty)
    found = empty.execute(
        "SELECT hypertable_schema, hypertable_name FROM timescaledb_information.hypertables"
    ).fetchall()

    assert sorted(found) == sorted(
        (domain, table)
        for domain in ("air", "mobility", "energy")
        for table in ("reading", "rollup_15min", "rollup_1h", "rollup_1d", "figure")
    )


def test_a_database_of_a_newer_version_is_left_alone(empty: psycopg.Connection):
    migrate(empty)
    empty.execute("INSERT INTO public.migration VALUES (9999, '9999_later.sql', 'x')")

    with pytest.raises(OtherSchemaError, match="install the newer version"):
        migrate(empty)


def test_a_database_made_by_another_text_of_a_migration_is_left_alone(empty: psycopg.Connection):
    migrate(empty)
    empty.execute("UPDATE public.migration SET sha256 = 'other'")

    with pytest.raises(OtherSchemaError, match=r"another text of 0001_first\.sql"):
        migrate(empty)
