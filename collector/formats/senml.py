"""SenML JSON (RFC 8428): a pack of records, resolved and then read.

A pack that breaks the RFC is refused whole; a value no series can hold (text, data, a
number that is not finite) or a time outside the calendar is refused alone.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from collector import times
from collector.formats.format import Decoded, Format, Hints, Undecodable, refused_text
from collector.formats.json_text import parse
from storage.reading import Flag, Reading, Reason, Refusal

VERSION = 10
"""The version RFC 8428 defines; packs of a later one must not be used."""
RELATIVE_BELOW = 2**28
"""Times below are relative to now, others seconds since 1970. [s]"""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:./_-]*")
_REGULAR = frozenset({"n", "u", "v", "vs", "vb", "vd", "s", "t", "ut"})


class Record(BaseModel):
    """One record as sent; labels and JSON types are those of RFC 8428, table 1."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")

    bn: str = ""
    bt: float = 0.0
    bu: str | None = None
    bv: float | None = None
    bs: float | None = None
    bver: Annotated[int, Field(ge=1)] | None = None
    n: str = ""
    u: str | None = None
    v: float | None = None
    vs: str | None = None
    vb: bool | None = None
    vd: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]*$")] | None = None
    s: float | None = None
    t: float = 0.0
    ut: float | None = None


class Base(NamedTuple):
    """The base values that hold at one place of a pack."""

    bn: str = ""
    bt: float = 0.0
    bu: str | None = None
    bv: float | None = None
    bs: float | None = None


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


_BASES = frozenset(Base._fields)
_PACK = TypeAdapter(list[Record])


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
    for record in resolve(read_pack(payload), received_us / 1e6):
        sensor, field = _whose(record, hints.sensor)
        try:
            time_us = times.from_seconds(record.t)
        except times.NotATime as problem:
            decoded.refusals.append(Refusal(field, Reason.BAD_TIME, str(problem)))
            continue
        if record.vs is not None or record.vd is not None:
            text = record.vs or record.vd or ""
            what = "text or data where a number is expected"
            decoded.refusals.append(refused_text(field, text, what))
        value = record.v if record.vb is None else float(record.vb)
        _keep(decoded, sensor, field, time_us, value, record.u)
        if record.s is not None:
            unit = f"{record.u}.s" if record.u else None
            _keep(decoded, sensor, f"{field}/sum", time_us, record.s, unit)
    return decoded


def read_pack(payload: bytes) -> list[Record]:
    """Parse a pack and check every record by itself."""
    message = parse(payload)
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
    base = Base()
    version = _version_of(pack)
    resolved = []
    for position, record in enumerate(pack):
        said = record.model_fields_set
        if any(label.endswith("_") for label in record.model_extra or ()):
            raise _broken(position, "has a label that must be understood and is unknown")
        if not said.isdisjoint(_BASES):
            base = base._replace(**{label: getattr(record, label) for label in said & _BASES})
        if said.isdisjoint(_REGULAR):
            continue
        name = base.bn + record.n
        if not _NAME.fullmatch(name):
            raise _broken(position, "has an empty name, or one with characters not allowed")
        value, total = _value_and_sum(position, record, base)
        time = base.bt + record.t
        resolved.append(
            Resolved(
                name,
                time + now if time < RELATIVE_BELOW else time,
                record.u if record.u is not None else base.bu,
                value,
                record.vs,
                record.vb,
                record.vd,
                total,
                record.ut,
                version,
                base.bn,
                record.n,
            )
        )
    resolved.sort(key=lambda record: record.t)
    return resolved


def _version_of(pack: list[Record]) -> int | None:
    """The one version of all records, None for the RFC's own."""
    version = pack[0].bver or VERSION
    for position, record in enumerate(pack):
        if record.bver is not None and record.bver != version:
            raise _broken(position, "has another version than the records before it")
    if version > VERSION:
        raise Undecodable(Reason.BAD_PAYLOAD, f"version {version} is later than {VERSION}")
    return version if version != VERSION else None


def _value_and_sum(position: int, record: Record, base: Base) -> tuple[float | None, float | None]:
    """Value and sum with their base added; a missing one counts as 0 beside its base."""
    given = (record.v is not None) + (record.vb is not None)
    other = (record.vs is not None) + (record.vd is not None)
    if given + other > 1:
        raise _broken(position, "has more than one value")
    value, total = record.v, record.s
    if base.bs is not None and not other:
        total = (total or 0.0) + base.bs
    # A record that says only a sum is complete: no value is made of the base alone.
    if base.bv is not None and not other and record.vb is None and record.s is None:
        value = (value or 0.0) + base.bv
    elif base.bv is not None and value is not None:
        value += base.bv
    if value is None and total is None and given + other == 0:
        raise _broken(position, "has neither value nor sum")
    return value, total


def _whose(record: Resolved, sensor: str) -> tuple[str, str]:
    """Sensor and field of one record."""
    if sensor:
        return sensor, record.own or "value"
    if record.base:
        return record.base.rstrip(":/-._"), record.own or "value"
    cut = max(record.n.rfind(":"), record.n.rfind("/"))
    if cut < 0:
        return record.n, "value"
    return record.n[:cut], record.n[cut + 1 :] or "value"


def _keep(
    decoded: Decoded, sensor: str, field: str, time_us: int, value: float | None, unit: str | None
) -> None:
    if value is None:
        return
    if math.isfinite(value):
        decoded.readings.append(
            Reading(sensor, field, time_us, value, unit or None, int(Flag.NOT_EVALUATED))
        )
    else:
        refusal = Refusal(field, Reason.BAD_VALUE, "a number that is not finite")
        decoded.refusals.append(refusal)


def _broken(position: int, what: str) -> Undecodable:
    return Undecodable(Reason.BAD_PAYLOAD, f"record {position} {what}")


def fits(topic: str, payload: bytes) -> bool:
    """Whether it is a pack that keeps the RFC."""
    try:
        resolve(read_pack(payload), 0.0)
    except Undecodable:
        return False
    return True


FORMAT = Format(
    name="senml",
    title="SenML JSON (RFC 8428)",
    topic="senml/{sensor}",
    decode=decode,
    fits=fits,
    sensor="the base name, or the name before its last `:` or `/`",
    fields="the record's own name; `value` where it has none; `<field>/sum` for sums",
    units="the record's unit or the base unit",
    time="base time and time; below 2^28 relative to the reception",
)
