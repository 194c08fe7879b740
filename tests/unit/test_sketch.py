"""Quantile sketches keep their stated error, and parts add up to the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from processors.sketch import ALPHA, SMALLEST, build, codes, merge, quantile, values
from tests.unit.kernel_oracle import bucket_counts

Q = np.array([0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.85, 0.9, 0.95, 0.98, 0.99, 0.999, 1.0])
RNG = np.random.default_rng(20260301)
N = 5_000
DISTRIBUTIONS = {
    "uniform": RNG.uniform(0, 1, N),
    "uniform wide": RNG.uniform(-1e6, 1e6, N),
    "normal": RNG.normal(20, 5, N),
    "normal around zero": RNG.normal(0, 1, N),
    "all negative": RNG.normal(-300, 20, N),
    "lognormal": RNG.lognormal(0, 3, N),
    "exponential": RNG.exponential(1e-3, N),
    "pareto": RNG.pareto(0.5, N),
    "laplace": RNG.laplace(0, 10, N),
    "gamma": RNG.gamma(0.1, 10, N),
    "two peaks": np.concatenate((RNG.normal(-50, 1, N // 2), RNG.normal(50, 1, N // 2))),
    "integers": RNG.integers(-20, 20, N).astype(float),
    "counts with many zeros": RNG.poisson(0.3, N).astype(float),
    "all zero": np.zeros(N),
    "constant": np.full(N, 42.0),
    "powers of ten": 10.0 ** RNG.integers(-9, 15, N),
    "register": 4.2e8 + np.arange(N),
    "near the smallest": RNG.uniform(-1e-8, 1e-8, N),
}


def sketch_of(value):
    return build(codes(value), np.zeros(len(value), np.intp), 1)


def assert_within_the_stated_error(found, exact):
    # Magnitudes below the smallest count as zero; 1e-15 is the rounding of a logarithm.
    assert (np.abs(found - exact) <= (ALPHA + 1e-13) * np.abs(exact) + SMALLEST).all()


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_quantiles_keep_the_stated_relative_error(name):
    value = DISTRIBUTIONS[name]

    found = quantile(sketch_of(value), Q)[0]

    assert_within_the_stated_error(found, np.quantile(value, Q, method="lower"))


@settings(deadline=None)
@given(stn.arrays(np.float64, st.integers(1, 60), elements=st.floats(-1e14, 1e14)))
def test_quantiles_of_any_values_keep_the_stated_relative_error(value):
    found = quantile(sketch_of(value), Q)[0]

    assert_within_the_stated_error(found, np.quantile(value, Q, method="lower"))


@settings(deadline=None)
@given(
    stn.arrays(np.float64, st.integers(0, 80), elements=st.floats(-1e6, 1e6)),
    st.lists(st.integers(0, 80), max_size=6),
)
def test_merging_any_split_gives_exactly_the_sketch_of_the_whole(value, cuts):
    bounds = np.array(sorted({0, len(value)} | {c for c in cuts if c < len(value)}))
    row = np.searchsorted(bounds, np.arange(len(value)), side="right") - 1
    parts = build(codes(value), row, len(bounds))

    merged = merge(parts, np.zeros(len(bounds), np.intp), 1)

    whole = sketch_of(value)
    assert merged.offset.tolist() == whole.offset.tolist()
    assert merged.pairs.tolist() == whole.pairs.tolist()


def test_one_hundred_falls_into_bucket_231():
    code = codes(np.array([100.0]))

    assert code.tolist() == [231 + 1037]
    assert values(code)[0] == pytest.approx(100.4946, abs=5e-5)


def test_codes_are_monotone_and_odd():
    size = np.concatenate(([0.0], np.geomspace(1e-12, 1e18, 100_000)))
    code = codes(size)

    assert (np.diff(code) >= 0).all()
    assert (codes(-size) == -code).all()


@pytest.mark.parametrize(
    ("value", "code"),
    [(0.0, 0), (-0.0, 0), (9.9e-10, 0), (-9.9e-10, 0), (1e-9, 1), (-1e-9, -1), (1.0, 1037)],
)
def test_magnitudes_below_one_in_a_milliard_are_zero(value, code):
    assert codes(np.array([value])).tolist() == [code]


def test_magnitudes_beyond_the_largest_share_its_bucket():
    assert len(set(codes(np.array([1e15, 3e15, 1e18, 1e300])).tolist())) == 1
    assert len(set(codes(-np.array([1e15, 3e15, 1e18, 1e300])).tolist())) == 1


@pytest.mark.parametrize("name", ["normal around zero", "counts with many zeros", "pareto"])
def test_buckets_are_those_of_the_definition(name):
    sketch = sketch_of(DISTRIBUTIONS[name])

    assert dict(sketch.pairs.tolist()) == bucket_counts(DISTRIBUTIONS[name].tolist())


def test_rows_without_values_stay_empty():
    sketch = build(codes(np.array([1.0, 2.0])), np.array([1, 3]), 5)

    assert sketch.offset.tolist() == [0, 0, 1, 1, 2, 2]
    found = quantile(sketch, np.array([0.5]))[:, 0]
    assert np.isnan(found[[0, 2, 4]]).all()
    assert found[1] == pytest.approx(0.99)


def test_no_values_make_empty_sketches():
    sketch = build(codes(np.empty(0)), np.empty(0, np.intp), 2)

    assert sketch.offset.tolist() == [0, 0, 0]
    assert merge(sketch, np.array([0, 0]), 1).offset.tolist() == [0, 0]
    assert quantile(sketch, np.array([0.1, 0.9])).shape == (2, 2)


def test_many_rows_need_longer_keys_and_give_the_same_sketches():
    rows = 400_000
    row = np.array([0, 5, rows - 1])

    sketch = build(codes(np.array([7.0, 8.0, 9.0])), row, rows)

    assert len(sketch.offset) == rows + 1
    assert sketch.pairs["code"].tolist() == codes(np.array([7.0, 8.0, 9.0])).tolist()
    assert sketch.offset[[0, 1, 5, 6, rows - 1, rows]].tolist() == [0, 1, 1, 2, 2, 3]


def test_blocks_make_no_difference():
    value = RNG.normal(0, 1, 100_000)

    assert (codes(value)[::7919] == codes(value[::7919])).all()
