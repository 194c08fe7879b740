"""The binary COPY body is what PostgreSQL documents, and comes back unchanged."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import binary
from storage.reading import batch_of, empty_batch
from storage.rollup import SKETCH_PAIR, Rollups, Sketches

COUNTS = ("series", "expected", "received", "good", "suspect")
FLOATS = ("sum", "min", "max", "m2", "first", "last", "x", "y")


def rollups_of(sketches: list[list[tuple[int, int]]]) -> Rollups:
    """One row per sketch; every number differs from every other."""
    n = len(sketches)
    number = iter(range(1, 1000 * (n + 1)))
    offset = np.cumsum([0, *(len(s) for s in sketches)]).astype(np.int64)
    flat = [pair for sketch in sketches for pair in sketch]
    return Rollups(
        start=np.datetime64("2024-03-31T01:00:00", "us")
        + np.array([next(number) for _ in range(n)], "timedelta64[m]"),
        **{name: np.array([next(number) + 0.25 for _ in range(n)]) for name in FLOATS},
        **{name: np.array([next(number) for _ in range(n)], np.int32) for name in COUNTS},
        provisional=np.array([next(number) % 2 == 0 for _ in range(n)], np.bool_),
        sketch=Sketches(offset, np.array(flat, SKETCH_PAIR)),
    )


def assert_same(got: Rollups, put: Rollups) -> None:
    for name in ("start", *FLOATS, *COUNTS, "provisional"):
        column = getattr(got, name)
        assert column.dtype == getattr(put, name).dtype, name
        np.testing.assert_array_equal(column, getattr(put, name), err_msg=name)
    np.testing.assert_array_equal(got.sketch.offset, put.sketch.offset)
    np.testing.assert_array_equal(got.sketch.pairs, put.sketch.pairs)


def test_one_reading_is_the_documented_bytes() -> None:
    batch = batch_of([946_684_800_000_001], [1.5], [7], [1])

    body = bytes(binary.encode_readings(batch))

    assert body[:19] == b"PGCOPY\n\xff\r\n\x00" + bytes(8)
    assert body[19:59] == struct.pack(">hiqidiiih", 4, 8, 1, 8, 1.5, 4, 7, 2, 1)
    assert body[59:] == b"\xff\xff"


def test_readings_come_back_unchanged_with_their_types() -> None:
    batch = batch_of(
        [-1, 0, 1_711_846_800_123_456], [-0.0, float("nan"), 1e300], [1, 2**31 - 1, 3], [1, 9, 4]
    )

    got = binary.decode_readings(bytes(binary.encode_readings(batch)))

    for name in ("time", "value", "series", "flag"):
        assert getattr(got, name).dtype == getattr(batch, name).dtype
        np.testing.assert_array_equal(getattr(got, name), getattr(batch, name))
    assert np.signbit(got.value[0])


def test_no_readings_are_a_header_and_a_trailer() -> None:
    body = bytes(binary.encode_readings(empty_batch()))

    assert len(body) == 21
    assert len(binary.decode_readings(body)) == 0


def test_a_body_that_breaks_off_is_not_read() -> None:
    body = bytes(binary.encode_readings(batch_of([1, 2], [1.0, 2.0], [1, 1], [1, 1])))

    with pytest.raises(ValueError, match="not a complete binary COPY body"):
        binary.decode_readings(body[:-1])
    with pytest.raises(ValueError, match="40 bytes each"):
        binary.decode_readings(body[:-12] + body[-2:])


def test_a_row_of_rollup_is_the_documented_bytes() -> None:
    rollups = rollups_of([[(-3, 1), (5, 2)]])

    body = bytes(binary.encode_rollups(rollups))

    assert struct.unpack(">hi", body[19:25]) == (16, 8)
    sketch = struct.pack("<hIhI", -3, 1, 5, 2)
    assert body[-2 - 4 - 12 : -2] == struct.pack(">i", 12) + sketch


def test_rollups_come_back_with_sketches_of_every_length() -> None:
    rollups = rollups_of([[(1, 5)], [], [(-9, 1), (0, 3), (812, 90)], []])

    assert_same(binary.decode_rollups(bytes(binary.encode_rollups(rollups))), rollups)


def test_no_rollups_are_a_header_and_a_trailer() -> None:
    body = bytes(binary.encode_rollups(rollups_of([])))

    assert len(body) == 21
    assert len(binary.decode_rollups(body)) == 0


def test_rows_taken_from_the_middle_of_other_sketches_are_written_alone() -> None:
    whole = rollups_of([[(1, 5)], [(2, 6), (3, 7)], [(4, 8)]])
    middle = Rollups(
        **{name: getattr(whole, name)[1:2] for name in ("start", *FLOATS, *COUNTS, "provisional")},
        sketch=Sketches(whole.sketch.offset[1:3], whole.sketch.pairs),
    )

    got = binary.decode_rollups(bytes(binary.encode_rollups(middle)))

    assert got.sketch.pairs.tolist() == [(2, 6), (3, 7)]


def test_a_sketch_that_looks_like_the_start_of_a_row_is_still_a_sketch() -> None:
    # 00 10 | 00 00 00 08: code 4096 and count 8 << 24 are those six bytes.
    looks_like_a_row = [(4096, 0x08000000)] * 30
    rollups = rollups_of([[(1, 1)], looks_like_a_row, [(2, 2)], looks_like_a_row])

    body = bytes(binary.encode_rollups(rollups))

    assert body.count(b"\x00\x10\x00\x00\x00\x08") == 4 + 60
    assert_same(binary.decode_rollups(body), rollups)


def test_rollups_cut_short_are_not_read() -> None:
    body = bytes(binary.encode_rollups(rollups_of([[(1, 1)], [(2, 2)]])))

    with pytest.raises(ValueError, match="cut short"):
        binary.decode_rollups(body[:-8] + b"\xff\xff")


@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(-(2**15), 2**15 - 1), st.integers(0, 2**32 - 1)), max_size=5
        ),
        max_size=20,
    )
)
def test_any_sketches_come_back(sketches: list[list[tuple[int, int]]]) -> None:
    rollups = rollups_of(sketches)

    assert_same(binary.decode_rollups(bytes(binary.encode_rollups(rollups))), rollups)


async def test_chunks_are_the_body_in_order() -> None:
    body = memoryview(bytes(range(256)) * 10_000)

    parts = [part async for part in binary.chunks(body)]

    assert [len(part) for part in parts] == [1 << 20, 1 << 20, 2_560_000 - (2 << 20)]
    assert b"".join(parts) == body
