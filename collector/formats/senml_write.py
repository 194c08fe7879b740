"""Resolved SenML records to a pack, in JSON or CBOR (RFC 8428). Pure."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from math import isfinite
from typing import Any, Literal

import cbor2
import orjson

from collector.formats.senml import RELATIVE_BELOW, Resolved
from collector.formats.senml_cbor import LABELS

_CBOR_LABEL = {name: label for label, name in LABELS.items()}
_NUMBERS = ("bt", "v", "s", "t", "ut")
# Beyond it a whole number may be no double.
_WHOLE_BELOW = 2.0**53


def write_pack(records: Sequence[Resolved], form: Literal["json", "cbor"] = "json") -> bytes:
    """The pack that resolves to these records, with base values for what they share.

    The base name is the device's part of the names, the base time that of the first record
    and the base unit the most common one, where every record has a unit.

    Raises
    ------
    ValueError
        For records that no pack can say: of different versions, with a time before July 1978
        (it would be relative), or with a number that is not finite.

    Examples
    --------
    >>> time, rest = 1714566896.0, (None,) * 6
    >>> write_pack([Resolved("a:no2", time, "ug/m3", 21.5, *rest, "a:", "no2")])
    b'[{"bn":"a:","bt":1714566896.0,"n":"no2","u":"ug/m3","v":21.5}]'
    """
    if len({record.bver for record in records}) > 1:
        raise ValueError("the records of one pack have one version")
    unit = _base_unit(records)
    bn, bt = "", 0.0
    pack = []
    for number, record in enumerate(records):
        if not RELATIVE_BELOW <= record.t < float("inf"):
            raise ValueError("a time before July 1978 would be relative to the reception")
        said: dict[str, Any] = {}
        base = _base_name(record)
        if base != bn:
            said["bn"] = bn = base
        own_time = _own_time(bt, record.t)
        if number == 0 or own_time is None:
            said["bt"], own_time = record.t, 0.0
            bt = record.t
        if number == 0:
            said.update(bu=unit, bver=record.bver)
        said["n"] = record.n.removeprefix(base) or None
        said["u"] = record.u if record.u != unit else None
        said.update(v=record.v, vs=record.vs, vb=record.vb, vd=record.vd, s=record.s)
        said["t"], said["ut"] = own_time or None, record.ut
        record_said = {label: value for label, value in said.items() if value is not None}
        if not all(isfinite(record_said.get(label, 0.0)) for label in _NUMBERS):
            raise ValueError("a pack holds finite numbers only")
        pack.append(record_said)
    return orjson.dumps(pack) if form == "json" else _cbor(pack)


def _base_unit(records: Sequence[Resolved]) -> str | None:
    """The unit to say once; None where it would be given to records that have none."""
    units = Counter(record.u for record in records)
    if None in units or not units:
        return None
    unit, times = units.most_common(1)[0]
    return unit if times > 1 else None


def _base_name(record: Resolved) -> str:
    """The part that readers take for the device where there is no base name."""
    if record.base:
        return record.base
    return record.n[: max(record.n.rfind(":"), record.n.rfind("/")) + 1]


def _own_time(base: float, time: float) -> float | None:
    """What to add to the base to get exactly this time; None if no double does."""
    for own in (round(time - base, 6), time - base):
        if base + own == time:
            return own
    return None


def _cbor(pack: list[dict[str, Any]]) -> bytes:
    for record in pack:
        if "vd" in record:
            data = record["vd"]
            record["vd"] = base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))
        for label in _NUMBERS:
            if label in record:
                record[label] = _shortest(float(record[label]))
    return cbor2.dumps(
        [{_CBOR_LABEL[name]: one[name] for name in one} for one in pack], canonical=True
    )


def _shortest(number: float) -> float | int:
    """A whole number as an integer, except for the zero with a sign."""
    if number.is_integer() and abs(number) < _WHOLE_BELOW and str(number) != "-0.0":
        return int(number)
    return number
