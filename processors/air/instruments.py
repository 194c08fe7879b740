"""Which instruments are of reference quality, and which are only indicative."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.pairing import named
from storage.facts.air import AirFacts
from storage.roster import Roster


def indicative(roster: Roster, facts: AirFacts) -> NDArray[np.bool_]:
    """Which series come from instruments that nobody declared to be of reference quality."""
    return ~named(roster, facts.reference)
