"""Errors that a user can mend: told as a sentence, never as a traceback."""

from __future__ import annotations

import asyncpg
import psycopg

from beffroi.embedded.errors import EmbeddedError
from collector.replay.mapping import ReplayError
from collector.replay.publish import PublishError
from collector.settings import SettingError
from collector.simulation.outlet import OutletRefusedError
from processors.settings import SettingsError
from storage.city import CityError
from storage.migrate import DatabaseTooNewError


class NotRunningError(Exception):
    """Nothing runs where something was expected to."""


USER_MISTAKES = (
    EmbeddedError,
    SettingError,
    CityError,
    DatabaseTooNewError,
    NotRunningError,
    OutletRefusedError,
    PublishError,
    ReplayError,
    SettingsError,
    psycopg.OperationalError,
    asyncpg.CannotConnectNowError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    OSError,
)
