"""``[energy]`` of ``city.toml``."""

from __future__ import annotations

from storage.facts.energy_buildings import BuildingFacts
from storage.facts.energy_loads import LoadFacts
from storage.profiles import STRICT


class EnergyFacts(BuildingFacts, LoadFacts):
    """What the energy trade must know beside readings."""

    model_config = STRICT
