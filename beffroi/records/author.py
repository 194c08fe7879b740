"""Who does something, and why, as it is written down for ever."""

from __future__ import annotations

import getpass
import os

from collector import personal


class UnfitError(ValueError):
    """This cannot be written down; the message says what to write instead."""


def named(person: str | None) -> str:
    """Who was named; without, the user of this machine."""
    if person is None:
        try:
            person = getpass.getuser()
        except (KeyError, OSError):  # a container's user without a name
            person = f"user {os.getuid()}"
    if not person.strip():
        raise UnfitError("--person is empty; name who decided it")
    return person.strip()


def reason(why: str) -> str:
    """Why, without the identifiers that must not outlive what is erased for their sake."""
    if kind := personal.kind(why):
        raise UnfitError(f"--why holds {kind}, and is kept for ever; say it without")
    return why.strip()
