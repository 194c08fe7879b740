"""Registers whose meters were replaced, and readings that leap: vectors and laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.replacement import divide
from processors.summary import combine, summarise
from processors.windows import hours, local_days, quarter_hours
from storage.catalogue import Kind
from storage.reading import Flag
from storage.series import KIND_CODE, NONE_REPLACED, Replacements, SeriesTable
from tests.unit import kernel_oracle as oracle
from tests.unit.kernel_oracle import START, batch_of_seconds, table_of
from tests.unit.test_register import flows

MINUTE = np.timedelta64(1, "m")
LATER = START + np.timedelta64(400, "D")


def replaced(*rows: tuple[int, float, float, float]) -> Replacements:
    """(series, minute, closing, opening)."""
    series, minute, closing, opening = zip(*rows, strict=True)
    at = START + np.array(minute) * MINUTE
    return Replacements(
        np.array(series, np.int32), at.astype("datetime64[us]"),
        np.array(closing, float), np.array(opening, float),
    )  # fmt: skip


def rolled(table: SeriesTable, *readings: tuple[int, float, float], span_h: int = 4):
    """Rollups of (series, minute, value) in hours."""
    batch = batch_of_seconds(*((s, m * 60, v, Flag.GOOD) for s, m, v in readings))
    edges = quarter_hours(START, START + np.timedelta64(span_h, "h"))
    quarters = summarise(batch, batch.flag, table, edges, LATER)
    return combine(quarters, hours(edges[0], edges[-1]), table, LATER)


def with_replacements(table: SeriesTable, done: Replacements) -> SeriesTable:
    fields = {name: getattr(table, name) for name in SeriesTable.__slots__}
    return SeriesTable(**{**fields, "replaced": done})


def meter(**limits: float) -> SeriesTable:
    return table_of({"kind": Kind.INDEX, "step": 3600, **limits})


# 3.1 -------------------------------------------------------------------------


def test_a_documented_replacement_counts_6_6_before_and_2_5_after():
    table = with_replacements(meter(), replaced((1, 60, 1530.0, 12.0)))

    rows = rolled(table, (1, 0, 1523.4), (1, 120, 14.5), span_h=2)

    assert rows.sum.tolist() == pytest.approx([6.6, 2.5])
    assert rows.sum.sum() == pytest.approx(9.1)
    assert rows.x.tolist() == [0.0, 0.0]
    assert rows.y.tolist() == [3600.0, 3600.0]


def test_without_the_document_a_meter_that_had_run_counts_nothing_across_the_change():
    rows = rolled(meter(), (1, 0, 1523.4), (1, 60, 1530.0), (1, 120, 1200.0), (1, 180, 1202.0))

    assert rows.sum[0] == pytest.approx(6.6)
    assert math.isnan(rows.sum[1])
    assert rows.sum[2] == pytest.approx(2.0)
    assert rows.y.tolist()[::2] == [3600.0, 3600.0]


def test_what_is_interpolated_never_crosses_a_replacement():
    # Eight hours between the readings, replaced after two: 6 kWh before, 3 after.
    table = with_replacements(meter(), replaced((1, 120, 106.0, 0.0)))

    rows = rolled(table, (1, 0, 100.0), (1, 480, 3.0), span_h=8)

    assert rows.sum.tolist() == pytest.approx([3.0, 3.0] + [0.5] * 6)
    assert rows.x.tolist() == pytest.approx([0.0, 0.0] + [0.5] * 6)


def test_a_reading_at_the_instant_of_the_replacement_gives_way_to_what_was_written_down():
    runs = divide(
        START + np.array([0, 60, 120]) * MINUTE, np.array([1523.4, 1529.0, 14.5]), np.array([0]),
        np.array([1], np.int32), replaced((1, 60, 1530.0, 12.0)),
    )  # fmt: skip

    assert runs.value.tolist() == [1523.4, 1530.0, 12.0, 14.5]
    assert runs.start.tolist() == [0, 2]


def test_a_meter_replaced_twice_is_three_registers_and_its_neighbours_stay_whole():
    table = with_replacements(
        table_of(*({"kind": Kind.INDEX, "step": 3600} for _ in range(3))),
        replaced((2, 60, 10.0, 1000.0), (2, 120, 1004.0, 500.0), (9, 60, 1.0, 2.0)),
    )

    rows = rolled(
        table, (1, 0, 5.0), (1, 60, 6.0), (2, 0, 7.0), (2, 180, 501.0), (3, 0, 8.0), (3, 60, 8.5)
    )

    assert rows.series.tolist()[:2] == [1, 1]
    assert rows.sum[rows.series == 2].tolist()[:3] == pytest.approx([3.0, 4.0, 1.0])
    assert rows.sum[rows.series == 1][0] == pytest.approx(1.0)
    assert rows.sum[rows.series == 3][0] == pytest.approx(0.5)


def test_nothing_replaced_leaves_the_readings_as_they_are():
    time, value = START + np.arange(4) * MINUTE, np.arange(4.0)

    runs = divide(time, value, np.array([0, 2]), np.array([1, 2], np.int32), NONE_REPLACED)

    assert runs.time is time
    assert runs.register.tolist() == [0, 1]


def test_a_single_reading_too_high_is_a_spike_and_the_register_goes_on():
    assert flows(1000, 99_000, 1004, rate_per_h=36) == [(4, 20)]


def test_a_single_reading_too_low_is_a_spike_where_the_way_back_is_too_fast():
    assert flows(1000, 400, 1004, rate_per_h=36) == [(4, 20)]
    assert flows(1000, 400, 1004) == [(400, 10), (604, 10)]


def test_a_leap_that_the_next_reading_confirms_is_a_replacement_and_counts_nothing():
    assert flows(1000, 50_000, 50_004, rate_per_h=36) == [(4, 10)]


def test_a_leap_at_the_end_is_held_until_the_next_reading():
    assert flows(1000, 1004, 99_000, rate_per_h=36) == [(4, 10)]


def test_two_readings_that_leap_are_no_spike():
    assert flows(1000, 99_000, 99_000, 1004, rate_per_h=36) == [(0, 10)]


# 3.2 -------------------------------------------------------------------------


def test_a_long_interval_is_split_by_overlap_and_conserves_its_12():
    rows = rolled(meter(), (1, 10, 1000.0), (1, 190, 1012.0))

    assert rows.sum.tolist() == pytest.approx([10 / 3, 4.0, 4.0, 2 / 3])
    assert rows.sum.sum() == pytest.approx(12.0)
    assert rows.x.tolist() == pytest.approx(rows.sum.tolist())
    assert rows.y.tolist() == [3000.0, 3600.0, 3600.0, 600.0]


@pytest.mark.parametrize(("day", "length_h"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_local_day_of_23_or_25_hours_counts_every_one_of_them(day: str, length_h: int):
    begin = np.datetime64(f"{day}T00:00", "us") - np.timedelta64(1 if length_h == 23 else 2, "h")
    table = meter()
    time = begin + np.arange(30) * np.timedelta64(1, "h")
    seconds = ((time - START).astype(np.int64) / 1e6).tolist()
    batch = batch_of_seconds(*((1, s, 2.0 * k, Flag.GOOD) for k, s in enumerate(seconds)))
    edges = local_days(begin, begin + np.timedelta64(1, "h"), "Europe/Paris")

    rows = summarise(batch, batch.flag, table, edges, time[-1])

    assert rows.sum.tolist() == pytest.approx([2.0 * length_h])
    assert rows.y.tolist() == [length_h * 3600.0]


# Laws ------------------------------------------------------------------------

VALUES = st.lists(
    st.sampled_from([0.0, 5.0, 90.0, 99.0, 100.0, 101.0, 140.0, 1e5, 99_990.0]),
    min_size=1, max_size=9,
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(values=VALUES, step=st.sampled_from([0, 600]), rate=st.sampled_from([math.nan, 60.0, 600.0]))
def test_registers_of_any_kind_count_what_plain_python_counts(values, step, rate):
    minutes = [10 * k if k % 4 else 10 * k + 3 for k in range(len(values))]
    found = flows(*values, minutes=minutes, step=step, register_max=1e5, rate_per_h=rate)

    table = table_of({"kind": Kind.INDEX, "step": step, "register_max": 1e5, "rate_per_h": rate})
    assert table.kind[0] == KIND_CODE[Kind.INDEX]
    times = [m * 60 * oracle.SECOND for m in minutes]
    slow = oracle._increments(
        list(range(len(values))), times, values, step * oracle.SECOND, table, 0
    )
    assert found == [
        (round(amount, 9), (end - begin) // (60 * oracle.SECOND)) for begin, end, amount, _ in slow
    ]


@settings(max_examples=30, deadline=None)
@given(
    increases=st.lists(st.floats(0, 50), min_size=2, max_size=12),
    at=st.integers(0, 11),
    fresh=st.floats(0, 1e4),
)
def test_a_documented_replacement_loses_and_gains_nothing_wherever_it_lies(increases, at, fresh):
    """The same flow read from one register, or from two with the change written down."""
    at = min(at, len(increases) - 1)
    register = np.concatenate(([1000.0], 1000.0 + np.cumsum(increases)))
    closing = float(register[at] + increases[at] / 2)
    value = [float(v) if k <= at else float(v - closing + fresh) for k, v in enumerate(register)]
    table = with_replacements(meter(), replaced((1, 60 * at + 30, closing, fresh)))

    rows = rolled(table, *((1, 60 * k, v) for k, v in enumerate(value)), span_h=len(increases))

    assert rows.sum.tolist() == pytest.approx(increases, abs=1e-6)
    assert rows.y.tolist() == [3600.0] * len(increases)
