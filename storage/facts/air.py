"""``[air]`` of ``city.toml``: instruments, stations, the regulator's day."""

from __future__ import annotations

from pydantic import BaseModel, Field

from storage.profiles import STRICT


class AirFacts(BaseModel):
    """What the air trade must know beside readings.

    Attributes
    ----------
    day_offset_h
        Regulatory days and years are counted at this fixed offset from UTC, so that each
        day has 24 hours: 1 for the networks of France, Belgium and Germany. [h]
    reference
        Sensors of reference quality, by name or pattern (``station-*``). All others are
        indicative, and every figure made of them says so.
    """

    model_config = STRICT
    day_offset_h: int = Field(default=1, ge=-12, le=14)
    reference: tuple[str, ...] = ()
