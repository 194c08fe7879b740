"""PROCESSORS_* variables as one frozen object."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields


class SettingsError(Exception):
    """A variable has a value that cannot be used; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the processors work; each is the variable of the same name in capitals.

    Attributes
    ----------
    interval_s
        A pass begins at least this often, unless it takes more than a quarter of it.
    marks_per_pass
        Rows of marks taken at most in one transaction.
    slice_rows
        Readings computed at a time; about 100 bytes of memory each, times the readers.
    readers
        Slices read at the same time, each through a connection of its own.
    keep_days
        Windows that began longer ago are never computed again, because retention may have
        dropped their readings; 0 where readings are kept for ever.
    refusal_days
        Refusals are forgotten after so many days.
    refusal_bytes, refusal_sensor_bytes
        What all refusals and those of one sensor may take; the oldest go first.
    disk
        A folder on the file system that holds the database, where this program sees it; empty:
        how much is free there is unknown.
    metrics_host, metrics_port
        Where /healthz and /metrics are served; port 0 lets the system choose.
    """

    interval_s: int = 10
    marks_per_pass: int = 5_000
    slice_rows: int = 2_000_000
    readers: int = 2
    keep_days: int = 0
    refusal_days: int = 7
    refusal_bytes: int = 1_000_000_000
    refusal_sensor_bytes: int = 50_000_000
    metrics_port: int = 9102
    metrics_host: str = "127.0.0.1"
    disk: str = ""


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the variables that are set, keep the defaults of the others.

    Examples
    --------
    >>> from_environment({"PROCESSORS_INTERVAL_S": "30"}).interval_s
    30
    """
    given: dict[str, int] = {}
    host = environment.get("PROCESSORS_METRICS_HOST") or "127.0.0.1"
    for field in fields(Settings):
        if field.name in ("metrics_host", "disk"):
            continue
        name = f"PROCESSORS_{field.name.upper()}"
        text = environment.get(name)
        if text is None:
            continue
        least = 0 if field.name in ("keep_days", "metrics_port") else 1
        if not text.isascii() or not text.isdigit() or int(text) < least:
            raise SettingsError(f"{name} must be a whole number of at least {least}, got {text!r}")
        given[field.name] = int(text)
    return Settings(**given, metrics_host=host, disk=environment.get("PROCESSORS_DISK", ""))
