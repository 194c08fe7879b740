"""Quantile sketches of many groups at once: DDSketch on numpy columns.

A value falls into the bucket i = ceil(log_gamma |x|), gamma = (1 + alpha) / (1 - alpha),
and is given back as 2 gamma^i / (gamma + 1): never further from it than alpha = 1 % of
it. Sketches of parts add up to exactly the sketch of the whole, so quantiles of any
longer window follow; averages of quantiles would be wrong.

References
----------
.. [1] Masson, Rim, Lee: DDSketch, a fast and fully-mergeable quantile sketch with
   relative-error guarantees, PVLDB 12 (2019), doi:10.14778/3352063.3352135.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.runs import Rows, starts
from storage.reading import FloatArray
from storage.rollup import SKETCH_PAIR, Sketches

ALPHA = 0.01
"""Relative error of a quantile."""

SMALLEST, LARGEST = 1e-9, 1e15
"""Magnitudes below count as zero, magnitudes above as the largest."""

_LOG_GAMMA = float(np.log((1 + ALPHA) / (1 - ALPHA)))
_LOWEST = int(np.ceil(np.log(SMALLEST) / _LOG_GAMMA)) - 1
_TOP = int(np.ceil(np.log(LARGEST) / _LOG_GAMMA)) - _LOWEST
# A bucket of a row as one integer that sorts by row, then by code.
_CODE_BITS = int(2 * _TOP).bit_length()
_BLOCK = 1 << 14


def codes(value: FloatArray) -> NDArray[np.int16]:
    """Bucket of each value: monotone in the value, 0 for zero, odd in the sign.

    Parameters
    ----------
    value : float64, shape (n,)
        Finite.

    Returns
    -------
    int16, shape (n,)
        0 where ``|value| < 1e-9``, else ±(i + 1037) for DDSketch's bucket i.

    Examples
    --------
    >>> codes(np.array([100.0, 0.0, -100.0])) - np.array([1037, 0, -1037])
    array([ 231,    0, -231])
    """
    code = np.empty(len(value), np.int16)
    # Blocks that stay in the processor's cache are twice as fast as whole columns.
    work = np.empty(min(_BLOCK, len(value)))
    for at in range(0, len(value), _BLOCK):
        part = value[at : at + _BLOCK]
        size = work[: len(part)]
        np.abs(part, out=size)
        lowest, highest = size.min(), size.max()
        if highest > LARGEST:
            np.minimum(size, LARGEST, out=size)
        tiny = size < SMALLEST if lowest < SMALLEST else None
        if tiny is not None:
            size[tiny] = 1.0
        np.log(size, out=size)
        np.divide(size, _LOG_GAMMA, out=size)
        np.ceil(size, out=size)
        size -= _LOWEST
        if tiny is not None:
            size[tiny] = 0.0
        if part.min() < 0:
            np.copysign(size, part, out=size)
        code[at : at + _BLOCK] = size
    return code


def values(code: NDArray[np.int16]) -> FloatArray:
    """The value each bucket stands for.

    Examples
    --------
    >>> values(codes(np.array([100.0, 0.0]))).round(4)
    array([100.4946,   0.    ])
    """
    bucket = np.abs(code.astype(np.float64)) + _LOWEST
    size = (1 - ALPHA) * np.exp(bucket * _LOG_GAMMA)  # 2 / (gamma + 1) = 1 - alpha
    return np.sign(code) * size


def _keys(code: NDArray[np.int16], row: Rows, rows: int) -> NDArray[Any]:
    """(row, code) as one sortable integer, as short as it may be: short ones sort faster."""
    kind = np.int32 if rows <= 1 << (31 - _CODE_BITS) else np.int64
    key: NDArray[Any] = row.astype(kind)
    key <<= _CODE_BITS
    key += code
    key += _TOP
    return key


def _sketches(key: NDArray[Any], count: NDArray[Any], rows: int) -> Sketches:
    """Sketches from ascending distinct keys."""
    pairs = np.empty(len(key), SKETCH_PAIR)
    pairs["code"] = (key & ((1 << _CODE_BITS) - 1)) - _TOP
    pairs["count"] = count
    first = np.arange(rows + 1, dtype=np.int64) << _CODE_BITS
    return Sketches(np.searchsorted(key, first).astype(np.int64), pairs)


def build(code: NDArray[np.int16], row: Rows, rows: int) -> Sketches:
    """Count the codes of every row.

    Parameters
    ----------
    code : int16, shape (n,)
    row : intp, shape (n,)
        Which sketch each value belongs to; nondecreasing, below ``rows``.
    rows : int
        How many sketches; those without a value stay empty.

    Examples
    --------
    >>> sketch = build(codes(np.array([100.0, 100.5, 3.0])), np.array([0, 0, 2]), 3)
    >>> sketch.offset, sketch.pairs["count"]
    (array([0, 1, 1, 2]), array([2, 1], dtype=uint32))
    """
    key = _keys(code, row, rows)
    key.sort()
    first = starts(key)
    return _sketches(key[first], np.diff(first, append=len(key)), rows)


def merge(sketches: Sketches, row: Rows, rows: int) -> Sketches:
    """Add up sketches that go to the same row: exactly the sketch of all their values.

    Parameters
    ----------
    row : intp, shape (number of sketches,)
        Target of each sketch, below ``rows``.

    Examples
    --------
    >>> parts = build(codes(np.array([5.0, 5.0, 7.0])), np.array([0, 1, 1]), 2)
    >>> merge(parts, np.array([0, 0]), 1).pairs["count"]
    array([2, 1], dtype=uint32)
    """
    target = np.repeat(row, np.diff(sketches.offset))
    key = _keys(sketches.pairs["code"], target, rows)
    order = np.argsort(key)
    key = key[order]
    first = starts(key)
    count = sketches.pairs["count"][order].astype(np.int64)
    total = np.add.reduceat(count, first) if len(first) else count
    return _sketches(key[first], total, rows)


def quantile(sketches: Sketches, q: FloatArray) -> FloatArray:
    """Quantiles of every sketch, at most 1 % away from the value of that rank.

    The rank is ``floor(q (n - 1))`` from 0, numpy's ``method="lower"``: a value that was
    measured, not a mixture of two.

    Parameters
    ----------
    sketches : Sketches of n rows
    q : float64, shape (k,)
        Between 0 and 1.

    Returns
    -------
    float64, shape (n, k)
        NaN for empty sketches; measured zeros come back as 0 exactly.

    Examples
    --------
    >>> sketch = build(codes(np.arange(101.0)), np.zeros(101, np.intp), 1)
    >>> quantile(sketch, np.array([0.0, 0.5, 1.0])).round(2)
    array([[  0.  ,  49.9 , 100.49]])
    """
    seen = np.concatenate(
        (np.zeros(1, np.int64), np.cumsum(sketches.pairs["count"], dtype=np.int64))
    )
    before, after = seen[sketches.offset[:-1]], seen[sketches.offset[1:]]
    size = after - before
    rank = np.floor((size - 1)[:, None] * q).astype(np.int64)
    pair = np.searchsorted(seen, before[:, None] + rank, side="right") - 1
    answer = np.full(rank.shape, np.nan)
    some = size > 0
    answer[some] = values(sketches.pairs["code"][pair[some]])
    return answer
