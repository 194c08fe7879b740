"""The value of a Sparkplug metric as numbers, by its datatype; pure.

References
----------
.. [1] Eclipse Sparkplug 3.0.0, Datatype Details of Payloads B. Its examples for
   Int8Array (-23 is E9), FloatArray and DoubleArray (big-endian) contradict its text,
   which counts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from collector.formats.sparkplug_schema import DataType

_BITS = {
    DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64,
    DataType.UINT8: 8, DataType.UINT16: 16, DataType.UINT32: 32, DataType.UINT64: 64,
}  # fmt: skip
_SIGNED = frozenset({DataType.INT8, DataType.INT16, DataType.INT32, DataType.INT64})
_ITEMS = {
    DataType.INT8_ARRAY: "<i1", DataType.INT16_ARRAY: "<i2", DataType.INT32_ARRAY: "<i4",
    DataType.INT64_ARRAY: "<i8", DataType.UINT8_ARRAY: "<u1", DataType.UINT16_ARRAY: "<u2",
    DataType.UINT32_ARRAY: "<u4", DataType.UINT64_ARRAY: "<u8", DataType.FLOAT_ARRAY: "<f4",
    DataType.DOUBLE_ARRAY: "<f8",
}  # fmt: skip
_COUNT_BYTES = 4

ARRAYS = frozenset(map(int, [*_ITEMS, DataType.BOOLEAN_ARRAY]))
"""Datatypes of several numbers."""

NUMBERS = frozenset(map(int, [*_BITS, DataType.FLOAT, DataType.DOUBLE, DataType.BOOLEAN]))
"""Datatypes of one number."""

TEXTS = frozenset(map(int, [DataType.STRING, DataType.TEXT]))

# By plain numbers, which is what a message holds.
_WIDTH = {int(kind): (1 << bits, kind in _SIGNED) for kind, bits in _BITS.items()}
_BOOLEAN = int(DataType.BOOLEAN)
_FLOATS = ("float_value", "double_value")


class Unfit(ValueError):
    """The value is none of its datatype; the message says why, without the value."""


def number(metric: Any, datatype: int) -> float:
    """The one number of a metric whose datatype is in :data:`NUMBERS`.

    Signed numbers stand in unsigned fields, as two's complement of their own width or of
    the field's.
    """
    kind = metric.WhichOneof("value")
    width = _WIDTH.get(datatype)
    if width is None:
        if datatype == _BOOLEAN:
            if kind == "boolean_value":
                return 1.0 if metric.boolean_value else 0.0
            if kind == "int_value" and metric.int_value < 2:
                return float(metric.int_value)
        elif kind in _FLOATS:
            return float(getattr(metric, kind))
    elif kind == "int_value":
        return _whole(metric.int_value, 1 << 32, *width)
    elif kind == "long_value":
        return _whole(metric.long_value, 1 << 64, *width)
    if kind is None:
        raise Unfit("it has no value and is not said to be null")
    raise Unfit(f"its value is no {DataType(datatype).name.capitalize()}")


def _whole(raw: int, field: int, size: int, signed: bool) -> float:
    """A whole number of ``size`` values out of a field of ``field`` values."""
    if not signed:
        if raw < size:
            return float(raw)
    elif size > field:
        # Negative or large: nobody can tell.
        if raw < field // 2:
            return float(raw)
    elif raw < size:
        return float(raw if raw < size // 2 else raw - size)
    elif raw >= field - size // 2:
        return float(raw - field)
    raise Unfit("its value does not fit its datatype")


def array(data: bytes, datatype: int, most: int) -> list[float]:
    """The numbers of an array, packed little-endian; at most so many.

    Booleans are packed too, the first in the highest bit, behind their count.

    >>> array(bytes.fromhex("E97B"), DataType.INT8_ARRAY, 10)
    [-23.0, 123.0]
    >>> sum(array(bytes.fromhex("0C00000034DF"), DataType.BOOLEAN_ARRAY, 20))
    6.0
    """
    booleans = datatype == DataType.BOOLEAN_ARRAY
    if booleans:
        count = int.from_bytes(data[:_COUNT_BYTES], "little")
        whole = len(data) == _COUNT_BYTES + (count + 7) // 8
    else:
        item = np.dtype(_ITEMS[DataType(datatype)])
        count, rest = divmod(len(data), item.itemsize)
        whole = not rest
    if not whole:
        raise Unfit("its length is not that of an array of its datatype")
    if count > most:
        raise Unfit("a message may have no more values in its arrays")
    if booleans:
        items = np.unpackbits(np.frombuffer(data, np.uint8)[_COUNT_BYTES:], count=count)
    else:
        items = np.frombuffer(data, item)
    return [float(value) for value in items.tolist()]
