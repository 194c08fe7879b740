"""How a device packs its measurements into bytes, as a profile in ``city.toml`` says it.

Networks such as LoRaWAN pass on bytes. A codec is data, not code: either a standard by its
name, or a list of fields with their places, so that whoever runs a city can copy it from the
device's manual.
"""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Literal, NamedTuple

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    field_validator,
    model_validator,
)

MAX_BYTES = 1_000
"""More than any LoRaWAN payload (242 bytes); bounds what a codec can ask for."""


class Layout(NamedTuple):
    """How many bytes a type takes, in which order, and what they are."""

    size: int
    order: Literal["big", "little"]
    kind: Literal["unsigned", "signed", "float", "bool"]


def _layouts() -> dict[str, Layout]:
    layouts = {
        "u8": Layout(1, "big", "unsigned"),
        "i8": Layout(1, "big", "signed"),
        "bool": Layout(1, "big", "bool"),
    }
    orders: tuple[tuple[str, Literal["big", "little"]], ...] = (("be", "big"), ("le", "little"))
    for suffix, order in orders:
        for size in (2, 3, 4, 8):
            layouts[f"u{8 * size}{suffix}"] = Layout(size, order, "unsigned")
            layouts[f"i{8 * size}{suffix}"] = Layout(size, order, "signed")
        for size in (4, 8):
            layouts[f"f{8 * size}{suffix}"] = Layout(size, order, "float")
    return layouts


LAYOUTS = _layouts()
"""By the name that a field's ``type`` may have."""


def _as_list(value: object) -> object:
    """One value stands for a list of it."""
    return value if isinstance(value, (list, tuple)) else (value,)


_Strict = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
_Number = Annotated[StrictInt | StrictFloat, Field(union_mode="left_to_right")]
_Ports = Annotated[tuple[Annotated[StrictInt, Field(ge=1, le=255)], ...], BeforeValidator(_as_list)]
_Offset = Annotated[StrictInt, Field(ge=-MAX_BYTES, lt=MAX_BYTES)]
_Length = Annotated[StrictInt, Field(ge=1, le=MAX_BYTES)]


class When(BaseModel):
    """Which frames of a device a field belongs to: by one of their bytes, or by their length."""

    model_config = _Strict
    offset: _Offset | None = None
    mask: Annotated[StrictInt, Field(ge=1, le=255)] = 255
    equals: Annotated[
        tuple[Annotated[StrictInt, Field(ge=0, le=255)], ...], BeforeValidator(_as_list)
    ] = ()
    length: Annotated[tuple[_Length, ...], BeforeValidator(_as_list)] = ()

    @model_validator(mode="after")
    def _sound(self) -> When:
        if (self.offset is None) != (not self.equals):
            raise ValueError("offset and equals belong together: which byte, and what it must be")
        if self.offset is None and not self.length:
            raise ValueError("say offset and equals, or length, or all three")
        unreachable = [one for one in self.equals if one & ~self.mask]
        if unreachable:
            raise ValueError(f"{unreachable[0]} cannot come out of a byte under mask {self.mask}")
        return self

    def fits(self, payload: bytes) -> bool:
        """Whether ``payload`` is such a frame; one too short for the byte is not."""
        if self.length and len(payload) not in self.length:
            return False
        if self.offset is None:
            return True
        place = self.offset if self.offset >= 0 else len(payload) + self.offset
        return 0 <= place < len(payload) and payload[place] & self.mask in self.equals


class CodecField(BaseModel):
    """One measurement in the bytes: value = raw number * scale + shift."""

    model_config = _Strict
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
    offset: _Offset
    type: str = "u8"
    bits: tuple[StrictInt, StrictInt] | None = None
    scale: StrictFloat = 1.0
    shift: StrictFloat = 0.0
    unit: str | None = None
    missing: Annotated[tuple[_Number, ...], BeforeValidator(_as_list)] = ()
    port: _Ports = ()
    when: When | None = None
    optional: StrictBool = False

    @field_validator("type")
    @classmethod
    def _known(cls, name: str) -> str:
        if name in LAYOUTS:
            return name
        if f"{name}be" in LAYOUTS:
            raise ValueError(f"{name!r} needs the order of its bytes: write {name}be or {name}le")
        raise ValueError(f"{name!r} is no type; known are {', '.join(LAYOUTS)}")

    @field_validator("scale", "shift")
    @classmethod
    def _finite(cls, value: float) -> float:
        if not isfinite(value):
            raise ValueError("must be a finite number")
        return value

    @model_validator(mode="after")
    def _sound(self) -> CodecField:
        layout = LAYOUTS[self.type]
        mistake = self._misplaced(layout) or self._misread(layout)
        if mistake:
            raise ValueError(f"field {self.name!r}: {mistake}")
        return self

    def _misplaced(self, layout: Layout) -> str:
        """What is wrong about the bytes and bits, "" for nothing."""
        if -layout.size < self.offset < 0:
            return (
                f"{self.type} takes {layout.size} bytes: from the end, offset is -{layout.size}"
                " or less"
            )
        if self.bits is None:
            return ""
        if layout.kind == "float":
            return f"bits are taken from a whole number, not from {self.type}"
        start, count = self.bits
        if start < 0 or count < 1 or start + count > 8 * layout.size:
            return (
                "bits = [first, how many], counted from the least significant bit 0;"
                f" {self.type} has {8 * layout.size}"
            )
        return ""

    def _misread(self, layout: Layout) -> str:
        """What is wrong about scale, shift and missing, "" for nothing."""
        if self.scale == 0:
            return "a scale of 0 makes every value the same"
        if layout.kind == "bool" and (self.scale != 1 or self.shift or self.missing):
            return "a bool is 0 or 1; it has no scale, shift or missing"
        if layout.kind == "float":
            return "" if all(map(isfinite, self.missing)) else "missing: must be finite numbers"
        width = 8 * layout.size if self.bits is None else self.bits[1]
        signed = layout.kind == "signed"
        low, high = (-(1 << width - 1), (1 << width - 1) - 1) if signed else (0, (1 << width) - 1)
        for value in self.missing:
            if not low <= value <= high or value != int(value):
                return (
                    f"missing: {value} is no raw number of it, which are whole and lie"
                    f" between {low} and {high}"
                )
        return ""


class Codec(BaseModel):
    """The layout of a device's payload.

    ``standard`` names one that is built in; ``field`` lists the device's own. ``length`` is
    that of every payload. Payloads on ``ignore_ports`` are no measurements.
    """

    model_config = _Strict
    standard: Literal["cayenne-lpp"] | None = None
    field: Annotated[tuple[CodecField, ...], Field(max_length=256)] = ()
    length: _Length | None = None
    ignore_ports: _Ports = ()

    @model_validator(mode="after")
    def _sound(self) -> Codec:
        if (self.standard is None) == (not self.field):
            raise ValueError(
                "a codec is either standard = 'cayenne-lpp' or a list of fields; write one of both"
            )
        if self.standard and self.length is not None:
            raise ValueError("payloads of a standard have any length; remove length")
        said = set()
        for field in self.field:
            key = (field.name, field.port, field.when)
            if key in said:
                raise ValueError(
                    f"field {field.name!r} stands there twice for the same frames;"
                    " remove one, or tell them apart by port or when"
                )
            said.add(key)
        return self
