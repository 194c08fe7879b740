"""Energy by tariff period and what it costs, of the meters whose contracts are known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from processors.calculation import Calculation, Given
from processors.calendars import by_calendar, holidays_of, local_dates
from processors.energy import tariff
from processors.energy.clock import dates_around
from processors.energy.consumption import consumption
from processors.energy.consumption_calculations import minutes
from processors.energy.meters import ENERGY, PARTS, columns, flow, frames, matching
from processors.frame import Frame
from storage.facts.counting import Calendar
from storage.facts.energy_loads import TariffPlan
from storage.facts.facts import Facts
from storage.figures import Figures, figures, join
from storage.indicators.word import Period
from storage.level import Level
from storage.roster import Roster

CLASSES = ("offpeak", "full", "peak")


def under_contract(roster: Roster, facts: Facts) -> NDArray[np.bool_]:
    """Which series a tariff is known of."""
    return matching(roster, [one for plan in facts.energy.tariff for one in plan.meters])


def _by_tariff(given: Given) -> Figures:
    made: list[Figures] = []
    for frame in frames(given):
        for rows, calendar in by_calendar(frame.roster.territory, given.facts.mobility):
            some = frame.select(rows)
            taken = np.zeros((len(some.roster), len(given.periods) - 1), np.bool_)
            for plan in given.facts.energy.tariff:
                made += _of_plan(given, some, calendar, plan, taken)
    return join(made)


def _of_plan(
    given: Given,
    frame: Frame,
    calendar: Calendar | None,
    plan: TariffPlan,
    taken: NDArray[np.bool_],
) -> Iterator[Figures]:
    """The days that a plan holds, of its meters that no plan before it took."""
    mine = matching(frame.roster, plan.meters)
    day = local_dates(given.periods, given.zone)
    holds = (day >= np.datetime64(plan.since)) & (
        np.ones(len(day), np.bool_) if plan.to is None else day < np.datetime64(plan.to)
    )
    if not (mine.any() and holds.any()):
        return
    some = frame.select(mine)
    keep = ~taken[mine] & holds
    taken[mine] |= holds
    at = columns(some.edges, given.periods)
    dates = dates_around(some.edges, given.zone)
    holiday = holidays_of(dates, calendar)
    share = tariff.shares(
        tariff.period_of_minute(plan.periods, dates, holiday), len(plan.periods),
        some.edges[at.chosen.start : at.chosen.stop + 1], given.zone, dates,
    )  # fmt: skip
    seconds = np.diff(some.edges)[at.chosen].astype(np.int64) / 1e6
    amount, interpolated, known = (part[:, at.chosen] for part in flow(some))
    whole = consumption(amount, interpolated, known, seconds, at.first)
    drawn = tariff.by_period(amount, share, at.first)
    keep &= ~np.isnan(whole.value)

    def made(name: str, value: NDArray[np.float64], keep: NDArray[np.bool_]) -> Figures:
        return figures(
            name, some.roster.series, given.periods, value, now=given.now, n=whole.minutes,
            due=minutes(given.periods), status=whole.status, code=whole.code, keep=keep,
        )  # fmt: skip

    for name in CLASSES:
        of = np.array([one.class_ == name for one in plan.periods])
        if of.any():
            yield made(f"tariff_{name}_day", drawn[of].sum(axis=0), keep)
    price = np.array([np.nan if one.price is None else one.price for one in plan.periods])
    bill = tariff.cost(drawn, price)
    yield made("tariff_cost_day", bill, keep & ~np.isnan(bill))


TARIFFS: tuple[Calculation, ...] = (
    Calculation(
        name="energy by tariff",
        makes=(*(f"tariff_{name}_day" for name in CLASSES), "tariff_cost_day"),
        metrics=ENERGY,
        level=Level.QUARTER_HOUR,
        follows=Level.DAY,
        period=Period.DAY,
        compute=_by_tariff,
        parts=PARTS,
        coarse=True,
        only=under_contract,
    ),
)
