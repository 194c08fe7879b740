"""What a vendor's devices send, said once: the ``[[profile]]`` tables of ``city.toml``."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from storage.catalogue import Metric
from storage.codec import Codec
from storage.units import UnitError, conversion

STRICT = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
Code = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\s/+#\x00][^/+#\x00]*$")]


def _usable(scale: float) -> float:
    if not 1e-12 <= abs(scale) <= 1e12:
        raise ValueError("must be a number from 1e-12 to 1e12, or its negative")
    return scale


Scale = Annotated[float, AfterValidator(_usable)]
Step = Annotated[int, Field(ge=0, le=366 * 86400)]
Stamp = Literal["start", "end", "unknown"]
RegisterMax = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class ProfileField(BaseModel):
    """What one field of the messages measures."""

    model_config = STRICT
    metric: str
    unit: str | None = None
    scale: Scale = 1.0
    step_s: Step | None = None
    stamp: Stamp | None = None
    register_max: RegisterMax | None = None


def _by_path(fields: Any) -> Any:
    """Tables within tables, which TOML makes of ``a.b = {…}``, as dotted names."""
    if not isinstance(fields, dict):
        return fields
    flat: dict[str, Any] = {}
    for name, said in fields.items():
        if isinstance(said, dict) and said and all(isinstance(one, dict) for one in said.values()):
            flat |= {f"{name}.{rest}": one for rest, one in _by_path(said).items()}
        else:
            flat[name] = said
    return flat


class Profile(BaseModel):
    """One kind of device: its fields, and how it packs its bytes where a network passes those on.

    ``step_s`` and ``stamp`` count for the fields that say nothing else.
    """

    model_config = STRICT
    name: Code
    step_s: Step | None = None
    stamp: Stamp = "start"
    series: Annotated[
        dict[Annotated[str, Field(min_length=1, max_length=200)], ProfileField],
        BeforeValidator(_by_path),
    ] = Field(default={}, alias="fields")
    codec: Codec | None = None


class Measured(NamedTuple):
    """A metric, the unit it comes in, and the way from the number sent to the canonical unit."""

    metric: Metric
    unit: str
    scale: float
    shift: float


class NotMeasuredError(ValueError):
    """A metric is unknown, or the unit does not fit it; the message has the remedy.

    ``key`` is which of the two, or the scale.
    """

    def __init__(self, key: str, what: str) -> None:
        super().__init__(what)
        self.key = key


def measured(name: str, unit: str | None, scale: float, by_name: Mapping[str, Metric]) -> Measured:
    """What a field measures whose number times ``scale`` is in ``unit``."""
    metric = by_name.get(name)
    if metric is None:
        close = difflib.get_close_matches(name, by_name, n=3) or sorted(by_name)
        meant = (
            f"did you mean {' or '.join(close)}?"
            if len(close) <= 3
            else f"known are {', '.join(close)}."
        )
        raise NotMeasuredError("metric", f"metric {name!r} is unknown; {meant} Or add a [[metric]]")
    unit = metric.unit if unit is None else unit
    try:
        to_canonical, shift = conversion(unit, metric.unit, metric.name)
    except UnitError as error:
        raise NotMeasuredError("unit", f"unit: {error}; {name} is kept in {metric.unit}") from error
    if not math.isfinite(to_canonical * scale):
        raise NotMeasuredError("scale", f"scale: {scale:g} {unit} is beyond any number")
    return Measured(metric, unit, to_canonical * scale, shift)


def unknown_profile(name: str, profiles: Iterable[str]) -> str:
    """What is told of a profile that is not there."""
    known = list(profiles)
    close = difflib.get_close_matches(name, known, n=1)
    meant = f"did you mean {close[0]!r}? Or add" if close else "add"
    return f"profile {name!r} is unknown; {meant} a [[profile]] to city.toml"
