"""What the kernels must answer, computed one reading at a time in plain Python.

Slow and obvious on purpose: nothing here is shared with the kernels but the words.
"""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import pairwise
from typing import Any

import numpy as np

from storage.catalogue import Kind
from storage.reading import Batch, Flag
from storage.rollup import Rollups
from storage.series import KIND_CODE, SeriesTable

SECOND = 1_000_000
HOUR = 3_600 * SECOND
START = np.datetime64("2026-03-01T00:00:00", "us")
NAN = math.nan
DEFAULTS: dict[str, float] = {
    "low": -1e12, "high": 1e12, "spike": NAN, "rate_per_h": NAN, "flat_h": NAN,
    "register_max": NAN,
}  # fmt: skip


def table_of(*series: dict[str, Any]) -> SeriesTable:
    """Series 1, 2, … from keyword sets: ``kind``, ``step``, and limits that matter."""
    columns = {
        name: np.array([s.get(name, default) for s in series], np.float64)
        for name, default in DEFAULTS.items()
    }
    return SeriesTable(
        series=np.arange(1, len(series) + 1, dtype=np.int32),
        kind=np.array([KIND_CODE[s.get("kind", Kind.GAUGE)] for s in series], np.int8),
        step=np.array([s.get("step", 600) for s in series], np.int64),
        timezone=np.zeros(len(series), np.int16),
        zones=("Europe/Paris",),
        **columns,
    )


def batch_of_seconds(*rows: tuple[int, float, float, int]) -> Batch:
    """Readings as (series, seconds after START, value, flag), in key order."""
    series, seconds, value, flag = zip(*sorted(rows), strict=True) if rows else ((),) * 4
    time = START + (np.array(seconds, np.float64) * SECOND).astype("timedelta64[us]")
    return Batch(
        time, np.array(value, np.float64), np.array(series, np.int32), np.array(flag, np.int16)
    )


def _by_series(batch: Batch) -> dict[int, list[int]]:
    rows: dict[int, list[int]] = defaultdict(list)
    for row, series in enumerate(batch.series.tolist()):
        rows[series].append(row)
    return rows


def assess(batch: Batch, table: SeriesTable) -> tuple[list[int], list[int]]:
    """Final flags and failed tests."""
    time = batch.time.astype(np.int64).tolist()
    value, source = batch.value.tolist(), batch.flag.tolist()
    flag, tests = list(source), [0] * len(batch)
    for series, rows in _by_series(batch).items():
        k = table.series.tolist().index(series)
        turning = table.kind[k] in (KIND_CODE[Kind.ANGLE], KIND_CODE[Kind.STATE])
        step = int(table.step[k]) * SECOND
        low, high = float(table.low[k]), float(table.high[k])
        spike, rate = float(table.spike[k]), float(table.rate_per_h[k])
        flat = float(table.flat_h[k])
        good: list[int] = []
        for r in rows:
            if source[r] == Flag.MISSING or math.isnan(value[r]):
                flag[r] = Flag.MISSING
            elif value[r] < low or value[r] > high:
                flag[r], tests[r] = Flag.FAIL, 1
            elif source[r] != Flag.FAIL:
                good.append(r)
        for at, r in enumerate(good):
            ran = not (math.isnan(low) and math.isnan(high) and math.isnan(flat))
            reach = 2 * step if step else 2 * HOUR
            before = good[at - 1] if at else None
            after = good[at + 1] if at + 1 < len(good) else None
            if before is not None and not math.isnan(rate) and not turning:
                interval = time[r] - time[before]
                if step == 0 or interval <= 2 * step:
                    ran = True
                    hours = max(interval, step, HOUR // 4) / HOUR
                    if abs(value[r] - value[before]) > rate * hours:
                        tests[r] |= 8
            neighbours = [
                value[other]
                for other in (before, after)
                if other is not None and abs(time[r] - time[other]) <= reach
            ]
            if len(neighbours) == 2 and not math.isnan(spike) and not turning:
                ran = True
                away = abs(value[r] - sum(neighbours) / 2)
                if not min(neighbours) <= value[r] <= max(neighbours) and away > spike:
                    tests[r] |= 2
            since = at
            while since and value[good[since - 1]] == value[r]:
                since -= 1
            if since < at and time[r] - time[good[since]] >= flat * HOUR:
                tests[r] |= 4
            if before is not None and step and time[r] - time[before] > 2 * step:
                tests[r] |= 16
            if flag[r] == Flag.NOT_EVALUATED and ran:
                flag[r] = Flag.GOOD
            if tests[r] & (2 | 4 | 8):
                flag[r] = Flag.SUSPECT
    return flag, tests


Row = dict[str, Any]


def summarise(
    batch: Batch, flag: list[int], table: SeriesTable, edges: Any, now: np.datetime64
) -> dict[tuple[int, int], Row]:
    """Rows by (series, start in microseconds)."""
    edge = edges.astype(np.int64).tolist()
    instant = int(now.astype("datetime64[us]").astype(np.int64))
    time, value = batch.time.astype(np.int64).tolist(), batch.value.tolist()
    answer: dict[tuple[int, int], Row] = {}

    def row_of(series: int, window: int, step: int) -> Row:
        begin, end = edge[window], edge[window + 1]
        expected = max((min(end, instant) - begin) // step, 1) if step else 0
        fresh = {
            "expected": expected, "received": 0, "good": 0, "suspect": 0,
            "provisional": end > instant, "values": [], "sum": NAN, "x": NAN, "y": NAN,
        }  # fmt: skip
        return answer.setdefault((series, begin), fresh)

    def add(row: Row, name: str, amount: float) -> None:
        row[name] = amount if math.isnan(row[name]) else row[name] + amount

    for series, rows in _by_series(batch).items():
        k = table.series.tolist().index(series)
        kind, step = list(Kind)[table.kind[k]], int(table.step[k]) * SECOND
        usable = [r for r in rows if flag[r] not in (Flag.FAIL, Flag.MISSING)]
        for r in rows:
            for w in range(len(edge) - 1):
                if edge[w] <= time[r] < edge[w + 1]:
                    row = row_of(series, w, step)
                    row["received"] += flag[r] != Flag.MISSING
                    if r in usable:
                        row["suspect" if flag[r] == Flag.SUSPECT else "good"] += 1
                        row["values"].append(value[r])
        if kind == Kind.INDEX:
            for begin, end, amount, gap in _increments(usable, time, value, step, table, k):
                for w in range(len(edge) - 1):
                    lap = min(end, edge[w + 1]) - max(begin, edge[w])
                    if lap > 0:
                        row = row_of(series, w, step)
                        share = amount * lap / (end - begin)
                        add(row, "sum", share)
                        add(row, "x", share if gap else 0.0)
                        add(row, "y", lap / SECOND)
        if kind == Kind.STATE:
            for at, r in enumerate(rows):
                if r in usable:
                    end = min(time[r] + (2 * step or 24 * HOUR), instant)
                    end = min(end, time[rows[at + 1]]) if at + 1 < len(rows) else end
                    for w in range(len(edge) - 1):
                        lap = min(end, edge[w + 1]) - max(time[r], edge[w])
                        if lap > 0:
                            row = row_of(series, w, step)
                            add(row, "x", value[r] * lap / SECOND)
                            add(row, "y", lap / SECOND)
    for (series, _), row in answer.items():
        _finish(row, list(Kind)[table.kind[table.series.tolist().index(series)]])
    return answer


def _increments(
    usable: list[int], time: list[int], value: list[float], step: int, table: SeriesTable, k: int
) -> list[tuple[int, int, float, bool]]:
    full, fastest = float(table.register_max[k]), float(table.rate_per_h[k])

    def too_fast(a: int, b: int) -> bool:
        return value[b] - value[a] > fastest * (max(time[b] - time[a], step) / HOUR)

    def held(at: int) -> bool:
        if not 0 < at < len(usable) - 1:
            return False
        a, r, b = usable[at - 1 : at + 2]
        if value[b] < value[a]:
            return False
        if value[r] == 0 and value[a] > 0:
            return True
        outside = value[r] > value[b] or value[r] < value[a]
        known = not math.isnan(fastest) and not too_fast(a, b)
        return outside and known and (too_fast(a, r) or too_fast(r, b))

    kept = [r for at, r in enumerate(usable) if not held(at) or held(at - 1) or held(at + 1)]
    found = []
    for before, after in pairwise(kept):
        old, new, interval = value[before], value[after], time[after] - time[before]
        amount = new - old
        if amount < 0:
            if old >= 0.9 * full and new <= 0.1 * full:
                amount += full
            elif old - new <= 0.001 * old:
                pass
            elif 0 <= new <= old / 2:
                amount = new
            else:
                continue
        if interval > 31 * 24 * HOUR or amount > fastest * (max(interval, step) / HOUR):
            continue
        found.append((time[before], time[after], amount, bool(step and interval > 2 * step)))
    return found


def _finish(row: Row, kind: Kind) -> None:
    values = row["values"]
    row["first"], row["last"] = (values[0], values[-1]) if values else (NAN, NAN)
    extremes = values and kind != Kind.ANGLE
    row["min"], row["max"] = (min(values), max(values)) if extremes else (NAN, NAN)
    row["m2"] = NAN
    if values and kind not in (Kind.INDEX, Kind.ANGLE):
        mean = math.fsum(values) / len(values)
        row["m2"] = math.fsum((v - mean) ** 2 for v in values)
        row["sum"] = math.fsum(values)
    if values and kind == Kind.LEVEL:
        row["x"] = row["sum"]
        row["sum"] = math.fsum(10 ** (v / 10) for v in values)
    if values and kind == Kind.ANGLE:
        row["x"] = math.fsum(math.cos(math.radians(v)) for v in values)
        row["y"] = math.fsum(math.sin(math.radians(v)) for v in values)
    sketched = kind in (Kind.GAUGE, Kind.COUNT, Kind.LEVEL)
    row["buckets"] = bucket_counts(values) if sketched else {}


def bucket_counts(values: list[float]) -> dict[int, int]:
    """DDSketch by its definition, one value at a time."""
    gamma = 1.01 / 0.99
    counts: dict[int, int] = defaultdict(int)
    for v in values:
        code = 0
        if abs(v) >= 1e-9:
            code = math.ceil(math.log(min(abs(v), 1e15)) / math.log(gamma)) + 1037
        counts[int(math.copysign(code, v))] += 1
    return dict(counts)


def buckets(rollups: Rollups, row: int) -> dict[int, int]:
    """The sketch of one row."""
    pairs = rollups.sketch.pairs[rollups.sketch.offset[row] : rollups.sketch.offset[row + 1]]
    assert (np.diff(pairs["code"]) > 0).all()
    return dict(zip(pairs["code"].tolist(), pairs["count"].tolist(), strict=True))
