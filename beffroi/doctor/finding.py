"""What `beffroi doctor` says: one check, how it went, and the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a check went; a note is worth knowing and nothing to mend at once."""

    OK = "ok"
    NOTE = "note"
    BAD = "not ok"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its outcome in a sentence, and what to do where there is something."""

    check: str
    level: Level
    found: str
    remedy: str = ""

    @property
    def well(self) -> bool:
        """Whether nothing must be mended."""
        return self.level is not Level.BAD


def verdict(check: str, well: bool, found: str, remedy: str = "") -> Finding:
    """A finding whose remedy is told only where it is needed."""
    return Finding(check, Level.OK if well else Level.BAD, found, "" if well else remedy)


def span(seconds: float) -> str:
    """A length of time in the unit that people would use."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86_400:,.0f} days"
