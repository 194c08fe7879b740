"""Sound levels: they average by the energy they carry.

References
----------
.. [1] ISO 1996-1:2016, Acoustics: environmental noise, part 1.
"""

from __future__ import annotations

import numpy as np

from storage.reading import FloatArray


def energy(level: FloatArray) -> FloatArray:
    """Energy of levels [dB], relative to 0 dB; sums of it are what combines."""
    return np.power(10.0, level / 10.0)


def mean(total: FloatArray, n: FloatArray) -> FloatArray:
    """Equivalent continuous level from summed energies.

    One minute at 80 dB and nine at 50 dB average 70 dB, not 53 dB.

    Parameters
    ----------
    total : float64, shape (n,)
        Sum of energies; NaN where nothing was measured.
    n : float64, shape (n,)
        How many levels were summed.

    Returns
    -------
    float64, shape (n,)
        NaN where nothing was measured. [dB]

    Examples
    --------
    >>> minutes = energy(np.array([80.0] + [50.0] * 9))
    >>> mean(minutes.sum(keepdims=True), np.array([10.0])).round(1)
    array([70.])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return 10.0 * np.log10(total / n)
