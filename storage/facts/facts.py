"""The facts of all trades in one object."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from storage.facts.air import AirFacts
from storage.facts.energy import EnergyFacts
from storage.facts.mobility import MobilityFacts
from storage.facts.naming import Named
from storage.facts.watch import WatchFacts
from storage.profiles import STRICT


class Facts(BaseModel):
    """What the trades must know beside readings, each with its defaults."""

    model_config = STRICT
    air: AirFacts = AirFacts()
    mobility: MobilityFacts = MobilityFacts()
    energy: EnergyFacts = EnergyFacts()
    watch: WatchFacts = WatchFacts()

    def names(self) -> Iterator[Named]:
        """What they name of the city's lists, each under the key of its trade."""
        for trade, said in (
            ("air", self.air),
            ("mobility", self.mobility),
            ("energy", self.energy),
        ):
            for one in said.names():
                yield one._replace(where=(trade, *one.where))
