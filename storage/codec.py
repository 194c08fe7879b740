"""How a device packs its measurements into bytes, as a profile in ``city.toml`` says it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Codec(BaseModel):
    """The layout of a device's payload."""

    model_config = ConfigDict(extra="forbid", frozen=True)
