"""Roles are made, left alone where they are right, mended, refused and dropped."""

import psycopg
import pytest
from psycopg import sql

from storage.migrate import migrate
from storage.readers import (
    Reader,
    ReaderError,
    drop_reader,
    ensure_reader,
    planned,
    reader_role,
    readers,
)


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
