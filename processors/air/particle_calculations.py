"""Low-cost particle sensors and nitrogen oxides, hour by hour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.air.companions import NOBODY, of_companions, same_sensor, same_site
from processors.air.correction import TOO_HUMID, dry_mass, us_epa_purpleair
from processors.air.hours import valid_hours
from processors.air.instruments import indicative
from processors.air.nitrogen import nitrogen_oxides
from processors.air.plausibility import faults
from processors.calculation import Calculation, Given, Together
from processors.pairing import named
from storage.facts.air_instruments import KAPPA, Correction
from storage.figures import Figures, figures, join
from storage.indicators.particles import BROKEN, CORRECTIONS, Corrected
from storage.indicators.word import Period
from storage.level import Level
from storage.reading import FloatArray
from storage.roster import Roster

PARTICLE_METRICS = ("pm10", "pm25", "pm1")
"""From coarse to fine."""

_EPA = CORRECTIONS.index("us-epa-purpleair")


def _companions(roster: Roster, shift: int) -> NDArray[np.intp]:
    """Rows of the same sensor's next coarser (-1) or next finer (1) particles."""
    found = np.full(len(roster), NOBODY, np.intp)
    for place, metric in enumerate(PARTICLE_METRICS):
        if 0 <= place + shift < len(PARTICLE_METRICS):
            beside = same_sensor(roster, PARTICLE_METRICS[place + shift])
            found = np.where(roster.metric == metric, beside, found)
    return found


def _corrections(
    roster: Roster, rules: tuple[Correction, ...]
) -> tuple[NDArray[np.int64], FloatArray]:
    """Method of each series, -1 without one, and its kappa: the first rule that fits."""
    method, kappa = np.full(len(roster), -1, np.int64), np.full(len(roster), KAPPA)
    for rule in reversed(rules):
        mine = named(roster, [rule.sensors])
        method[mine] = CORRECTIONS.index(rule.method)
        kappa[mine] = KAPPA if rule.kappa is None else rule.kappa
    # The American line was drawn through PM2.5 alone.
    method[(method == _EPA) & (roster.metric != "pm25")] = -1
    return method, kappa


def _particles(given: Given) -> Figures:
    frame, roster = given.frame, given.frame.roster
    low_cost = np.isin(roster.metric, PARTICLE_METRICS) & indicative(roster, given.facts.air)
    if not low_cost.any():
        return join([])
    hour = valid_hours(frame)
    own, near = same_sensor(roster, "humidity"), same_site(roster, "humidity")
    method, kappa = _corrections(roster, given.facts.air.correction)
    # The American line was drawn against the sensor's own humidity, which its case distorts.
    companion = np.where(method == _EPA, own, near)[low_cost]
    humidity = of_companions(hour, companion)
    mean, method = hour[low_cost], method[low_cost, None]
    bits = faults(
        mean, frame.table("min")[low_cost], frame.table("max")[low_cost], humidity,
        of_companions(hour, _companions(roster, -1)[low_cost]),
        of_companions(hour, _companions(roster, 1)[low_cost]),
    )  # fmt: skip
    broken, known = (bits & int(BROKEN)) > 0, ~np.isnan(mean)
    corrected = np.where(
        method == _EPA,
        us_epa_purpleair(mean, humidity),
        dry_mass(mean, humidity, kappa[low_cost, None]),
    )
    code = np.select(
        [broken, np.isnan(humidity), humidity >= TOO_HUMID],
        [Corrected.FAULTY, Corrected.NO_HUMIDITY, Corrected.TOO_HUMID],
        Corrected.DONE,
    )
    series = roster.series[low_cost]
    return join(
        [
            figures(
                "pm_plausible", series, given.periods, np.where(known, ~broken, np.nan),
                now=given.now, n=known, due=1, code=bits, indicative=True, keep=known,
            ),
            figures(
                "pm_corrected", series, given.periods, np.where(broken, np.nan, corrected),
                now=given.now, n=known, due=1, method=np.maximum(method, 0), code=code,
                indicative=True, keep=known & (method >= 0),
            ),
        ]
    )  # fmt: skip


def _nitrogen(given: Given) -> Figures:
    """Nitrogen oxides of every sensor that measures both gases, told of its NO2."""
    roster, hour = given.frame.roster, valid_hours(given.frame)
    beside = same_sensor(roster, "no")
    both = (roster.metric == "no2") & (beside != NOBODY)
    total = nitrogen_oxides(of_companions(hour, beside[both]), hour[both])
    return figures(
        "nox_as_no2", roster.series[both], given.periods, total, now=given.now, n=2, due=2,
        indicative=indicative(roster, given.facts.air)[both, None], keep=~np.isnan(total),
    )  # fmt: skip


PARTICLES: tuple[Calculation, ...] = (
    Calculation(
        name="low-cost particle sensors",
        makes=("pm_corrected", "pm_plausible"),
        metrics=(*PARTICLE_METRICS, "humidity"),
        level=Level.HOUR,
        follows=Level.HOUR,
        period=Period.HOUR,
        compute=_particles,
        together=Together.SITE,
        parts=("sum", "good", "suspect", "expected", "min", "max"),
    ),
    Calculation(
        name="nitrogen oxides",
        makes=("nox_as_no2",),
        metrics=("no", "no2"),
        level=Level.HOUR,
        follows=Level.HOUR,
        period=Period.HOUR,
        compute=_nitrogen,
        together=Together.SITE,
    ),
)
