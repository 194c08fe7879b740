"""``[energy]`` of ``city.toml``."""

from __future__ import annotations

from pydantic import BaseModel

from storage.profiles import STRICT


class EnergyFacts(BaseModel):
    """What the energy trade must know beside readings."""

    model_config = STRICT
