"""``[mobility]`` of ``city.toml``."""

from __future__ import annotations

from pydantic import BaseModel

from storage.profiles import STRICT


class MobilityFacts(BaseModel):
    """What the mobility trade must know beside readings."""

    model_config = STRICT
