"""What to run after a change of facts: figures that are there were made of those before."""

from __future__ import annotations

from datetime import date, timedelta

from storage.trade_store import Revised

SUMMED = frozenset({"replacement"})
"""Keys that change what registers counted; of all others only figures are made."""


def commands(revised: Revised, today: date) -> list[str]:
    """What computes the past anew; `today` in UTC is computed too.

    Examples
    --------
    >>> changed = Revised("energy", ("night", "replacement"), date(2026, 3, 1))
    >>> for command in commands(changed, date(2026, 11, 22)):
    ...     print(command)
    beffroi process --from 2026-03-01 --to 2026-11-23
    beffroi indicators refresh --from 2026-03-01 --to 2026-11-23
    """
    span = f"--from {revised.since} --to {today + timedelta(days=1)}"
    keys = set(revised.keys)
    counted = [f"beffroi process {span}"] if keys & SUMMED else []
    return counted + ([f"beffroi indicators refresh {span}"] if keys - SUMMED else [])


def sentence(revised: Revised, today: date) -> str:
    """Which facts are others, and what to run.

    Examples
    --------
    >>> print(sentence(Revised("mobility", ("calendar",), date(2026, 3, 1)), date(2026, 11, 22)))
    [mobility] is revised: calendar. Figures of the past follow once you run
      beffroi indicators refresh --from 2026-03-01 --to 2026-11-23
    """
    head = f"[{revised.trade}] is revised: {', '.join(revised.keys)}."
    lines = [f"{head} Figures of the past follow once you run", *commands(revised, today)]
    return "\n  ".join(lines)


def as_object(revised: Revised, today: date) -> dict[str, object]:
    """The same for programs."""
    return {
        "trade": revised.trade,
        "keys": list(revised.keys),
        "run": commands(revised, today),
    }
