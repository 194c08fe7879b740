"""The word *figure*: values of indicators, as columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from storage.indicators.catalogue import POSITION
from storage.indicators.word import Status
from storage.reading import FloatArray, IntArray, TimeArray

NEVER = np.datetime64("NaT", "us")


@dataclass(frozen=True, slots=True)
class Figures:
    """Values of indicators, one row per (indicator, subject, period).

    Attributes, each of shape (n,)
    ------------------------------
    indicator : int16
        Position in :data:`storage.indicators.catalogue.INDICATORS`.
    subject : int32
        Id of the series, site or territory, as the indicator says.
    start, stop : datetime64[us]
        The period ``[start, stop)``.
    at : datetime64[us]
        When it happened, of a figure that is dated (a peak); NaT otherwise.
    value : float64
        NaN where there is too little for one, never 0. [the indicator's unit]
    low, high : float64
        Interval the value lies in, NaN where none is stated. [the same unit]
    n, due : int32
        How many parts (hours, days, stations) it is made of, and how many there should be.
    status : int16
        As :class:`storage.indicators.word.Status`.
    method : int16
        Position in the indicator's ``methods``.
    code : int32
        What its ``words`` explain; 0 where it has none.
    provisional : bool
        The period was still open.
    indicative : bool
        Made, even in part, from instruments that are not of reference quality.
    """

    indicator: NDArray[np.int16]
    subject: IntArray
    start: TimeArray
    stop: TimeArray
    at: TimeArray
    value: FloatArray
    low: FloatArray
    high: FloatArray
    n: IntArray
    due: IntArray
    status: NDArray[np.int16]
    method: NDArray[np.int16]
    code: IntArray
    provisional: NDArray[np.bool_]
    indicative: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.value)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Figures:
        """Rows chosen by position or mask, in that order."""
        return Figures(**{name: getattr(self, name)[rows] for name in COLUMNS})

    def of(self, name: str) -> Figures:
        """Those of one indicator."""
        return self.take(self.indicator == POSITION[name])


COLUMNS: tuple[str, ...] = tuple(field.name for field in fields(Figures))


def figures(
    name: str,
    subject: IntArray,
    edges: TimeArray,
    value: ArrayLike,
    *,
    now: np.datetime64,
    n: ArrayLike = 0,
    due: ArrayLike = 0,
    status: ArrayLike | None = None,
    at: ArrayLike = NEVER,
    low: ArrayLike = np.nan,
    high: ArrayLike = np.nan,
    method: ArrayLike = 0,
    code: ArrayLike = 0,
    indicative: ArrayLike = False,
    keep: ArrayLike = True,
) -> Figures:
    """Figures of one indicator from a table of subjects and periods.

    Parameters
    ----------
    name : str
        Of the indicator.
    subject : int32, shape (s,)
    edges : datetime64[us], shape (p + 1,)
        Of the periods.
    value : float64, shape (s, p)
        NaN where there is none.
    n, due, status, at, low, high, method, code, indicative, keep
        Whatever broadcasts to (s, p). Without a ``status`` a value is complete and NaN
        insufficient; a NaN is insufficient whatever is said. Rows that are not kept are
        left out: those of which nothing at all is known.

    Examples
    --------
    >>> edges = np.array(["2026-03-01", "2026-03-02", "2026-03-03"], "datetime64[us]")
    >>> now = np.datetime64("2026-03-02T12:00", "us")
    >>> made = figures("air_day_mean", np.array([7], np.int32), edges, [[20.0, np.nan]], now=now)
    >>> made.status, made.provisional
    (array([1, 3], dtype=int16), array([False,  True]))
    """
    table = np.asarray(value, np.float64)
    shape = (len(subject), len(edges) - 1)
    if table.shape != shape:
        raise ValueError(f"{name} has values of shape {table.shape}, not {shape}")
    whole = np.where(
        np.isnan(table),
        np.int16(Status.INSUFFICIENT),
        np.asarray(Status.COMPLETE if status is None else status, np.int16),
    )
    flat = _cells(np.broadcast_to(keep, shape))
    start, stop = edges[:-1], edges[1:]
    return Figures(
        indicator=flat(POSITION[name], "i2"),
        subject=flat(np.asarray(subject)[:, None], "i4"),
        start=flat(start, "M8[us]"),
        stop=flat(stop, "M8[us]"),
        at=flat(at, "M8[us]"),
        value=flat(table, "f8"),
        low=flat(low, "f8"),
        high=flat(high, "f8"),
        n=flat(n, "i4"),
        due=flat(due, "i4"),
        status=flat(whole, "i2"),
        method=flat(method, "i2"),
        code=flat(code, "i4"),
        provisional=flat(stop > now, "?"),
        indicative=flat(indicative, "?"),
    )


def _cells(keep: NDArray[np.bool_]) -> Callable[[ArrayLike, str], NDArray[Any]]:
    """Kept cells of whatever broadcasts to a table, row by row and copied once.

    Most columns are the same for a row, a column or all of the table, which never is made whole.
    """
    height, width = keep.shape
    all_kept = bool(keep.all())
    cell = np.empty(0, np.intp) if all_kept else np.flatnonzero(keep)
    number = np.count_nonzero(keep, axis=1)
    column = cell - np.repeat(np.arange(height) * width, 0 if all_kept else number)

    def flat(values: ArrayLike, kind: str) -> NDArray[Any]:
        narrow: NDArray[Any] = np.asarray(values).astype(kind, copy=False)
        if all_kept:
            return np.array(np.broadcast_to(narrow, keep.shape)).reshape(-1)
        if narrow.size == 1:
            return np.full(len(cell), narrow.reshape(()))
        if narrow.shape[-1] == 1:
            return np.repeat(narrow.reshape(-1), number)
        same_in_rows = narrow.ndim == 1 or len(narrow) == 1
        chosen: NDArray[Any] = narrow.reshape(-1)[column if same_in_rows else cell]
        return chosen

    return flat


def no_figures() -> Figures:
    """None at all, with the right types."""
    nobody, never = np.empty(0, np.int32), np.empty(1, "datetime64[us]")
    return figures("air_day_mean", nobody, never, np.empty((0, 0)), now=NEVER)


def join(parts: Sequence[Figures]) -> Figures:
    """One part after the other."""
    some = [part for part in parts if len(part)]
    if len(some) < 2:
        return some[0] if some else no_figures()
    return Figures(**{c: np.concatenate([getattr(part, c) for part in some]) for c in COLUMNS})
