"""Whose fault an error is."""

from __future__ import annotations

import asyncpg
import pytest

from storage import database


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.CardinalityViolationError("a subquery gave two rows"),
        asyncpg.DataError("a value the driver cannot encode"),
        asyncpg.NumericValueOutOfRangeError("too large"),
        asyncpg.CheckViolationError("a constraint"),
        asyncpg.UniqueViolationError("a key"),
        asyncpg.ProgramLimitExceededError("a row too long"),
        ValueError("our own code"),
        KeyError("our own code"),
    ],
)
def test_rows_that_will_never_be_stored_are_not_tried_again(error: Exception):
    assert not database.passing(error)


@pytest.mark.parametrize(
    "error",
    [
        OSError("no route"),
        TimeoutError("silence"),
        asyncpg.InterfaceError("the connection is closed"),
        asyncpg.ProtocolError("garbage"),
        asyncpg.ConnectionDoesNotExistError("gone"),
        asyncpg.InvalidPasswordError("changed"),
        asyncpg.InvalidCatalogNameError("no such database"),
        asyncpg.InsufficientPrivilegeError("revoked"),
        asyncpg.UndefinedTableError("being migrated"),
        asyncpg.DiskFullError("full"),
        asyncpg.InternalServerError("could not extend file"),
    ],
)
def test_the_servers_own_troubles_are_waited_for(error: Exception):
    assert database.passing(error)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (asyncpg.UndefinedTableError("x"), "beffroi migrate"),
        (asyncpg.InsufficientPrivilegeError("x"), "grant the missing right"),
        (asyncpg.DiskFullError("x"), "free some room"),
        (asyncpg.InvalidPasswordError("x"), "PGPASSWORD"),
        (asyncpg.ReadOnlySQLTransactionError("x"), "the primary"),
        (ConnectionRefusedError("x"), "PGHOST and PGPORT"),
        (asyncpg.DeadlockDetectedError("x"), ""),
    ],
)
def test_where_a_person_must_do_something_it_is_said(error: Exception, words: str):
    remedy = database.remedy(error)
    assert words in remedy
    assert bool(remedy) == bool(words)
