"""``[energy]`` of ``city.toml``."""

from __future__ import annotations

from collections.abc import Iterator

from storage.facts.energy_buildings import BuildingFacts
from storage.facts.energy_loads import LoadFacts
from storage.facts.naming import Named
from storage.profiles import STRICT


class EnergyFacts(BuildingFacts, LoadFacts):
    """What the energy trade must know beside readings."""

    model_config = STRICT

    def names(self) -> Iterator[Named]:
        """What it names of the city's lists."""
        yield from BuildingFacts.names(self)
        yield from LoadFacts.names(self)
