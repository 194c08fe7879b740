"""The database's side of a push: territories, and the role that may read one of them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg.rows import class_row

from dashboards.delivery.settings import DeliverySettingError
from dashboards.delivery.wanted import Territory
from storage import readers
from storage.review import near


class AccessError(Exception):
    """The database does not let the role be made; the message says what to do."""


_PUSHING = 0x70757368  # "push"
_TERRITORIES = """
SELECT code, name, timezone FROM city.territory
 WHERE valid_to IS NULL OR valid_to > (%s AT TIME ZONE timezone)::date
 ORDER BY code"""


def territories(connection: psycopg.Connection, codes: Sequence[str]) -> list[Territory]:
    """Those in force today; of `codes`, if any are named.

    Raises
    ------
    DeliverySettingError
        For a code that nobody registered.
    """
    now = datetime.datetime.now(datetime.UTC)
    with connection.cursor(row_factory=class_row(Territory)) as cursor:
        known = cursor.execute(_TERRITORIES, [now]).fetchall()
    by_code = {one.code: one for one in known}
    for code in codes:
        if code not in by_code:
            raise DeliverySettingError(
                f"--territory: {code!r} is not registered; {near(code, list(by_code))}"
            )
    return [by_code[code] for code in dict.fromkeys(codes)] if codes else known


def alone(connection: psycopg.Connection) -> bool:
    """Whether no other push from this database is going on; none begins until `connection` ends."""
    found = connection.execute("SELECT pg_try_advisory_lock(%s, 0)", [_PUSHING]).fetchone()
    return bool(found and found[0])


def role(territory: str) -> str:
    """Name of the role that reads one territory."""
    return readers.reader_role(territory)


def exists(connection: psycopg.Connection, name: str) -> bool:
    """Whether the server has such a role."""
    found = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name])
    return bool(found.fetchall())


def planned(connection: psycopg.Connection, name: str, territory: Territory) -> tuple[str, ...]:
    """What :func:`ensure` would do, in words; empty: nothing."""
    with _told():
        return readers.planned(connection, name, [territory.code])


def ensure(connection: psycopg.Connection, name: str, territory: Territory) -> None:
    """Make the role, or mend what it may do; its password stays."""
    with _told():
        readers.ensure_reader(connection, name, [territory.code])


def fresh_password(connection: psycopg.Connection, name: str, territory: Territory) -> str:
    """A password that holds from now on, and that nothing but the data source will know."""
    with _told():
        made = readers.ensure_reader(connection, name, [territory.code], new_password=True)
    assert made.password is not None
    return made.password


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except readers.ReaderError as error:
        raise AccessError(str(error)) from error
