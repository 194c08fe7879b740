"""Roles that may only look: made, mended and dropped.

A role of ``city.reader`` reads the views of the schema `reader`, which hold the rows of its
territories, and has no other right in the database. Whoever may look at a Grafana page can send
any SQL through its data source, so what the role may do is all the protection there is.

A role is mended by what it lacks or has too much of, so that a second time changes nothing.
Names of roles are known to the whole server: each carries a comment that says which database it
belongs to, and one that belongs to another is refused.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from storage.reader_rights import Change, grants_lacking, rights_beyond

PREFIX = "beffroi_reader_"
CONNECTIONS = 20
"""At most so many sessions of one role: what bounds the load it can be."""

SETTINGS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "60s",
    # The functions of TimescaleDB that queries call stand in `public`.
    "search_path": "reader, public",
    "jit": "off",
    # Else whole chunks of figures are read for the few indicators that a page asks for.
    "random_page_cost": "1.1",
}
_SPILLED = "1GB"
"""Of one session's temporary files: only who may set the limit can set it."""

_ATTRIBUTES = {
    "rolsuper": ("NOSUPERUSER", False),
    "rolcreatedb": ("NOCREATEDB", False),
    "rolcreaterole": ("NOCREATEROLE", False),
    "rolinherit": ("NOINHERIT", False),
    "rolreplication": ("NOREPLICATION", False),
    "rolbypassrls": ("NOBYPASSRLS", False),
    "rolcanlogin": ("LOGIN", True),
    "rolconnlimit": (f"CONNECTION LIMIT {CONNECTIONS}", CONNECTIONS),
}


class ReaderError(Exception):
    """A role cannot be made a reader; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A role of ``city.reader``; `territories` by code, ``None``: all of them."""

    role: str
    territories: tuple[str, ...] | None
    exists: bool


@dataclass(frozen=True, slots=True)
class Ensured:
    """What was changed, in words; and the password, if a new one was asked for."""

    changes: tuple[str, ...]
    password: str | None


def reader_role(territory: str) -> str:
    """The role that reads one territory; different codes have different roles.

    >>> reader_role("59350")
    'beffroi_reader_59350'
    >>> reader_role("FR-59350"), reader_role("fr_59350")
    ('beffroi_reader_fr_59350_9022e334b7', 'beffroi_reader_fr_59350_4bfb1c8d77')
    """
    if re.fullmatch(r"[a-z0-9]{1,40}", territory):
        return PREFIX + territory
    plain = re.sub(r"[^a-z0-9]+", "_", territory.lower())[:30].strip("_")
    return f"{PREFIX}{plain}_{hashlib.sha256(territory.encode()).hexdigest()[:10]}"


def readers(connection: psycopg.Connection[Any]) -> list[Reader]:
    """Every role of ``city.reader``, by name."""
    rows = connection.execute(
        """
        SELECT r.role, array_remove(array_agg(t.code ORDER BY t.code), NULL),
               bool_or(r.territory_id IS NULL),
               EXISTS (SELECT FROM pg_roles p WHERE p.rolname = r.role)
          FROM city.reader r
          LEFT JOIN city.territory t USING (territory_id)
         GROUP BY r.role
         ORDER BY r.role
        """
    ).fetchall()
    return [
        Reader(role, None if every else tuple(codes), exists) for role, codes, every, exists in rows
    ]


def planned(
    connection: psycopg.Connection[Any], role: str, territories: Sequence[str] | None
) -> tuple[str, ...]:
    """What :func:`ensure_reader` would change, in words; empty: nothing."""
    _refuse_what_is_not_ours(connection, role)
    if not _exists(connection, role):
        return (f"create role {role}",)
    return tuple(change.said for change in _lacking(connection, role, territories))


def ensure_reader(
    connection: psycopg.Connection[Any],
    role: str,
    territories: Sequence[str] | None,
    *,
    new_password: bool = False,
) -> Ensured:
    """Make `role` a reader of these territories (codes; ``None``: of all) and of nothing else.

    A role that is new has no password until one is asked for.

    Raises
    ------
    ReaderError
        Where the role belongs to somebody else, owns something, or cannot be put right by whoever
        `connection` is; nothing is changed then.
    """
    said, password = [], None
    with connection.transaction():
        # One at a time; looking goes on meanwhile.
        connection.execute("LOCK TABLE city.reader IN SHARE ROW EXCLUSIVE MODE")
        _refuse_what_is_not_ours(connection, role)
        if not _exists(connection, role):
            said.append(f"create role {role}")
            _run(connection, sql.SQL("CREATE ROLE {} LOGIN NOINHERIT").format(sql.Identifier(role)))
        # Taking away what is too much may take along what is right: that comes back after it.
        for _ in range(3):
            for change in _lacking(connection, role, territories):
                said.append(change.said)
                _run(connection, change.statement)
        if left := _lacking(connection, role, territories):
            raise ReaderError(
                f"role {role} could not be put right ({left[0].said}): do that as a superuser, "
                "or drop the role and let it be made anew"
            )
        if new_password:
            password = secrets.token_urlsafe(32)
            said.append(f"new password of {role}")
            _set_password(connection, role, password)
    return Ensured(tuple(said), password)


def drop_reader(connection: psycopg.Connection[Any], role: str) -> bool:
    """Take everything away from a reader, and the role itself; False: there was none."""
    with connection.transaction():
        connection.execute("LOCK TABLE city.reader IN SHARE ROW EXCLUSIVE MODE")
        if _exists(connection, role):
            _refuse_what_is_not_ours(connection, role)
            for change in rights_beyond(connection, role, readers_own=False):
                _run(connection, change.statement)
            _run(connection, sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
            found = True
        else:
            found = False
        done = connection.execute("DELETE FROM city.reader WHERE role = %s", (role,))
        return found or done.rowcount > 0


def renew_grants(connection: psycopg.Connection[Any]) -> list[str]:
    """Let every reader see views that are new; returns the roles that lacked some.

    Needs the ownership of the schema only: no right to make or change roles.
    """
    renewed = []
    for reader in readers(connection):
        lacking = grants_lacking(connection, reader.role) if reader.exists else []
        for change in lacking:
            _run(connection, change.statement)
        if lacking:
            renewed.append(reader.role)
    return renewed


def _exists(connection: psycopg.Connection[Any], role: str) -> bool:
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    return found is not None


def _run(connection: psycopg.Connection[Any], statement: sql.Composed) -> None:
    try:
        connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege as error:
        raise ReaderError(
            f"the role {connection.info.user} may not do that ({error.diag.message_primary}): "
            "connect as one with CREATEROLE that owns the database, or as a superuser"
        ) from error
    except psycopg.errors.DependentObjectsStillExist as error:
        raise ReaderError(
            f"{error.diag.message_primary}: {error.diag.message_detail or ''}. Take that away by "
            "hand, in the database that it names"
        ) from error


def _belonging(connection: psycopg.Connection[Any]) -> str:
    return f"Beffroi: reads the database {connection.info.dbname}"


def _refuse_what_is_not_ours(connection: psycopg.Connection[Any], role: str) -> None:
    """Neither somebody's own role, nor the reader of another database of this server."""
    row = connection.execute(
        """
        SELECT shobj_description(p.oid, 'pg_authid'), p.rolsuper,
               EXISTS (SELECT FROM city.reader r WHERE r.role = p.rolname),
               (SELECT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_shdepend d
                 WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = p.oid
                   AND d.deptype = 'o'
                 ORDER BY (d.dbid IN (0, (SELECT oid FROM pg_database
                                           WHERE datname = current_database()))) DESC LIMIT 1)
          FROM pg_roles p WHERE p.rolname = %s
        """,
        (role,),
    ).fetchone()
    if row is None:
        return
    comment, superuser, known, owned = row
    other = re.fullmatch(r"Beffroi: reads the database (.*)", comment or "")
    if superuser or role == connection.info.user:
        raise ReaderError(f"role {role} rules the server or this database: name another reader")
    if other and other[1] != connection.info.dbname and _there(connection, other[1]):
        raise ReaderError(
            f"role {role} reads the database {other[1]} of the same server, and one role for both "
            f"would join what is apart: drop it there (DROP OWNED BY {role}), or run the two "
            "databases on servers of their own"
        )
    if not (other or known):
        raise ReaderError(
            f"role {role} exists and was not made by Beffroi: rename or drop it first"
        )
    if owned:
        raise ReaderError(
            f"role {role} owns {owned}, and who owns something may do anything with it: "
            f"REASSIGN OWNED BY {role} first"
        )


def _there(connection: psycopg.Connection[Any], database: str) -> bool:
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,))
    return found.fetchone() is not None


def _lacking(
    connection: psycopg.Connection[Any], role: str, territories: Sequence[str] | None
) -> list[Change]:
    return [
        *_attributes(connection, role),
        *_settings(connection, role),
        *rights_beyond(connection, role),
        *grants_lacking(connection, role),
        *_rows(connection, role, territories),
    ]


def _attributes(connection: psycopg.Connection[Any], role: str) -> list[Change]:
    columns = ", ".join(_ATTRIBUTES)
    row = connection.execute(
        f"SELECT {columns}, shobj_description(oid, 'pg_authid') FROM pg_roles"
        " WHERE rolname = %s".encode(),
        (role,),
    ).fetchone()
    assert row is not None
    name = sql.Identifier(role)
    changes = [
        Change(f"{role}: {word.lower()}", sql.SQL("ALTER ROLE {} {}").format(name, sql.SQL(word)))
        for (word, wanted), found in zip(_ATTRIBUTES.values(), row, strict=False)
        if found != wanted
    ]
    if row[-1] != _belonging(connection):
        changes.append(Change(
            f"{role}: belongs to the database {connection.info.dbname}",
            sql.SQL("COMMENT ON ROLE {} IS {}").format(name, _belonging(connection)),
        ))  # fmt: skip
    return changes


def _settings(connection: psycopg.Connection[Any], role: str) -> list[Change]:
    (may_limit,) = connection.execute(
        "SELECT has_parameter_privilege('temp_file_limit', 'SET')"
    ).fetchone() or (False,)
    wanted = {**SETTINGS, **({"temp_file_limit": _SPILLED} if may_limit else {})}
    rows = connection.execute(
        """
        SELECT coalesce(d.datname, ''), split_part(c, '=', 1), substr(c, strpos(c, '=') + 1)
          FROM pg_db_role_setting s
          LEFT JOIN pg_database d ON d.oid = s.setdatabase
          CROSS JOIN LATERAL unnest(s.setconfig) c
         WHERE s.setrole = (SELECT oid FROM pg_roles WHERE rolname = %s)
        """,
        (role,),
    ).fetchall()
    there = {(database, key): value for database, key, value in rows}
    name = sql.Identifier(role)
    changes = []
    for database, key in there:
        if not database and (key in wanted or key == "temp_file_limit"):
            continue
        inside = (
            sql.SQL("IN DATABASE {} ").format(sql.Identifier(database)) if database else sql.SQL("")
        )
        changes.append(Change(
            f"{role}: no {key} of its own",
            sql.SQL("ALTER ROLE {} {}RESET {}").format(name, inside, sql.Identifier(*key.split("."))),
        ))  # fmt: skip
    for key, value in wanted.items():
        if there.get(("", key)) != value:
            plain = sql.SQL(value) if key == "search_path" else sql.Literal(value)
            changes.append(Change(
                f"{role}: {key} = {value}",
                sql.SQL("ALTER ROLE {} SET {} = {}").format(name, sql.SQL(key), plain),
            ))  # fmt: skip
    return changes


def _rows(
    connection: psycopg.Connection[Any], role: str, territories: Sequence[str] | None
) -> list[Change]:
    if territories is None:
        wanted: dict[int | None, str] = {None: "every territory"}
    else:
        rows = connection.execute(
            "SELECT territory_id, code FROM city.territory WHERE code = ANY (%s)",
            (list(territories),),
        ).fetchall()
        wanted = dict(rows)
        if unknown := set(territories) - set(wanted.values()):
            raise ReaderError(f"no such territory: {', '.join(sorted(unknown))}")
    there = {
        found
        for (found,) in connection.execute(
            "SELECT territory_id FROM city.reader WHERE role = %s", (role,)
        )
    }
    return [
        *(
            Change(
                f"{role}: reads {what}",
                sql.SQL("INSERT INTO city.reader (role, territory_id) VALUES ({}, {})").format(
                    role, territory
                ),
            )
            for territory, what in wanted.items()
            if territory not in there
        ),
        *(
            Change(
                f"{role}: no longer reads what it was given before",
                sql.SQL(
                    "DELETE FROM city.reader WHERE role = {} AND territory_id IS NOT DISTINCT FROM {}"
                ).format(role, territory),
            )
            for territory in there - set(wanted)
        ),
    ]


def _set_password(connection: psycopg.Connection[Any], role: str, password: str) -> None:
    """The server is sent a verifier: its log, if it logs statements, never shows the password."""
    verifier = connection.pgconn.encrypt_password(
        password.encode(), role.encode(), b"scram-sha-256"
    ).decode()
    _run(
        connection,
        sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier)),
    )
