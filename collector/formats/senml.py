"""SenML (RFC 8428) in JSON or CBOR: a pack of records, resolved and then read.

A pack that breaks the RFC is refused whole; a value no series can hold (text, data, a
number that is not finite) or a time outside the calendar is refused alone.
"""

from __future__ import annotations

import re
from functools import partial
from math import isfinite
from operator import attrgetter
from typing import Annotated, NamedTuple

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic wants it before Python 3.12

from collector import times
from collector.formats.format import (
    Decoded,
    Format,
    Hints,
    Undecodable,
    checked_path,
    refused_text,
)
from collector.formats.json_text import parse
from collector.formats.senml_cbor import is_cbor, read_records
from storage.reading import Flag, Reading, Reason, Refusal

VERSION = 10
"""The version RFC 8428 defines; packs of a later one must not be used."""
RELATIVE_BELOW = 2**28
"""Times below are relative to now, others seconds since 1970. [s]"""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:./_-]*")
_BASES = frozenset({"bn", "bt", "bu", "bv", "bs"})
_REGULAR = frozenset({"n", "u", "v", "vs", "vb", "vd", "s", "t", "ut"})
_MORE = frozenset({"vs", "vb", "vd", "s"})
_LABELS = _BASES | _REGULAR | {"bver"}
_UNJUDGED = int(Flag.NOT_EVALUATED)


class Record(TypedDict, total=False):
    """One record as sent; labels and JSON types are those of RFC 8428, table 1."""

    __pydantic_config__ = ConfigDict(strict=True, extra="allow")  # type: ignore[misc]

    bn: str
    bt: float
    bu: str | None
    bv: float | None
    bs: float | None
    bver: Annotated[int, Field(ge=1)] | None
    n: str
    u: str | None
    v: float | None
    vs: str | None
    vb: bool | None
    vd: Annotated[str, Field(pattern=r"^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?$")] | None
    s: float | None
    t: float
    ut: float | None


class Resolved(NamedTuple):
    """One record with its base values applied (RFC 8428, section 4.6).

    ``n`` is the whole name; ``base`` and ``own`` are the two parts it was joined from.
    ``t`` is seconds since 1970, ``bver`` is None for version 10.
    """

    n: str
    t: float
    u: str | None
    v: float | None
    vs: str | None
    vb: bool | None
    vd: str | None
    s: float | None
    ut: float | None
    bver: int | None
    base: str
    own: str


_PACK = TypeAdapter(list[Record])
_time_of = attrgetter("t")
# Twice as fast as calling the classes, in the loop every record goes through.
_resolved = partial(tuple.__new__, Resolved)
_reading = partial(tuple.__new__, Reading)


def decode(payload: bytes, hints: Hints, received_us: int) -> Decoded:
    """Read one pack; times relative to now count from its reception.

    Where the topic names the sensor, the field is the record's own name ("value" if it
    has none). Else the sensor is the base name without its trailing separators, or,
    without a base name, the part of the name before its last ``:`` or ``/``. Booleans
    become 1 and 0; a sum is the field ``<field>/sum`` in unit seconds.

    >>> pack = b'[{"bn": "urn:dev:a:", "bt": 1276020076, "n": "no2", "u": "ug/m3", "v": 21.5}]'
    >>> decode(pack, Hints(""), 0).readings[0][:4]
    ('urn:dev:a', 'no2', 1276020076000000, 21.5)
    """
    decoded = Decoded([], [])
    readings, named = decoded.readings, hints.sensor
    for record in resolve(read_pack(payload), received_us / 1e6):
        _, t, unit, value, text, boolean, data, total, _, _, _, own = record
        sensor, field = (named, own or "value") if named else _whose(record)
        try:
            time_us = times.from_seconds(t)
        except times.NotATime as problem:
            decoded.refusals.append(Refusal(field, Reason.BAD_TIME, str(problem)))
            continue
        if text is not None or data is not None:
            what = "text or data where a number is expected"
            decoded.refusals.append(refused_text(field, text or data or "", what))
        if boolean is not None:
            value = float(boolean)
        if value is not None:
            if isfinite(value):
                readings.append(_reading((sensor, field, time_us, value, unit or None, _UNJUDGED)))
            else:
                decoded.refusals.append(_not_finite(field))
        if total is not None:
            field = f"{field}/sum"
            if isfinite(total):
                unit = f"{unit}.s" if unit else None
                readings.append(_reading((sensor, field, time_us, total, unit, _UNJUDGED)))
            else:
                decoded.refusals.append(_not_finite(field))
    return decoded


def read_pack(payload: bytes) -> list[Record]:
    """Parse a pack and check every record by itself."""
    message = read_records(payload) if is_cbor(payload) else parse(payload)
    if type(message) is not list or not message:
        raise Undecodable(Reason.BAD_PAYLOAD, "a pack is a list of at least one record")
    try:
        return _PACK.validate_python(message)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = " ".join(str(part) for part in first["loc"][:2])
        raise Undecodable(Reason.BAD_PAYLOAD, f"record {where}: {first['msg']}") from None


def resolve(pack: list[Record], now: float) -> list[Resolved]:
    """Apply base values and reception time; measurements in chronological order.

    Parameters
    ----------
    pack
        Records as sent. Base values hold from their record until replaced.
    now
        Reception, seconds since 1970. [s]

    References
    ----------
    .. [1] RFC 8428, Sensor Measurement Lists (SenML), sections 4.1 to 4.6.

    Examples
    --------
    >>> pack = [Record(bn="d", bv=20.0, v=1.5), Record(v=-0.5, t=-10)]
    >>> [(record.n, record.t, record.v) for record in resolve(pack, 1.7e9)]
    [('d', 1699999990.0, 19.5), ('d', 1700000000.0, 21.5)]
    """
    version = _version_of(pack)
    bn, bt = "", 0.0
    bu: str | None = None
    bv: float | None = None
    bs: float | None = None
    resolved: list[Resolved] = []
    for position, record in enumerate(pack):
        if not _LABELS.issuperset(record) and any(label.endswith("_") for label in record):
            raise _broken(position, "has a label that must be understood and is unknown")
        if not _BASES.isdisjoint(record):
            bn, bt, bu = record.get("bn", bn), record.get("bt", bt), record.get("bu", bu)
            bv, bs = record.get("bv", bv), record.get("bs", bs)
            checked_path(bn)
        if _REGULAR.isdisjoint(record):
            continue
        own = record.get("n", "")
        name = bn + own
        if not _NAME.fullmatch(name):
            raise _broken(position, "has an empty name, or one with characters not allowed")
        value, total = record.get("v"), None
        # Most records say a value and nothing else, which needs no rules.
        if value is None or bv is not None or bs is not None or not _MORE.isdisjoint(record):
            value, total = _value_and_sum(position, record, bv, bs)
        time = bt + record.get("t", 0.0)
        unit = record.get("u")
        resolved.append(
            _resolved(
                (
                    name,
                    time + now if time < RELATIVE_BELOW else time,
                    bu if unit is None else unit,
                    value,
                    record.get("vs"),
                    record.get("vb"),
                    record.get("vd"),
                    total,
                    record.get("ut"),
                    version,
                    bn,
                    own,
                )
            )
        )
    resolved.sort(key=_time_of)
    return resolved


def _version_of(pack: list[Record]) -> int | None:
    """The one version of all records, None for the RFC's own."""
    version = pack[0].get("bver") or VERSION
    for position, record in enumerate(pack):
        if (record.get("bver") or version) != version:
            raise _broken(position, "has another version than the records before it")
    if version > VERSION:
        raise Undecodable(Reason.BAD_PAYLOAD, f"version {version} is later than {VERSION}")
    return version if version != VERSION else None


def _value_and_sum(
    position: int, record: Record, bv: float | None, bs: float | None
) -> tuple[float | None, float | None]:
    """Value and sum with their base added; a missing one counts as 0 beside its base."""
    value, total = record.get("v"), record.get("s")
    boolean = record.get("vb") is not None
    given = (value is not None) + boolean
    other = (record.get("vs") is not None) + (record.get("vd") is not None)
    if given + other > 1:
        raise _broken(position, "has more than one value")
    if bs is not None and not other:
        total = (total or 0.0) + bs
    # A record that says only a sum is complete: no value is made of the base alone.
    if bv is not None and not other and not boolean and record.get("s") is None:
        value = (value or 0.0) + bv
    elif bv is not None and value is not None:
        value += bv
    if value is None and total is None and given + other == 0:
        raise _broken(position, "has neither value nor sum")
    return value, total


def _whose(record: Resolved) -> tuple[str, str]:
    """Sensor and field of one record, from its name alone."""
    if record.base:
        return record.base.rstrip(":/-._"), record.own or "value"
    cut = max(record.n.rfind(":"), record.n.rfind("/"))
    if cut < 0:
        return record.n, "value"
    return record.n[:cut], record.n[cut + 1 :] or "value"


def _not_finite(field: str) -> Refusal:
    return Refusal(field, Reason.BAD_VALUE, "a number that is not finite")


def _broken(position: int, what: str) -> Undecodable:
    return Undecodable(Reason.BAD_PAYLOAD, f"record {position} {what}")


def fits(topic: str, payload: bytes) -> bool:
    """Whether it is a pack that keeps the RFC and says something."""
    try:
        return bool(resolve(read_pack(payload), 0.0))
    except Undecodable:
        return False


FORMAT = Format(
    name="senml",
    title="SenML (RFC 8428) in JSON or CBOR",
    topic="senml/{sensor}",
    decode=decode,
    fits=fits,
    sensor="the base name, or the name before its last `:` or `/`",
    fields="the record's own name; `value` where it has none; `<field>/sum` for sums",
    units="the record's unit or the base unit",
    time="base time and time; below 2^28 relative to the reception",
)
