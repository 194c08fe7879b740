"""What the board reads from the database, as plain rows, and the one place that reads it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import NamedTuple

import asyncpg

from dashboards.board.statements import statements


class Registered(NamedTuple):
    """One public metric in one territory, as sent by `sensors` series of one step [s].

    `indicative`: a pollutant, and not all of its sensors are of reference quality.
    """

    metric: str
    domain: str
    unit: str
    kind: str
    label_fr: str
    label_en: str
    label_de: str
    public_step_s: int
    territory: str
    territory_name: str
    timezone: str
    step_s: int
    sensors: int
    indicative: bool = False

    @property
    def labels(self) -> dict[str, str]:
        """By language."""
        return {"fr": self.label_fr, "en": self.label_en, "de": self.label_de}


class Latest(NamedTuple):
    """Newest usable reading of one series, in the metric's canonical unit."""

    metric: str
    territory: str
    step_s: int
    time: datetime
    value: float


class Window(NamedTuple):
    """Sums over the sensors of one territory in ``[start, start + width_s)``.

    `part` adds the sensors' means (levels as energy, 10^(L/10)); `sensors` counts those
    with a usable reading. `None` is a window without one, which is not zero.
    """

    metric: str
    territory: str
    width_s: int
    start: datetime
    total: float | None
    part: float | None
    sensors: int
    received: int


class Rows(NamedTuple):
    """One consistent look at the database."""

    registry: Sequence[Registered]
    latest: Sequence[Latest]
    windows: Sequence[Window]


NO_ROWS = Rows((), (), ())

# The last 24 hours, and before them what a local day of 25 hours reaches back.
REACH = timedelta(hours=26)

# A gauge whose public step is at most this may be shown as it stands; all else only from
# windows that have closed. [s]
LIVE_STEP_S = 900
_SAMPLED = frozenset({"gauge", "angle", "level", "state"})


def is_live(kind: str, public_step_s: int) -> bool:
    """Whether the newest reading may be shown, rather than closed windows only.

    >>> is_live("gauge", 900), is_live("count", 900), is_live("gauge", 3600)
    (True, False, False)
    """
    return kind in _SAMPLED and public_step_s <= LIVE_STEP_S


def queries() -> dict[str, str]:
    """The named statements of queries.sql."""
    return statements("dashboards.board", "queries")


async def registered(connection: asyncpg.Connection) -> list[Registered]:
    """What there is."""
    return [
        Registered(*row)._replace(
            indicative=not all(map(_fitting(reference or ()), instruments or ()))
        )
        for *row, instruments, reference in await connection.fetch(queries()["registry"])
    ]


def _fitting(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Whether a name is one of the patterns or fits one, as everywhere in the city's files."""
    return lambda name: any(fnmatchcase(name, pattern) for pattern in patterns)


async def read(
    connection: asyncpg.Connection, now: datetime, *, windows: Sequence[Window] | None = None
) -> Rows:
    """Everything that is shown of now, in one transaction.

    Rollups move every few seconds at most: a caller that has recent `windows` hands
    them in, and only the newest readings are asked for.
    """
    registry = await registered(connection)
    live = {row.metric for row in registry if is_live(row.kind, row.public_step_s)}
    latest = [Latest(*row) for row in await connection.fetch(queries()["latest"], sorted(live))]
    if windows is None:
        metrics = sorted({row.metric for row in registry})
        windows = [
            Window(*row)
            for row in await connection.fetch(queries()["windows"], now - REACH, now, metrics)
        ]
    return Rows(registry, latest, windows)
