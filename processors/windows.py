"""Windows ``[start, end)`` as their edges: an ascending ``datetime64[us]`` array in UTC.

``n + 1`` edges make ``n`` windows without holes. Quarter-hours and hours lie on the UTC
clock; days are days of the territory and last 23, 24 or 25 hours.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from processors.runs import Rows
from storage.reading import TimeArray

QUARTER_HOUR_S = 900
HOUR_S = 3600


def _even(start: np.datetime64, stop: np.datetime64, length_s: int) -> TimeArray:
    length = length_s * 1_000_000
    first = int(start.astype("datetime64[us]").astype(np.int64)) // length
    last = -(-int(stop.astype("datetime64[us]").astype(np.int64)) // length)
    edges: TimeArray = (np.arange(first, max(first, last) + 1) * length).view("datetime64[us]")
    return edges


def quarter_hours(start: np.datetime64, stop: np.datetime64) -> TimeArray:
    """Edges of the quarter-hours that cover ``[start, stop)``.

    Examples
    --------
    >>> quarter_hours(np.datetime64("2026-03-01T10:20"), np.datetime64("2026-03-01T10:40"))
    array(['2026-03-01T10:15:00.000000', '2026-03-01T10:30:00.000000',
           '2026-03-01T10:45:00.000000'], dtype='datetime64[us]')
    """
    return _even(start, stop, QUARTER_HOUR_S)


def hours(start: np.datetime64, stop: np.datetime64) -> TimeArray:
    """Edges of the UTC hours that cover ``[start, stop)``."""
    return _even(start, stop, HOUR_S)


def _first_instant(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which the local date becomes ``day``.

    Where the clock jumps over midnight, that is the jump itself: it lies between the
    readings of 00:00 with the offset after and the offset before it.
    """
    midnight = datetime.combine(day, time(), zone)
    instant = midnight.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return instant
    before = midnight.replace(fold=1).astimezone(UTC) - timedelta(seconds=1)
    while instant - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(instant - before) // timedelta(seconds=2))
        if middle.astimezone(zone).date() < day:
            before = middle
        else:
            instant = middle
    return instant


def first_instant(day: date, zone: str) -> np.datetime64:
    """When a local day begins, in UTC.

    Examples
    --------
    >>> first_instant(date(2026, 3, 30), "Europe/Paris")
    np.datetime64('2026-03-29T22:00:00.000000')
    """
    return np.datetime64(_first_instant(day, ZoneInfo(zone)).replace(tzinfo=None), "us")


def local_date(instant: np.datetime64, zone: str) -> date:
    """The date on the wall at an instant."""
    utc: datetime = instant.astype("datetime64[us]").item()
    return utc.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()


def local_days(start: np.datetime64, stop: np.datetime64, zone: str) -> TimeArray:
    """Edges of the local days that cover ``[start, stop)``, as UTC instants.

    A day lasts 23, 24 or 25 hours; where midnight does not exist it begins with the
    first instant that does.

    Examples
    --------
    >>> np.diff(local_days(np.datetime64("2026-03-28T23:00"), np.datetime64("2026-03-30T22:00"),
    ...                    "Europe/Paris")).astype("timedelta64[h]")
    array([23, 24], dtype='timedelta64[h]')
    """
    place = ZoneInfo(zone)
    first, last = (
        t.astype("datetime64[us]").item().replace(tzinfo=UTC).astimezone(place).date()
        for t in (start, max(start, stop))
    )
    instants = [
        _first_instant(first + timedelta(days=k), place).replace(tzinfo=None)
        for k in range((last - first).days + 2)
    ]
    # A day that a zone skipped altogether would have length zero.
    edges = np.unique(np.array(instants, "datetime64[us]"))
    if edges[-2] >= stop and len(edges) > 2:
        edges = edges[:-1]
    return edges


def window_of(time: TimeArray, edges: TimeArray) -> Rows:
    """Number of the window that holds each time: -1 before the first, n at or after the end."""
    return np.searchsorted(edges, time, side="right") - 1


def floor(time: TimeArray, edges: TimeArray) -> TimeArray:
    """Start of the window that holds each time; NaT outside all windows.

    Examples
    --------
    >>> edges = hours(np.datetime64("2026-03-01T10"), np.datetime64("2026-03-01T12"))
    >>> floor(np.array(["2026-03-01T11:59", "2026-03-01T12:00"], "datetime64[us]"), edges)
    array(['2026-03-01T11:00:00.000000',                        'NaT'],
          dtype='datetime64[us]')
    """
    window = window_of(time, edges)
    start = edges[np.maximum(window, 0)]
    start[(window < 0) | (window >= len(edges) - 1)] = np.datetime64("NaT")
    return start


def overlaps(
    begin: TimeArray, end: TimeArray, edges: TimeArray
) -> tuple[Rows, Rows, NDArray[np.int64]]:
    """Cut intervals at the edges.

    Parameters
    ----------
    begin, end : datetime64[us], shape (n,)
        Intervals ``[begin, end)``; empty ones and parts outside all windows are left out.
    edges : datetime64[us], shape (w + 1,)

    Returns
    -------
    interval, window : intp, shape (m,)
        Which interval lies in which window, by interval and then by window.
    length : int64, shape (m,)
        For how long. [us]

    Examples
    --------
    >>> at = np.array(["2026-03-01T00:10", "2026-03-01T03:10"], "datetime64[us]")
    >>> _, window, length = overlaps(at[:1], at[1:], hours(at[0], at[1]))
    >>> window, length // 60_000_000
    (array([0, 1, 2, 3]), array([50, 60, 60, 10]))
    """
    edge = edges.view(np.int64)
    lower = np.maximum(begin.view(np.int64), edge[0])
    upper = np.minimum(end.view(np.int64), edge[-1])
    kept = np.flatnonzero(lower < upper)
    if len(kept) < len(lower):
        lower, upper = lower[kept], upper[kept]
    first = np.searchsorted(edge, lower, side="right") - 1
    count = np.searchsorted(edge, upper) - first
    last = np.cumsum(count) - 1
    piece = np.repeat(np.arange(len(kept)), count)
    window = np.arange(len(piece)) - (last - count + 1 - first)[piece]
    # Pieces reach from edge to edge, but for the first and the last of an interval.
    start, stop = edge[window], edge[window + 1]
    start[last - count + 1] = lower
    stop[last] = upper
    return kept[piece], window, stop - start
