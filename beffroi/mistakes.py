"""Errors that a user can mend: told as a sentence, never as a traceback."""

from __future__ import annotations

import asyncpg
import psycopg

from beffroi.embedded.errors import EmbeddedError
from collector.mqtt.outlet import OutletRefusedError
from collector.settings import SettingError
from processors.settings import SettingsError
from storage import database
from storage.audit import AdjustingError
from storage.ingest import RegistryChanged
from storage.migrate import OtherSchemaError
from storage.mistakes import MistakesError


class NotRunningError(Exception):
    """Nothing runs where something was expected to."""


NO_SCHEMA = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.InvalidSchemaName,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.InvalidSchemaNameError,
)

USER_MISTAKES = (
    EmbeddedError,
    SettingError,
    MistakesError,
    OtherSchemaError,
    AdjustingError,
    RegistryChanged,
    NotRunningError,
    OutletRefusedError,
    SettingsError,
    psycopg.OperationalError,
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.ReadOnlySqlTransaction,
    asyncpg.InsufficientPrivilegeError,
    *database.AWAY,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)


def told(error: BaseException) -> str:
    """An error's own sentence, without the statement that met it."""
    said = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return said or str(error) or type(error).__name__
