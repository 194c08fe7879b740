"""Energy by period of a tariff, and what it costs: a calendar times what flowed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.energy.clock import in_season, minute_of, minutes_in, on_weekdays
from processors.energy.consumption import total
from processors.runs import Rows
from storage.facts.energy_loads import MINUTES, TariffPeriod
from storage.reading import FloatArray, TimeArray


def period_of_minute(
    periods: tuple[TariffPeriod, ...], dates: TimeArray, holiday: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Which period of a tariff holds in every minute of some local days.

    The first that holds counts, and the last one takes the rest, so every minute has one.

    Parameters
    ----------
    periods : tuple of TariffPeriod
    dates : datetime64[D], shape (d,)
    holiday : bool, shape (d,)
        Count as Sundays.

    Returns
    -------
    int8, shape (d, 1440)
        Position among ``periods``.

    Examples
    --------
    >>> night = TariffPeriod(name="HC", class_="offpeak", hours=("22:00-06:00",))
    >>> rest = TariffPeriod(name="HP", class_="full")
    >>> day = np.array(["2026-03-02"], "datetime64[D]")
    >>> np.bincount(period_of_minute((night, rest), day, np.array([False]))[0]) / 60
    array([ 8., 16.])
    """
    answer = np.full((len(dates), MINUTES), len(periods) - 1, np.int8)
    for number in reversed(range(len(periods) - 1)):
        one = periods[number]
        day = np.ones(len(dates), np.bool_)
        if one.weekdays:
            day &= on_weekdays(dates, one.weekdays, holiday)
        if one.season:
            day &= in_season(dates, one.season)
        hour = minutes_in(one.hours) if one.hours else np.ones(MINUTES, np.bool_)
        answer[day[:, None] & hour] = number
    return answer


def shares(
    period: NDArray[np.int8], count: int, edges: TimeArray, zone: str, dates: TimeArray
) -> FloatArray:
    """For how much of each window each period holds, shape (count, w); 1 in all.

    An hour that a period begins within is split by minutes, for energy is extensive.
    """
    holds = period[minute_of(edges, zone, dates)]
    return np.stack([(holds == number).mean(axis=1) for number in range(count)])


def by_period(amount: FloatArray, share: FloatArray, first: Rows) -> FloatArray:
    """What flowed in each period of the tariff: parts that add up to the whole day.

    Parameters
    ----------
    amount : float64, shape (n, w)
        NaN where not known. [kWh]
    share : float64, shape (c, w)
        Of each window, for each of c periods of the tariff.
    first : intp, shape (p,)
        First window of each day.

    Returns
    -------
    float64, shape (c, n, p)
        0 where the tariff's period did not occur; NaN where nothing is known of the day. [kWh]

    Examples
    --------
    >>> amount = np.array([[2.0, 4.0]])
    >>> by_period(amount, np.array([[1.0, 0.25], [0.0, 0.75]]), np.array([0]))[:, 0, 0]
    array([3., 3.])
    """
    return np.stack([total(amount * one, first) for one in share])


def cost(by_period: FloatArray, price: FloatArray) -> FloatArray:
    """What the energy of each day costs; NaN where a period that drew some has no price.

    Parameters
    ----------
    by_period : float64, shape (c, n, p)
        [kWh]
    price : float64, shape (c,)
        NaN where nobody said. [EUR/kWh]

    Returns
    -------
    float64, shape (n, p)
        [EUR]

    Examples
    --------
    >>> cost(np.array([[[10.0]], [[0.0]]]), np.array([0.2, np.nan]))
    array([[2.]])
    """
    bill = by_period * price[:, None, None]
    whole: FloatArray = np.where(by_period == 0.0, 0.0, bill).sum(axis=0)
    return whole
