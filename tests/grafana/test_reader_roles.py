"""Every role that may look, at every relation of the database: what is granted works, no more."""

import psycopg
import pytest

from storage.reader_rights import rights_beyond
from storage.readers import (
    ensure_reader,
    planned,
)
from tests.grafana.reader_roles import readers_of, run_script

ROLES = ("board", "grafana", "one territory", "another territory", "no row")
OURS = ("public", "city", "pipeline", "air", "mobility", "energy", "reader", "board")
DENIED = psycopg.errors.InsufficientPrivilege
# What the rewriter says of views before anybody's right is looked at.
NO_TABLE = (
    psycopg.errors.ObjectNotInPrerequisiteState,
    psycopg.errors.WrongObjectType,
    psycopg.errors.FeatureNotSupported,
)


@pytest.fixture(scope="module")
def roles(cluster):
    with readers_of(cluster) as made:
        yield made


@pytest.fixture(scope="module")
def relations(roles):
    """(name, kind, schema, first column) of everything with rows, chunks among it."""
    with psycopg.connect(roles.owner) as owner:
        return owner.execute(
            """
            SELECT format('%I.%I', n.nspname, c.relname), c.relkind, n.nspname,
                   (SELECT quote_ident(attname) FROM pg_attribute a
                     WHERE a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
                     ORDER BY attnum LIMIT 1)
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
               AND n.nspname NOT IN ('pg_catalog', 'information_schema')
               AND n.nspname NOT LIKE 'pg_toast%'
             ORDER BY 1
            """
        ).fetchall()


def outcome(connection, statement):
    """The error a statement ends with, or None; whatever it did is undone."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.Error as error:
        return error
    return None


def may_look(who, schema):
    return schema == ("board" if who == "board" else "reader")


def test_there_are_chunks_and_views_to_try(relations):
    schemas = [schema for _, _, schema, _ in relations]

    assert sum("_hyper_" in name and kind == "r" for name, kind, _, _ in relations) >= 15
    assert schemas.count("reader") >= 30
    assert schemas.count("board") >= 26
    assert {kind for _, kind, _, _ in relations} >= {"r", "v", "S"}


@pytest.mark.parametrize("who", ROLES)
def test_a_role_looks_at_what_it_was_granted_and_at_nothing_else(roles, relations, who):
    wrong = []
    with roles.as_role(who) as connection:
        for name, _, schema, _ in relations:
            error = outcome(connection, f"SELECT * FROM {name} LIMIT 1")
            ours = schema in OURS or "_hyper_" in name
            if (ours and (error is None) != may_look(who, schema)) or (
                error is not None and not isinstance(error, DENIED)
            ):
                wrong.append((name, error))

    assert wrong == []


@pytest.mark.parametrize("who", ROLES)
def test_a_role_changes_no_row_of_anything(roles, relations, who):
    wrong = []
    with roles.as_role(who) as connection:
        for name, kind, _, column in relations:
            statements = (
                f"INSERT INTO {name} DEFAULT VALUES",
                f"UPDATE {name} SET {column} = {column}",
                f"DELETE FROM {name}",
                f"TRUNCATE {name}",
                f"LOCK TABLE {name} IN ROW EXCLUSIVE MODE",
            )
            if column is None:
                statements = statements[:1] + statements[2:]
            if kind == "S":
                statements = (f"SELECT nextval('{name}')", f"SELECT setval('{name}', 1)")
            for statement in statements:
                error = outcome(connection, statement)
                meant = (DENIED,) if kind in "rS" else (DENIED, *NO_TABLE)
                # A table of TimescaleDB's that everybody may read has columns that are made.
                if not isinstance(error, (*meant, psycopg.errors.GeneratedAlways)):
                    wrong.append((statement, error))

    assert wrong == []


@pytest.mark.parametrize("who", ROLES)
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.mine (a int)",
        "CREATE TABLE reader.mine (a int)",
        "CREATE TEMPORARY TABLE mine (a int)",
        "CREATE TEMPORARY VIEW mine AS SELECT 1",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DO $$ BEGIN PERFORM 1; END $$",
        "COPY air.reading TO STDOUT",
        "COPY (SELECT 1) TO '/tmp/stolen'",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "COPY city.reader FROM '/dev/null'",
        "SELECT pg_read_file('/etc/hostname')",
        "SELECT pg_ls_dir('/')",
        "SET ROLE beffroi",
        "SET SESSION AUTHORIZATION beffroi",
        "CREATE ROLE mine",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "ALTER ROLE CURRENT_USER CONNECTION LIMIT -1",
        "SET temp_file_limit = -1",
        "SELECT lo_create(0)",
        "SELECT lo_from_bytea(0, 'a')",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_xact_lock_shared(1, 2)",
        "SELECT city.hold_revision()",
        "SELECT public.add_job('pg_catalog.now', '1 h')",
        "SELECT public.drop_chunks('air.reading', now())",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'beffroi'",
        "COMMENT ON VIEW reader.series IS 'mine'",
        "DROP VIEW reader.series",
    ],
)
def test_a_role_makes_nothing_and_becomes_nobody(roles, who, statement):
    with roles.as_role(who) as connection:
        error = outcome(connection, statement)

    # What nobody may do with a view of TimescaleDB's own is refused before.
    assert isinstance(error, (DENIED, psycopg.errors.UndefinedObject)), repr(error)


@pytest.mark.parametrize("who", ROLES)
def test_a_role_reads_no_password_and_no_other_sessions_statement(roles, who):
    with roles.as_role(who) as connection, psycopg.connect(roles.owner) as owner:
        owner.execute("SELECT 'what the owner asks'")
        asked = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE usename <> current_user AND query LIKE '%what the owner%'"
        ).fetchone()

        assert asked == (0,)
        assert isinstance(outcome(connection, "SELECT * FROM pg_authid"), DENIED)


@pytest.mark.parametrize("who", ROLES)
def test_a_session_begins_read_only_and_with_a_time_limit(roles, who):
    with psycopg.connect(roles.address[who]) as connection:
        (read_only,) = connection.execute("SHOW default_transaction_read_only").fetchone()
        (limit,) = connection.execute("SHOW statement_timeout").fetchone()

    assert (read_only, limit) == ("on", "5s" if who == "board" else "30s")


def test_time_bucket_of_grafanas_macros_is_found_without_naming_its_schema(roles):
    with roles.as_role("one territory") as connection:
        connection.execute("SELECT time_bucket('3600.000s', now())")


def test_twenty_sessions_of_a_reader_are_let_in_and_the_next_is_not(roles):
    sessions = []
    try:
        for _ in range(20):
            sessions.append(psycopg.connect(roles.address["no row"]))
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            psycopg.connect(roles.address["no row"])
    finally:
        for session in sessions:
            session.close()


def test_the_shipped_script_makes_the_reader_that_the_program_would_make(roles):
    with psycopg.connect(roles.owner, autocommit=True) as owner:
        assert planned(owner, "beffroi_grafana", None) == ()


def test_the_shipped_script_takes_away_what_grafana_could_read_before(cluster, roles):
    with psycopg.connect(roles.owner, autocommit=True) as owner:
        owner.execute(
            "GRANT USAGE ON SCHEMA city, air TO beffroi_grafana;"
            "GRANT SELECT ON public.series, air.now, air.figures, city.measures TO beffroi_grafana"
        )
        assert len(rights_beyond(owner, "beffroi_grafana")) == 6

        run_script(cluster, roles.owner)

        assert rights_beyond(owner, "beffroi_grafana") == []


def test_a_role_cannot_hand_on_what_it_may_look_at(roles):
    with roles.as_role("one territory") as connection, psycopg.connect(roles.owner) as owner:
        connection.execute("GRANT SELECT ON reader.series TO PUBLIC")

        assert owner.execute(
            "SELECT count(*) FROM pg_class c, aclexplode(relacl) a"
            " WHERE c.oid = 'reader.series'::regclass AND a.grantee = 0"
        ).fetchone() == (0,)


def test_a_grant_on_a_hypertable_is_taken_back_from_its_chunks(roles):
    with psycopg.connect(roles.owner, autocommit=True) as owner:
        role = psycopg.conninfo.conninfo_to_dict(roles.address["no row"])["user"]
        owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA air TO {role}")
        (named,) = owner.execute(
            "SELECT count(*) FROM pg_class c, aclexplode(relacl) a"
            " WHERE a.grantee = %s::regrole AND relname LIKE '\\_hyper\\_%%'",
            [role],
        ).fetchone()
        assert named >= 5

        ensure_reader(owner, role, [])

        assert rights_beyond(owner, role) == []
