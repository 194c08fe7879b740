"""Which instruments are of reference quality, and which are only indicative."""

from __future__ import annotations

import re
from fnmatch import translate

import numpy as np
from numpy.typing import NDArray

from storage.facts.air import AirFacts
from storage.roster import Roster


def indicative(roster: Roster, facts: AirFacts) -> NDArray[np.bool_]:
    """Which series come from instruments that nobody declared to be of reference quality."""
    known = re.compile("|".join(translate(one) for one in facts.reference) or "(?!)")
    names, of = np.unique(roster.sensor, return_inverse=True)
    lesser = np.array([known.match(name) is None for name in names.tolist()], np.bool_)
    return lesser[of]
