"""How fast the kernels are, beside plain numpy on the same readings.

Run from the root of the repository: ``python tests/benchmarks/kernels.py``. One slice is
what the processors take at once: 2,000 series at 10 s over two hours and their context.
Plain numpy means ``np.percentile`` and ``np.mean`` of every window in a loop, which gives
nothing that could be combined further.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from processors import sketch
from processors.quality import assess
from processors.runs import lengths, starts
from processors.summary import combine, summarise
from processors.windows import hours, local_days, quarter_hours, window_of
from storage.catalogue import Kind
from storage.reading import Batch
from storage.series import KIND_CODE, SeriesTable

SERIES = 2_000
STEP_S = 10
START = np.datetime64("2026-03-01T00:00:00", "us")
NOW = START + np.timedelta64(2, "D")
CONTEXT = 3
READINGS_A_DAY = SERIES * 86_400 // STEP_S
Q = np.array([0.05, 0.25, 0.5, 0.75, 0.95])


def a_table(kinds: list[Kind]) -> SeriesTable:
    def column(value: float) -> np.ndarray:
        return np.full(SERIES, value)

    return SeriesTable(
        series=np.arange(1, SERIES + 1, dtype=np.int32),
        kind=np.array([KIND_CODE[kinds[k % len(kinds)]] for k in range(SERIES)], np.int8),
        step=np.full(SERIES, STEP_S, np.int64),
        low=column(-60), high=column(1e10), spike=column(60), rate_per_h=column(np.nan),
        flat_h=column(6), register_max=column(np.nan),
        timezone=np.zeros(SERIES, np.int16), zones=("Europe/Paris",),
    )  # fmt: skip


def a_slice(table: SeriesTable, first_hour: int, count: int) -> Batch:
    """Readings of some hours: 1 in 1,000 a spike, 1 in 1,000 missing."""
    rng = np.random.default_rng(first_hour)
    per = count * 3_600 // STEP_S + 2 * CONTEXT
    begin = first_hour * 3_600 // STEP_S - CONTEXT
    at = START + np.arange(begin, begin + per) * np.timedelta64(STEP_S, "s")
    value = rng.normal(50, 8, (SERIES, per))
    registers = table.kind == KIND_CODE[Kind.INDEX]
    value[registers] = 1e6 + np.cumsum(np.abs(value[registers]), axis=1)
    conditions = table.kind == KIND_CODE[Kind.STATE]
    value[conditions] = value[conditions] > 50
    value = value.ravel()
    flag = np.full(value.size, 2, np.int16)
    value[~np.repeat(registers, per) & (rng.random(value.size) < 0.001)] += 70
    missing = rng.random(value.size) < 0.001
    value[missing], flag[missing] = np.nan, 9
    return Batch(np.tile(at, SERIES), value, np.repeat(table.series, per), flag)


def best(work: Callable[[], object], times: int = 3) -> float:
    """Shortest of a few runs. [s]"""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        took.append(time.perf_counter() - begun)
    return min(took)


def plain_numpy(batch: Batch, edges: np.ndarray) -> None:
    """Percentiles and mean of every window, one after the other."""
    first = starts(batch.series, window_of(batch.time, edges))
    for at, size in zip(first, lengths(first, len(batch)), strict=True):
        value = batch.value[at : at + size]
        value = value[~np.isnan(value)]
        if value.size:
            np.percentile(value, Q * 100)
            value.mean()


def per_kernel() -> None:
    print(f"{'kernel':34}{'M rows/s':>10}{'ns/row':>9}")

    def line(name: str, rows: int, work: Callable[[], object]) -> float:
        took = best(work)
        print(f"{name:34}{rows / took / 1e6:10.1f}{took / rows * 1e9:9.1f}")
        return took

    table = a_table([Kind.GAUGE])
    batch, edges = a_slice(table, 0, 2), quarter_hours(START, START + np.timedelta64(2, "h"))
    line("quality.assess", len(batch), lambda: assess(batch, table))
    whole = batch.take(~np.isnan(batch.value))
    code = sketch.codes(whole.value)
    first = starts(whole.series, window_of(whole.time, edges))
    row = np.repeat(np.arange(len(first)), lengths(first, len(whole)))
    line("sketch.codes", len(code), lambda: sketch.codes(whole.value))
    line("sketch.build", len(code), lambda: sketch.build(code, row, len(first)))
    for kind in Kind:
        table = a_table([kind])
        sample = a_slice(table, 0, 2)
        flag, _ = assess(sample, table)

        def work(
            sample: Batch = sample, flag: np.ndarray = flag, table: SeriesTable = table
        ) -> object:
            return summarise(sample, flag, table, edges, NOW)

        took = line(f"summary.summarise {kind}", len(sample), work)
        if kind == Kind.GAUGE:
            parts = summarise(sample, flag, table, edges, NOW)
            some = sample.take(sample.series <= SERIES // 20)
            plain = best(lambda some=some: plain_numpy(some, edges), 1) * len(sample) / len(some)
            print(f"{'  plain numpy, percentiles, mean':34}{plain / took:9.1f} times as long")
            line("summary.combine (rollups in)", len(parts),
                 lambda parts=parts, table=table: combine(
                     parts, hours(START, START + np.timedelta64(2, "h")), table, NOW))  # fmt: skip
            line("sketch.quantile (rollups in)", len(parts),
                 lambda parts=parts: sketch.quantile(parts.sketch, Q))  # fmt: skip


def whole_day() -> None:
    """A day through all kernels, in slices; generating the readings is not counted."""
    for name, kinds in (("gauges", [Kind.GAUGE]), ("all kinds in turn", list(Kind))):
        table, took, rows = a_table(kinds), 0.0, 0
        for hour in range(0, 24, 2):
            batch = a_slice(table, hour, 2)
            rows += len(batch)
            begun = time.perf_counter()
            start = START + np.timedelta64(hour, "h")
            stop = start + np.timedelta64(2, "h")
            flag, _ = assess(batch, table)
            quarters = summarise(batch, flag, table, quarter_hours(start, stop), NOW)
            by_hours = combine(quarters, hours(start, stop), table, NOW)
            combine(by_hours, local_days(start, start + np.timedelta64(1, "h"), "UTC"), table, NOW)
            took += time.perf_counter() - begun
        print(f"a day of 2,000 series at 10 s, {name}: {rows:,} rows in {took:.2f} s")


if __name__ == "__main__":
    per_kernel()
    whole_day()
