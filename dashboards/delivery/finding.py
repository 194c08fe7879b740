"""The words *finding* and *timing*: what a look at a server says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `organisation` empty: the server."""

    organisation: str
    check: str
    well: bool
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one query took, seen from here. [s]"""

    organisation: str
    page: str
    of: str
    seconds: float
