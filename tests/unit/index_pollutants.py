"""Pollutants of the indices of air: where each stands, and which of them a figure names."""

from __future__ import annotations

import numpy as np

from storage.indicators.air import INDEX_POLLUTANTS


def positions(*names: str) -> np.ndarray:
    return np.array([INDEX_POLLUTANTS.index(name) for name in names], np.intp)


def bits(code: int) -> tuple[set[str], set[str]]:
    """Dominant and used pollutants of a site's or a territory's figure."""
    size = len(INDEX_POLLUTANTS)
    named = [(code >> k) & 1 for k in range(2 * size)]
    return (
        {name for name, bit in zip(INDEX_POLLUTANTS, named[:size], strict=True) if bit},
        {name for name, bit in zip(INDEX_POLLUTANTS, named[size:], strict=True) if bit},
    )
