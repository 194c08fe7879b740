"""The facts of all trades in one object."""

from __future__ import annotations

from pydantic import BaseModel

from storage.facts.air import AirFacts
from storage.facts.energy import EnergyFacts
from storage.facts.mobility import MobilityFacts
from storage.facts.watch import WatchFacts
from storage.profiles import STRICT


class Facts(BaseModel):
    """What the trades must know beside readings, each with its defaults."""

    model_config = STRICT
    air: AirFacts = AirFacts()
    mobility: MobilityFacts = MobilityFacts()
    energy: EnergyFacts = EnergyFacts()
    watch: WatchFacts = WatchFacts()
