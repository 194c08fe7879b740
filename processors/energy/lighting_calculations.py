"""Street lights of the cabinets that the city names: expected energy, failures, day burners."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from processors.calculation import Calculation, Given
from processors.energy import lighting, sun
from processors.energy.clock import dates_around, mean_over, minutes_in
from processors.energy.meters import LOADS, PARTS, columns, frames, matching, power
from processors.frame import Frame
from storage.facts.energy_loads import MINUTES, Lighting
from storage.facts.facts import Facts
from storage.figures import Figures, figures, join
from storage.indicators.word import Period, Status
from storage.level import Level
from storage.reading import FloatArray, TimeArray
from storage.roster import Roster

PERCENT = 100.0


def lit(roster: Roster, facts: Facts) -> NDArray[np.bool_]:
    """Which series meter street lights at a place that is known."""
    named = matching(roster, [one for cabinet in facts.energy.lighting for one in cabinet.meters])
    return named & ~np.isnan(roster.latitude) & ~np.isnan(roster.longitude)


def _lights(given: Given) -> Figures:
    made: list[Figures] = []
    for frame in frames(given):
        taken = np.zeros(len(frame.roster), np.bool_)
        for one in given.facts.energy.lighting:
            mine = matching(frame.roster, one.meters) & ~taken
            taken |= mine
            if mine.any():
                made += _of_cabinets(given, frame.select(mine), one)
    return join(made)


def _dimming(one: Lighting, edges: TimeArray, zone: str) -> FloatArray:
    """What is left on of the lights, mean of each window."""
    dates = dates_around(edges, zone)
    left = np.ones(MINUTES)
    for turned in reversed(one.dimming):
        left[minutes_in([turned.hours])] = turned.factor
    return mean_over(np.broadcast_to(left, (len(dates), MINUTES)), edges, zone, dates)


def _of_cabinets(given: Given, frame: Frame, one: Lighting) -> Iterator[Figures]:
    roster = frame.roster
    at = columns(frame.edges, given.periods)
    edges = frame.edges[at.chosen.start : at.chosen.stop + 1]
    load = power(frame)[:, at.chosen]
    dark = sun.dark(edges, roster.latitude, roster.longitude, one.twilight_min / 60)
    hours = np.diff(edges).astype(np.int64) / 3.6e9
    left = np.broadcast_to(_dimming(one, edges, given.zone), load.shape)
    due = lighting.expected_energy(dark, np.full(len(roster), one.power_kw), left, hours)
    # Windows in which lights go on or off show neither state.
    night = (dark == 1.0) & (left > 0.0)
    measured = ~np.isnan(load)
    drawn = lighting.mean_where(load, night, at.first)
    installed = lighting.mean_where(due / hours, night & measured, at.first)
    noon_at = sun.around_noon(edges, roster.longitude) & (dark == 0.0)
    noon = lighting.mean_where(load, noon_at, at.first)

    def count(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.add.reduceat(mask.astype(np.int64), at.first, axis=1)

    def made(
        name: str, share: FloatArray, mask: NDArray[np.bool_], code: NDArray[np.bool_]
    ) -> Figures:
        known, all_of_it = count(mask & measured), count(mask)
        return figures(
            name, roster.series, given.periods, PERCENT * share, now=given.now, n=known,
            due=all_of_it, code=code, keep=known > 0,
            status=np.where(known < all_of_it, Status.PARTIAL, Status.COMPLETE),
        )  # fmt: skip

    yield figures(
        "lighting_expected_day", roster.series, given.periods,
        np.add.reduceat(due, at.first, axis=1), now=given.now, keep=count(measured) > 0,
    )  # fmt: skip
    ratio = lighting.night_ratio(drawn, installed)
    yield made("lighting_night_ratio_day", ratio, night, ratio < lighting.FAILED)
    burning = lighting.day_burning(noon, drawn, np.full_like(noon, one.power_kw))
    yield made("lighting_noon_ratio_day", burning, noon_at, burning > lighting.DAY_BURNER)


LIGHTING: tuple[Calculation, ...] = (
    Calculation(
        name="street lights",
        makes=("lighting_expected_day", "lighting_night_ratio_day", "lighting_noon_ratio_day"),
        metrics=LOADS,
        level=Level.QUARTER_HOUR,
        follows=Level.DAY,
        period=Period.DAY,
        compute=_lights,
        parts=PARTS,
        coarse=True,
        only=lit,
    ),
)
