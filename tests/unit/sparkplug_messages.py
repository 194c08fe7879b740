"""Messages of one edge node and one device of it, for the tests of Sparkplug B."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from collector.formats.births import (
    Births,
    Device,
    LiveBirths,
)
from collector.formats.format import Decoded, Hints
from collector.formats.sparkplug import decode
from collector.formats.sparkplug_schema import DataType, Payload
from collector.topics import Topics
from storage.reading import Reason
from storage.routes import BindingRow
from tests.unit.small_routes import routes

NODE = Device("Metropole", "gw-01")


METER = Device("Metropole", "gw-01", "meter-7")


T_MS = 1_767_222_000_000


NOW_US = T_MS * 1000


def metric(
    name: str = "", kind: DataType | None = None, alias: int | None = None, **value: Any
) -> dict[str, Any]:
    said: dict[str, Any] = {"timestamp": T_MS, **value}
    if name:
        said["name"] = name.encode()
    if kind is not None:
        said["datatype"] = kind
    if alias is not None:
        said["alias"] = alias
    return said


def payload(*metrics: dict[str, Any], seq: int | None = None, sent_ms: int = T_MS) -> bytes:
    message = Payload(timestamp=sent_ms, metrics=metrics)
    if seq is not None:
        message.seq = seq
    return bytes(message.SerializeToString())


def topic(verb: str) -> str:
    return f"spBv1.0/Metropole/{verb}/gw-01" + ("/meter-7" if verb[0] == "D" else "")


def hear(births: Births, verb: str, message: bytes, received_us: int = NOW_US) -> Decoded:
    return decode(message, Hints("", topic=topic(verb), births=births), received_us)


def said(decoded: Decoded) -> list[tuple[str, float]]:
    return [(reading.field, reading.value) for reading in decoded.readings]


def refused(decoded: Decoded) -> list[tuple[str, Reason]]:
    return [(refusal.field, refusal.reason) for refusal in decoded.refusals]


def nbirth(bdseq: int = 7, kind: DataType = DataType.INT16, alias: int = 12) -> bytes:
    return payload(
        metric("bdSeq", DataType.INT64, long_value=bdseq),
        metric("air/temp", kind, alias, int_value=21),
        seq=0,
    )


TEMP = payload(metric(alias=12, int_value=4294967254), seq=1)


def numbered(births: LiveBirths, *numbers: int, sent_ms: int = T_MS) -> frozenset[Device]:
    births.begin()
    for position, seq in enumerate(numbers):
        data = payload(
            metric("a", DataType.FLOAT, float_value=1.0), seq=seq, sent_ms=sent_ms + position
        )
        hear(births, "NDATA", data)
    return births.settle().gaps


def sparkplug_routes(bound: list[str]) -> Any:
    rows = tuple(BindingRow(one, "sparkplug", "UTC", "", frozenset()) for one in bound)
    return replace(routes(), bindings=rows)


def sparkplug_topics(bound: list[str]) -> Topics:
    return Topics(sparkplug_routes(bound), LiveBirths())
