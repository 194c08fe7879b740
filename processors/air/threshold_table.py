"""Thresholds of information and alert, as a table with the days from which each holds.

References
----------
.. [1] Code de l'environnement, article R. 221-1, as changed by decree 2010-1250 of 21 October
   2010.
.. [2] Arrêté du 7 avril 2016 relatif au déclenchement des procédures préfectorales en cas
   d'épisodes de pollution de l'air ambiant: persistence, of ozone too, which the orders of
   the prefects were to take over within a year.
.. [3] Directive 2008/50/EC, annex XII.
.. [4] Directive (EU) 2024/2881, annex I section 4; it replaces the former on 12 December 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from processors.windows import first_instant
from storage.facts.air import AirFacts
from storage.indicators.air import THRESHOLD_LEVELS
from storage.reading import TimeArray

CONFIGURED = -1
"""Method of a threshold that the city states itself: the last one of its indicator."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One threshold from a day on, until the next of the same law, pollutant and level.

    ``over`` is None where it holds no longer. ``hours`` adjacent hours must pass it; of
    particles it is the mean of the day that counts.
    """

    law: str
    pollutant: str
    level: str
    over: float | None
    since: date
    hours: int = 1
    method: int = 0


_FR, _OZONE = date(2010, 10, 24), date(2017, 4, 7)
_2008, _2024 = date(2008, 6, 11), date(2026, 12, 12)

BUILT_IN: tuple[Rule, ...] = (
    Rule("fr", "no2", "information", 200, _FR),
    Rule("fr", "no2", "persistence", 200, _FR),
    Rule("fr", "no2", "alert", 400, _FR, 3),
    Rule("fr", "o3", "information", 180, _FR),
    Rule("fr", "o3", "persistence", 180, _OZONE),
    Rule("fr", "o3", "alert", 240, _FR),
    Rule("fr", "o3", "emergency_1", 240, _FR, 3),
    Rule("fr", "o3", "emergency_2", 300, _FR, 3),
    Rule("fr", "o3", "emergency_3", 360, _FR),
    Rule("fr", "so2", "information", 300, _FR),
    Rule("fr", "so2", "alert", 500, _FR, 3),
    Rule("fr", "pm10", "information", 50, _FR),
    Rule("fr", "pm10", "persistence", 50, _FR),
    Rule("fr", "pm10", "alert", 80, _FR),
    Rule("eu", "no2", "alert", 400, _2008, 3),
    Rule("eu", "so2", "alert", 500, _2008, 3),
    Rule("eu", "o3", "information", 180, _2008),
    Rule("eu", "o3", "alert", 240, _2008),
    Rule("eu", "o3", "emergency_1", 240, _2008, 3),
    Rule("eu", "no2", "information", 150, _2024, 1, 1),
    Rule("eu", "no2", "alert", 200, _2024, 3, 1),
    Rule("eu", "so2", "information", 275, _2024, 1, 1),
    Rule("eu", "so2", "alert", 350, _2024, 3, 1),
    Rule("eu", "o3", "information", 180, _2024, 1, 1),
    Rule("eu", "o3", "alert", 240, _2024, 1, 1),
    Rule("eu", "o3", "emergency_1", 240, _2024, 3, 1),
    Rule("eu", "pm10", "information", 90, _2024, 1, 1),
    Rule("eu", "pm10", "alert", 90, _2024, 1, 1),
    Rule("eu", "pm25", "information", 50, _2024, 1, 1),
    Rule("eu", "pm25", "alert", 50, _2024, 1, 1),
)


@dataclass(frozen=True, slots=True)
class InForce:
    """A rule, the rank of its level (from 1), and the days on which it holds, shape (d,)."""

    rule: Rule
    rank: int
    days: NDArray[np.bool_]


def in_force(law: str, facts: AirFacts, days: TimeArray, zone: str) -> tuple[InForce, ...]:
    """The rules of a law that hold on any of the days, lowest level first.

    Examples
    --------
    >>> days = np.array(["2026-12-10T23", "2026-12-11T23", "2026-12-12T23"], "datetime64[us]")
    >>> found = in_force("eu", AirFacts(), days, "Europe/Paris")
    >>> [(one.rule.over, one.days.tolist()) for one in found if one.rule.pollutant == "no2"]
    [(150, [False, True]), (400, [True, False]), (200, [False, True])]
    """
    stated = tuple(
        Rule(one.law, one.pollutant, one.level, one.over, one.since, one.hours, CONFIGURED)
        for one in facts.threshold
    )
    found: dict[tuple[str, str], list[Rule]] = {}
    for rule in (*BUILT_IN, *stated):  # what the city states comes after what is built in
        if rule.law == law:
            found.setdefault((rule.level, rule.pollutant), []).append(rule)
    answer: list[InForce] = []
    for rank, level in enumerate(THRESHOLD_LEVELS, start=1):
        for (named, _), rules in found.items():
            if named == level:
                rules.sort(key=lambda rule: rule.since)
                begin = [first_instant(rule.since, zone) for rule in rules]
                latest = np.searchsorted(np.array(begin, "datetime64[us]"), days[:-1], "right") - 1
                answer += [
                    InForce(rule, rank, latest == number)
                    for number, rule in enumerate(rules)
                    if rule.over is not None and (latest == number).any()
                ]
    return tuple(answer)
