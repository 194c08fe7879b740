"""What a role that may only look tries next: functions that ask for no right, and counting below
a barrier."""

import asyncio
import datetime
import re
import subprocess

import asyncpg
import psycopg
import pytest

from storage import footprint_store
from storage.footprint import Footprint
from storage.migrate import migrate
from storage.reader_rights import EVERYBODY
from storage.readers import ReaderError, ensure_reader, planned
from tests.grafana.reader_roles import OTHER, readers_of, run_script

DENIED = psycopg.errors.InsufficientPrivilege
A_CHUNK = "(SELECT min(oid) FROM pg_class WHERE relname ~ '^_hyper_[0-9]+_[0-9]+_chunk$')"
# The planner puts something else in their place.
PLACEHOLDERS = {"time_bucket_gapfill", "locf", "interpolate"}


@pytest.fixture(scope="module")
def roles(cluster):
    with readers_of(cluster) as made:
        yield made


@pytest.mark.parametrize("who", ["board", "grafana", "one territory", "no row"])
@pytest.mark.parametrize(
    "statement",
    [
        f"SELECT _timescaledb_functions.drop_chunk({A_CHUNK})",
        f"SELECT _timescaledb_internal.drop_chunk({A_CHUNK})",
        # Given a hypertable or a view, this one takes the server down.
        "CALL public.merge_chunks('pg_class', 'pg_class')",
        f"SELECT _timescaledb_functions.attach_osm_table_chunk({A_CHUNK}, {A_CHUNK})",
        f"SELECT public.hypertable_size({A_CHUNK})",
        "SELECT pg_logical_emit_message(false, 'a', 'fills the log')",
    ],
)
def test_a_function_that_asks_for_no_right_is_not_for_readers(roles, who, statement):
    with psycopg.connect(roles.address[who], autocommit=True) as reader, pytest.raises(DENIED):
        reader.execute(statement)


def test_of_timescaledb_a_reader_calls_nothing_that_changes_something(roles):
    with roles.as_role("grafana") as reader:
        callable_ = {
            name
            for (name,) in reader.execute(
                """
                SELECT p.proname FROM pg_proc p
                  JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                  JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'timescaledb'
                 WHERE p.provolatile = 'v' AND p.prokind IN ('f', 'p')
                   AND p.prorettype <> 'trigger'::regtype
                   AND p.prorettype <> 'event_trigger'::regtype
                   AND has_function_privilege(p.oid, 'EXECUTE')
                """
            )
        }

    assert callable_ == PLACEHOLDERS


def counted(reader, view, condition):
    """How many rows each step of the plan had, as EXPLAIN ANALYZE tells anybody."""
    plan = reader.execute(
        "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF)"
        f" SELECT 1 FROM reader.{view} WHERE territory = '{OTHER}' AND {condition}".encode()
    )
    return re.findall(r"rows=\d+|Removed by .*", "\n".join(line for (line,) in plan))


def test_the_plan_counts_no_rows_of_others_by_their_values(roles):
    """By halving a threshold, whoever sees the count would find out the value."""
    ends = {
        "double precision": ("-1e308", "1e308"),
        "text": ("''", "'\U0010ffff'"),
        "bigint": ("-9223372036854775807", "9223372036854775807"),
    }
    with psycopg.connect(roles.owner) as owner:
        columns = owner.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns c"
            " WHERE table_schema = 'reader' AND data_type = ANY (%s) AND EXISTS"
            " (SELECT FROM information_schema.columns t WHERE t.table_schema = 'reader'"
            "  AND t.table_name = c.table_name AND t.column_name = 'territory')",
            [list(ends)],
        ).fetchall()
    told = []
    with roles.as_role("one territory") as reader:
        for view, column, kind in columns:
            low, high = ends[kind]
            if counted(reader, view, f'"{column}" > {low}') != counted(
                reader, view, f'"{column}" > {high}'
            ):
                told.append((view, column))

    assert len(columns) > 200
    assert told == []


@pytest.mark.parametrize(
    "condition",
    ["value = {}", "greatest(value, {0}) = {0}", "value = ANY (ARRAY[{}])", "value <> {}"],
)
def test_other_ways_to_compare_a_value_count_nothing_either(roles, condition):
    with psycopg.connect(roles.owner) as owner:
        (there,) = owner.execute(
            "SELECT value FROM air.readings WHERE territory = %s AND value IS NOT NULL LIMIT 1",
            [OTHER],
        ).fetchone()
    with roles.as_role("one territory") as reader:
        assert counted(reader, "air_readings", condition.format(there)) == counted(
            reader, "air_readings", condition.format(there + 1)
        )


OPENED = (
    "GRANT EXECUTE ON FUNCTION _timescaledb_functions.drop_chunk TO PUBLIC",
    "GRANT EXECUTE ON FUNCTION lo_create TO PUBLIC",
    "GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC",
    "ALTER FUNCTION float8lt LEAKPROOF",
)


@pytest.mark.parametrize("opened", OPENED)
def test_what_an_update_opens_again_the_next_migration_or_reader_shuts(
    connection, database, opened
):
    role = f"tried_{connection.info.dbname}"
    try:
        ensure_reader(connection, role, [])
        connection.execute(opened.encode())
        assert [said[:10] for said in planned(connection, role, [])] == ["everybody:"]

        with psycopg.connect(database) as migrating:
            migrate(migrating)
        assert planned(connection, role, []) == ()

        connection.execute(opened.encode())
        ensure_reader(connection, role, [])
        assert planned(connection, role, []) == ()
    finally:
        connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_the_shipped_script_makes_no_reader_where_everybody_may_drop_chunks(cluster, database):
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(OPENED[0].encode())

    with pytest.raises(subprocess.CalledProcessError):
        run_script(cluster, database)


def test_an_owner_without_superuser_makes_readers_once_a_superuser_shut_the_database(cluster):
    """A server that somebody else runs: the owner may make roles, and is no superuser."""
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS rented")
        admin.execute("CREATE ROLE tenant LOGIN CREATEROLE PASSWORD 'tenant'")
        admin.execute("CREATE DATABASE rented OWNER tenant")
    rest = cluster.conninfo("rented").partition("@")[2]
    address = f"postgresql://tenant:tenant@{rest}"
    try:
        with psycopg.connect(cluster.conninfo("rented"), autocommit=True) as admin:
            admin.execute("CREATE EXTENSION timescaledb")
        with psycopg.connect(address) as owner:
            migrate(owner)
            owner.autocommit = True
            with pytest.raises(ReaderError, match=r"everybody\.sql, run by a superuser"):
                ensure_reader(owner, "tried_rented", None)
            assert (
                owner.execute("SELECT 1 FROM pg_roles WHERE rolname = 'tried_rented'").fetchone()
                is None
            )

            with psycopg.connect(cluster.conninfo("rented"), autocommit=True) as admin:
                admin.execute(EVERYBODY)
            made = ensure_reader(owner, "tried_rented", None, new_password=True)
            assert ensure_reader(owner, "tried_rented", None).changes == ()
            with psycopg.connect(f"postgresql://tried_rented:{made.password}@{rest}") as reader:
                assert reader.execute("SELECT count(*) FROM reader.metrics").fetchone()[0] > 30
                with pytest.raises(DENIED):
                    reader.execute("SELECT * FROM city.metric")

            go_on(owner)
            asyncio.run(measure(address))
            assert owner.execute("SELECT count(*) > 15 FROM pipeline.relation_size").fetchone() == (
                True,
            )
            migrate(owner)
    finally:
        with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as admin:
            admin.execute("DROP DATABASE rented WITH (FORCE)")
            admin.execute("DROP ROLE IF EXISTS tried_rented; DROP ROLE tenant")


def go_on(owner):
    """What programs do as the owner: stage, lock, make chunks by storing, and drop them."""
    owner.execute("CREATE TEMPORARY TABLE staging (a int)")
    owner.execute("SELECT pg_advisory_lock(1), city.hold_revision()")
    owner.execute(
        "INSERT INTO air.reading (time, value, series_id, flag)"
        " VALUES ('2026-03-01Z', 1, 1, 1), ('2026-05-01Z', 1, 1, 1)"
    )
    dropped = owner.execute("SELECT drop_chunks('air.reading', '2026-04-01Z'::timestamptz)")
    assert len(dropped.fetchall()) == 1
    owner.execute("SELECT set_chunk_time_interval('air.reading', interval '1 day')")


async def measure(address):
    hour = datetime.datetime(2026, 5, 1, tzinfo=datetime.UTC)
    connection = await asyncpg.connect(address)
    try:
        used = Footprint("processor", hour, 3600, 1, 1)
        await footprint_store.save(connection, used)
        await footprint_store.measure(connection, used)
        await footprint_store.sum_ledger(connection, hour)
    finally:
        await connection.close()
