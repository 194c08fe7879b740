"""What a reader of one territory sees, and what not."""

import psycopg
import pytest
from psycopg import sql

from storage.city import parse
from storage.registry import register
from tests.integration.collecting import CSV, TOML


def views(connection):
    return [
        name
        for (name,) in connection.execute(
            "SELECT viewname FROM pg_views WHERE schemaname = 'reader' ORDER BY 1"
        )
    ]


@pytest.fixture
def reader(connection, database):
    """A connection as a role that is told which territories it may read by `city.reader`."""
    register(connection, parse(TOML, CSV))
    role = f"tried_{connection.info.dbname}"
    connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA reader TO {}").format(sql.Identifier(role)))
    connection.execute(
        sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA reader TO {}").format(sql.Identifier(role))
    )
    with psycopg.connect(database, autocommit=True) as asked:
        asked.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        yield asked, role
    connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
    connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_every_view_answers_and_a_role_of_no_territory_sees_no_series(connection, reader):
    asked, _ = reader
    for view in views(connection):
        asked.execute(sql.SQL("SELECT * FROM reader.{} LIMIT 1").format(sql.Identifier(view)))

    assert asked.execute("SELECT count(*) FROM reader.series").fetchone() == (0,)


def test_every_view_is_a_security_barrier(connection):
    barred = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'reader'::regnamespace"
        " AND reloptions @> ARRAY['security_barrier=true'] ORDER BY 1"
    ).fetchall()

    assert [name for (name,) in barred] == views(connection)


def test_a_role_of_every_territory_sees_all_series(connection, reader):
    asked, role = reader
    connection.execute("INSERT INTO city.reader VALUES (%s, NULL)", (role,))
    (all_of_them,) = connection.execute("SELECT count(*) FROM public.series").fetchone()

    assert all_of_them > 0
    assert asked.execute("SELECT count(*) FROM reader.series").fetchone() == (all_of_them,)
