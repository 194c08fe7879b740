"""A device's bytes → named values, by its codec; pure.

A payload that is too short for one of its fields is refused whole: which bytes are missing
nobody knows, so no field of it can be trusted. A codec says ``optional`` where a device leaves
trailing fields out.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from math import isfinite, nan
from typing import NamedTuple

from collector.formats import cayenne_lpp
from collector.formats.format import Undecodable
from storage.codec import LAYOUTS, Codec, CodecField, Layout
from storage.reading import Reason, Refusal

_FLOATS = {
    (size, order): struct.Struct(f"{'>' if order == 'big' else '<'}{'f' if size == 4 else 'd'}")
    for size in (4, 8)
    for order in ("big", "little")
}


class Frame(NamedTuple):
    """What the bytes say.

    values: number and unit by field; NaN where the device says that it has no value.
    itself: fields that speak of the device, not of what it measured.
    """

    values: dict[str, tuple[float, str | None]]
    refusals: list[Refusal]
    itself: set[str]


def read(codec: Codec, payload: bytes, port: int) -> Frame:
    """Read one payload that came on ``port``.

    Raises
    ------
    Undecodable
        ``bad_payload`` where the bytes do not keep the codec, ``no_codec`` where it has no
        field for such a frame.

    Examples
    --------
    >>> codec = Codec(field=[{"name": "t", "offset": 0, "type": "i16be", "scale": 0.01}])
    >>> read(codec, b"\\x0b\\x0d", 2).values
    {'t': (28.29, None)}
    """
    if port in codec.ignore_ports:
        return Frame({}, [], set())
    if codec.standard is not None:
        try:
            values, itself = cayenne_lpp.read(payload)
        except cayenne_lpp.Broken as broken:
            raise Undecodable(Reason.BAD_PAYLOAD, str(broken)) from None
        return Frame(values, [], itself)
    if codec.length is not None and len(payload) != codec.length:
        raise Undecodable(
            Reason.BAD_PAYLOAD, f"{len(payload)} bytes where the codec wants {codec.length}"
        )
    return _read_fields(codec, payload, port)


def _read_fields(codec: Codec, payload: bytes, port: int) -> Frame:
    frame = Frame({}, [], set())
    meant = False
    for field in codec.field:
        if field.port and port not in field.port:
            continue
        if field.when is not None and not field.when.fits(payload):
            continue
        meant = True
        if field.name in frame.values:
            continue
        layout = LAYOUTS[field.type]
        start = field.offset if field.offset >= 0 else len(payload) + field.offset
        end = start + layout.size
        if start < 0 or end > len(payload):
            if field.optional:
                continue
            raise Undecodable(
                Reason.BAD_PAYLOAD, f"{len(payload)} bytes are too few for field {field.name}"
            )
        value = _value(field, layout, payload[start:end])
        if value is None:
            refusal = Refusal(field.name, Reason.BAD_VALUE, "a number that is not finite")
            frame.refusals.append(refusal)
        else:
            frame.values[field.name] = value, field.unit
    if not meant:
        raise Undecodable(
            Reason.NO_CODEC,
            f"the codec has no field for such a frame on port {port}; add its fields, or name the"
            " port in ignore_ports",
        )
    return frame


def _value(field: CodecField, layout: Layout, data: bytes) -> float | None:
    """The number as the codec means it; NaN where the device has none, None where it is none."""
    size, order, kind = layout
    raw: float
    if kind == "float":
        raw = _FLOATS[size, order].unpack(data)[0]
    else:
        signed = kind == "signed"
        whole = int.from_bytes(data, order, signed=signed)
        if field.bits is not None:
            start, count = field.bits
            whole = whole >> start & (1 << count) - 1
            if signed and whole >> count - 1:
                whole -= 1 << count
        if kind == "bool":
            return float(whole != 0)
        raw = whole
    if raw in field.missing:
        return nan
    value = _scaled(raw, field.scale) + field.shift
    return value if isfinite(value) else None


@lru_cache(maxsize=4096)  # codecs are few, and so are their scales
def _steps(scale: float) -> int:
    """How many steps of that scale make one, 0 where that is no whole number."""
    steps = round(1 / scale) if 1e-15 < abs(scale) < 1 else 0
    return steps if steps and abs(steps * scale - 1) < 1e-12 else 0


def _scaled(raw: float, scale: float) -> float:
    if scale == 1.0:
        return float(raw)
    # 278 * 0.1 is 27.800000000000004, 278 / 10 is 27.8: what the device means.
    steps = _steps(scale)
    return raw / steps if steps else raw * scale
