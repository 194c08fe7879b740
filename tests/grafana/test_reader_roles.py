"""Every role that may look, at every relation of the database: what is granted works, no more."""

import psycopg
import pytest
from psycopg import sql

from storage.reader_rights import rights_beyond
from storage.readers import (
    Reader,
    ReaderError,
    drop_reader,
    ensure_reader,
    planned,
    reader_role,
    readers,
)
from tests.grafana.reader_roles import readers_of, run_script

ROLES = ("board", "grafana", "one territory", "another territory", "no row")
OURS = ("public", "city", "pipeline", "air", "mobility", "energy", "reader")
DENIED = psycopg.errors.InsufficientPrivilege
# What the rewriter says of views before anybody's right is looked at.
NO_TABLE = (
    psycopg.errors.ObjectNotInPrerequisiteState,
    psycopg.errors.WrongObjectType,
    psycopg.errors.FeatureNotSupported,
)
BOARD = {"public.series", "city.metric"} | {
    f"{domain}.{view}"
    for domain in ("air", "mobility", "energy")
    for view in ("now", "quarter_hours", "hours", "days")
}


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


def may_look(who, name, schema):
    return name in BOARD if who == "board" else schema == "reader"


def test_there_are_chunks_and_views_to_try(relations):
    schemas = [schema for _, _, schema, _ in relations]

    assert sum("_hyper_" in name and kind == "r" for name, kind, _, _ in relations) >= 15
    assert schemas.count("reader") >= 30
    assert {kind for _, kind, _, _ in relations} >= {"r", "v", "S"}


@pytest.mark.parametrize("who", ROLES)
def test_a_role_looks_at_what_it_was_granted_and_at_nothing_else(roles, relations, who):
    wrong = []
    with roles.as_role(who) as connection:
        for name, _, schema, _ in relations:
            error = outcome(connection, f"SELECT * FROM {name} LIMIT 1")
            ours = schema in OURS or "_hyper_" in name
            if (ours and (error is None) != may_look(who, name, schema)) or (
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


@pytest.fixture
def tried(connection, database):
    """The name of a role that a test makes, gone at the end."""
    role = f"tried_{connection.info.dbname}"
    yield role
    connection.execute(f"GRANT TEMPORARY ON DATABASE {connection.info.dbname} TO PUBLIC")
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
        connection.execute(f'DROP OWNED BY "{role}"; DROP ROLE "{role}"')


def test_a_role_that_is_right_is_left_as_it_is(city, tried):
    first = ensure_reader(city, tried, ["99001"])
    second = ensure_reader(city, tried, ["99001"])

    assert first.changes[0] == f"create role {tried}"
    assert (second.changes, second.password) == ((), None)
    assert planned(city, tried, ["99001"]) == ()
    assert readers(city) == [Reader(tried, ("99001",), True)]


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


@pytest.mark.parametrize(
    "spoil",
    [
        "ALTER ROLE {} CREATEDB",
        "ALTER ROLE {} CREATEROLE",
        "ALTER ROLE {} BYPASSRLS",
        "ALTER ROLE {} INHERIT",
        "ALTER ROLE {} NOLOGIN",
        "ALTER ROLE {} CONNECTION LIMIT -1",
        "ALTER ROLE {} SET statement_timeout = 0",
        "ALTER ROLE {} SET default_transaction_read_only = off",
        "ALTER ROLE {} RESET search_path",
        "ALTER ROLE {} SET work_mem = '1GB'",
        "GRANT pg_read_all_data TO {}",
        "GRANT SELECT ON public.series TO {}",
        "GRANT SELECT ON air.reading TO {}",
        "GRANT SELECT (code) ON city.sensor TO {}",
        "GRANT SELECT (sensor) ON reader.series TO {}",
        "GRANT INSERT ON reader.metrics TO {}",
        "GRANT SELECT ON reader.series TO {} WITH GRANT OPTION",
        "GRANT CREATE ON SCHEMA reader TO {}",
        "GRANT USAGE ON SCHEMA city TO {}",
        "GRANT EXECUTE ON FUNCTION city.hold_revision() TO {}",
        "GRANT USAGE ON SEQUENCE pipeline.refused_message TO {}",
        "GRANT USAGE ON LANGUAGE plpgsql TO {}",
        "GRANT ALL ON PARAMETER log_statement TO {}",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {}",
        "REVOKE SELECT ON reader.series FROM {}",
        "REVOKE USAGE ON SCHEMA reader FROM {}",
        "INSERT INTO city.reader VALUES ('{}', NULL)",
        "DELETE FROM city.reader WHERE role = '{}'",
        "COMMENT ON ROLE {} IS NULL",
    ],
)
def test_a_role_that_has_too_much_or_too_little_is_put_right(city, tried, spoil):
    ensure_reader(city, tried, ["99001"])
    right = standing(city, tried)
    city.execute(spoil.format(tried).encode())
    assert standing(city, tried) != right

    mended = ensure_reader(city, tried, ["99001"])

    assert len(mended.changes) >= 1
    assert standing(city, tried) == right
    assert planned(city, tried, ["99001"]) == ()


def standing(connection, role):
    """All that the server knows of a role."""
    return connection.execute(
        """
        SELECT (SELECT to_jsonb(r) - 'rolpassword' - 'rolconfig' FROM pg_roles r WHERE rolname = %(role)s),
               shobj_description(%(role)s::regrole, 'pg_authid'),
               (SELECT jsonb_agg(roleid ORDER BY roleid) FROM pg_auth_members
                 WHERE member = %(role)s::regrole),
               (SELECT jsonb_agg(c ORDER BY c) FROM pg_db_role_setting, unnest(setconfig) c
                 WHERE setrole = %(role)s::regrole),
               (SELECT jsonb_agg(d ORDER BY d) FROM
                  (SELECT pg_describe_object(classid, objid, objsubid) || deptype::text FROM pg_shdepend
                    WHERE refobjid = %(role)s::regrole) x (d)),
               (SELECT jsonb_agg(c.relname || a.privilege_type || a.is_grantable ORDER BY c.relname, a.privilege_type)
                  FROM pg_class c, aclexplode(relacl) a WHERE a.grantee = %(role)s::regrole),
               (SELECT jsonb_agg(a.privilege_type ORDER BY a.privilege_type)
                  FROM pg_namespace c, aclexplode(nspacl) a WHERE a.grantee = %(role)s::regrole),
               (SELECT jsonb_agg(territory_id) FROM city.reader WHERE role = %(role)s)
        """,
        {"role": role},
    ).fetchone()


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


def test_a_new_password_lets_in_and_the_server_is_never_told_it(city, tried, database):
    made = ensure_reader(city, tried, ["99001"], new_password=True)
    rest = database.partition("@")[2]

    with psycopg.connect(f"postgresql://{tried}:{made.password}@{rest}") as reader:
        assert reader.execute("SELECT count(*) FROM reader.series").fetchone() == (3,)
    (kept,) = city.execute(
        "SELECT rolpassword FROM pg_authid WHERE rolname = %s", [tried]
    ).fetchone()
    assert kept.startswith("SCRAM-SHA-256$")

    again = ensure_reader(city, tried, ["99001"], new_password=True)
    assert again.changes == (f"new password of {tried}",)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"postgresql://{tried}:{made.password}@{rest}")


def test_neither_log_nor_statement_shows_a_password(cluster, city, tried):
    city.execute("SET log_statement = 'all'")
    made = ensure_reader(city, tried, ["99001"], new_password=True)

    log = cluster.postgres.log.read_text()
    assert f'ALTER ROLE "{tried}" PASSWORD' in log
    assert made.password not in log


def test_somebody_elses_role_is_left_alone(city, tried):
    city.execute(f"CREATE ROLE {tried} LOGIN CREATEDB")

    with pytest.raises(ReaderError, match="was not made by Beffroi"):
        ensure_reader(city, tried, ["99001"])
    with pytest.raises(ReaderError, match="was not made by Beffroi"):
        drop_reader(city, tried)
    with pytest.raises(ReaderError, match="rules the server"):
        ensure_reader(city, "beffroi", None)

    (still,) = city.execute(
        "SELECT rolcreatedb FROM pg_roles WHERE rolname = %s", [tried]
    ).fetchone()
    assert still is True


def test_a_role_that_reads_another_database_of_the_server_is_refused(cluster, city, tried):
    ensure_reader(city, tried, ["99001"])
    other = cluster.clone("migrated")
    try:
        with (
            psycopg.connect(other, autocommit=True) as beside,
            pytest.raises(ReaderError, match=f"reads the database {city.info.dbname} of the same"),
        ):
            ensure_reader(beside, tried, None)
    finally:
        cluster.drop(other)


def test_a_role_that_owns_something_is_refused_and_nothing_of_it_is_dropped(city, tried):
    ensure_reader(city, tried, ["99001"])
    city.execute(f"CREATE TABLE public.theirs (a int); ALTER TABLE public.theirs OWNER TO {tried}")

    with pytest.raises(ReaderError, match="owns table"):
        ensure_reader(city, tried, ["99001"])

    assert city.execute("SELECT count(*) FROM public.theirs").fetchone() == (0,)


def test_a_territory_that_is_not_registered_changes_nothing(city, tried):
    with pytest.raises(ReaderError, match="no such territory: 12345"):
        ensure_reader(city, tried, ["12345"])

    assert readers(city) == []
    assert city.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [tried]).fetchone() is None


def test_a_reader_that_is_dropped_is_gone_with_its_rows(city, tried):
    ensure_reader(city, tried, ["99001"])

    assert drop_reader(city, tried) is True
    assert drop_reader(city, tried) is False
    assert readers(city) == []


def test_a_reader_takes_temporary_tables_from_everybody_but_the_programs(city, tried, database):
    owner = f"programs_{city.info.dbname}"
    city.execute(f"CREATE ROLE {owner} LOGIN; ALTER SCHEMA reader OWNER TO {owner}")
    try:
        ensure_reader(city, tried, ["99001"])
        may = "SELECT has_database_privilege(%s, current_database(), 'TEMPORARY')"

        assert city.execute(may, [tried]).fetchone() == (False,)
        assert city.execute(may, [owner]).fetchone() == (True,)
    finally:
        city.execute(
            f"ALTER SCHEMA reader OWNER TO CURRENT_USER; DROP OWNED BY {owner}; DROP ROLE {owner}"
        )


def test_migrating_lets_readers_look_at_views_that_are_new(city, tried, database):
    from storage.migrate import migrate

    ensure_reader(city, tried, ["99001"])
    city.execute("INSERT INTO city.reader VALUES ('gone', NULL)")
    city.execute("CREATE VIEW reader.newer AS SELECT 1 AS one")
    rights = sql.SQL("SELECT has_table_privilege({}, 'reader.newer', 'SELECT')").format(tried)
    assert city.execute(rights).fetchone() == (False,)

    with psycopg.connect(database) as connection:
        migrate(connection)

    assert city.execute(rights).fetchone() == (True,)


@pytest.mark.parametrize(
    ("territory", "role"),
    [
        ("59350", "beffroi_reader_59350"),
        ("08999001", "beffroi_reader_08999001"),
    ],
)
def test_a_territory_of_letters_and_digits_names_its_role(territory, role):
    assert reader_role(territory) == role


def test_no_two_territories_share_a_role():
    codes = ["fr-1", "FR-1", "fr_1", "fr 1", "Fr1", "fr1", "é", "è", "", "-", "x" * 40, "x" * 41,
             "x" * 42, "a" * 200, "a" * 201, 'r"; DROP ROLE x', "fr_1_" + "0" * 10]  # fmt: skip
    names = [reader_role(code) for code in codes]

    assert len(set(names)) == len(codes)
    assert all(len(name.encode()) <= 63 for name in names)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_") for name in names)
