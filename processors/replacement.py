"""Replaced meters: where one register ends and another begins.

What flowed around a replacement is known only if somebody wrote down what both registers
showed. With that, the readings before and after belong to two registers, and no interval
reaches from one into the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from processors.runs import Rows, lengths, starts
from storage.reading import FloatArray, IntArray, TimeArray
from storage.series import Replacements


@dataclass(frozen=True, slots=True)
class Runs:
    """Readings of registers that nobody replaced: run after run, each ascending in time.

    Attributes
    ----------
    time : datetime64[us], shape (n,)
    value : float64, shape (n,)
        [unit]
    start : intp, shape (k,)
        First row of each run.
    register : intp, shape (k,)
        Which of the given registers each run is part of.
    """

    time: TimeArray
    value: FloatArray
    start: Rows
    register: Rows


def divide(
    time: TimeArray, value: FloatArray, start: Rows, series: IntArray, replaced: Replacements
) -> Runs:
    """Divide readings at replacements, with the closing and the opening reading added.

    A reading at the very instant gives way: what was written down is both registers' own.

    Parameters
    ----------
    time : datetime64[us], shape (n,)
        By (register, time).
    value : float64, shape (n,)
        [unit]
    start : intp, shape (k,)
        First row of each register.
    series : int32, shape (k,)
        Ids, ascending.
    replaced : Replacements
        Also of other series.

    Examples
    --------
    >>> at = np.array(["2026-03-01", "2026-03-02", "2026-03-03"], "datetime64[us]")
    >>> seven = np.array([7], np.int32)
    >>> done = Replacements(seven, at[1:2], np.array([1530.0]), np.array([12.0]))
    >>> runs = divide(at[[0, 2]], np.array([1523.4, 14.5]), np.array([0]), seven, done)
    >>> runs.value, runs.start, runs.register
    (array([1523.4, 1530. ,   12. ,   14.5]), array([0, 2]), array([0, 0]))
    """
    known = np.isin(replaced.series, series) if len(replaced) else np.zeros(0, np.bool_)
    if not known.any():
        return Runs(time, value, start, np.arange(len(start)))
    done = replaced.take(known)
    register = np.repeat(np.arange(len(start)), lengths(start, len(time)))
    new = np.searchsorted(series, done.series)
    # Rank 1, 2 of an instant: the old register's last, the new one's first.
    rank = np.repeat(np.array([0, 1, 2], np.int8), [len(time), len(done), len(done)])
    register = np.concatenate((register, new, new))
    time = np.concatenate((time, done.at, done.at))
    value = np.concatenate((value, done.closing, done.opening))
    order = np.lexsort((rank, time, register))
    register, time, value, rank = register[order], time[order], value[order], rank[order]
    tied = np.zeros(len(time), np.bool_)
    tied[:-1] = (rank[:-1] == 0) & (rank[1:] == 1)
    tied[:-1] &= (register[:-1] == register[1:]) & (time[:-1] == time[1:])
    kept = ~tied
    register, time, value, rank = register[kept], time[kept], value[kept], rank[kept]
    first = starts(register, np.cumsum(rank == 2))
    return Runs(time, value, first, register[first])
