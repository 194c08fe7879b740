"""Whether measurements passed thresholds of information and alert, and when.

What is said is "the measurement passed a threshold", never that a procedure was triggered:
that is an act of the authority, which also looks at forecasts, areas and population.

References
----------
.. [1] Code de l'environnement, article R. 221-1.
.. [2] Directive (EU) 2024/2881, annex I section 4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from storage.reading import FloatArray


def passed(hour: FloatArray, over: float, hours: int) -> NDArray[np.bool_]:
    """Hours at whose end a threshold has been passed for so many adjacent hours.

    A mean passes when it is greater, rounded half up to a whole number beforehand. An hour
    that is not measured ends a run: what was not seen was not passed.

    Parameters
    ----------
    hour : float64, shape (..., w)
        Valid hourly means, rounded, oldest first, NaN where there is none. [ug/m3]
    over : float
        The threshold. [ug/m3]
    hours : int
        How many adjacent hours must pass it.

    References
    ----------
    .. [1] Code de l'environnement, article R. 221-1: NO2 400 ug/m3 over three consecutive
       hours.
    .. [2] Directive (EU) 2024/2881, annex I section 4.

    Examples
    --------
    >>> passed(np.array([410.0, 405.0, 420.0]), 400.0, 3)
    array([False, False,  True])
    >>> passed(np.array([410.0, np.nan, 420.0, 415.0]), 400.0, 3).any()
    np.False_
    """
    above = hour > over
    run = above.copy()
    for back in range(1, min(hours, hour.shape[-1] + 1)):
        run[..., :back] = False
        run[..., back:] &= above[..., :-back]
    return run


def first(marks: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Whether any along the last axis is marked, and the first that is (0 where none is).

    Examples
    --------
    >>> first(np.array([[False, True, True], [False, False, False]]))
    (array([ True, False]), array([1, 0]))
    """
    any_: NDArray[np.bool_] = np.asarray(marks.any(axis=-1))
    return any_, marks.argmax(axis=-1)


def two_running(days: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Days that are marked together with the day before, the first day excepted.

    Parameters
    ----------
    days : bool, shape (..., d + 1)
        Days on which the threshold was passed, with the day before the first.

    Returns
    -------
    bool, shape (..., d)

    References
    ----------
    .. [1] Arrêté du 7 avril 2016: an episode that lasts is one whose information threshold
       was passed on the day before and on the day itself; that it is feared for the next,
       which makes it an alert, is a forecast and not measured.

    Examples
    --------
    >>> two_running(np.array([True, True, False, True]))
    array([ True, False, False])
    """
    return days[..., 1:] & days[..., :-1]
