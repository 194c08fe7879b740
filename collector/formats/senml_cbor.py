"""SenML in CBOR (RFC 8428, section 6): bytes to the records that the JSON form would say.

cbor2 reads the items. The pack and the maps of its records are walked here, so that keys are
compared with the labels of the RFC and never hashed: arrays as keys can be made to collide,
and a map of them would cost quadratic time.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from typing import Any, NoReturn

import cbor2

from collector.formats.format import Undecodable
from storage.reading import Reason

LABELS: dict[int, str] = {
    -6: "bs", -5: "bv", -4: "bu", -3: "bt", -2: "bn", -1: "bver",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip
"""RFC 8428, table 4."""

MAX_DEPTH = 32
"""Items inside one another, in members that nobody understands."""

_ARRAY, _MAP, _INDEFINITE, _BREAK = 0x80, 0xA0, 31, 0xFF
_ONE_BYTE = {(0x20 - label - 1 if label < 0 else label): name for label, name in LABELS.items()}
_SELF_DESCRIBED = b"\xd9\xd9\xf7"
_EXACT_BITS = 64
# Beyond them a double is 0 or infinite, and its digits need not be computed.
_DIGITS, _EXPONENT = 800, 1200


def is_cbor(payload: bytes) -> bool:
    """Whether the first byte starts an array, a map or a tag of CBOR; JSON text never does.

    >>> is_cbor(bytes.fromhex("81a10061")), is_cbor(b'[{"n": "x"}]')
    (True, False)
    """
    return payload[:1] >= b"\x80"


def read_records(payload: bytes) -> list[dict[str, Any]]:
    """Records under the labels of the JSON form; data as base64url text without padding.

    >>> read_records(bytes.fromhex("81a200617802f93e00"))
    [{'n': 'x', 'v': 1.5}]
    """
    stream = BytesIO(payload)
    if payload.startswith(_SELF_DESCRIBED):
        stream.seek(len(_SELF_DESCRIBED))
    # Reading ahead would make the decoder seek back after every item.
    item = cbor2.CBORDecoder(
        stream,
        read_size=1,
        max_depth=MAX_DEPTH,
        semantic_decoders=_TAGS,
        tag_hook=_refuse_tag,
        strict_hashable_types=True,
    ).decode
    position = 0
    records: list[dict[str, Any]] = []
    try:
        left = _length(stream, _ARRAY, "a pack is an array of records")
        while left > 0 or (left < 0 and not _ends(stream)):
            records.append(_record(stream, item))
            position += 1
            left -= left > 0
    except (cbor2.CBORError, ValueError, OverflowError, RecursionError) as problem:
        what = str(problem) if isinstance(problem, _Broken) else "not CBOR"
        raise Undecodable(Reason.BAD_PAYLOAD, f"record {position}: {what}") from None
    if stream.read(1):
        raise Undecodable(Reason.BAD_PAYLOAD, "bytes follow the pack")
    return records


class _Broken(ValueError):
    """A record breaks a rule that can be named."""


def _record(stream: BytesIO, item: Callable[[], Any]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    left = _length(stream, _MAP, "a record is a map")
    read = stream.read
    while left:
        head = read(1)
        if left < 0 and head == b"\xff":
            break
        left -= left > 0
        label = _ONE_BYTE.get(head[0]) if head else None
        if label is None:
            stream.seek(-len(head), 1)
            key = item()
            # The integers are all taken; what is added to SenML has a text for a label.
            label = key if type(key) is str else LABELS.get(key, "") if type(key) is int else None
            if label is None:
                raise _Broken("a label is neither an integer nor text")
        value = item()
        kind = type(value)
        if kind is str:
            if "\0" in value:
                raise _Broken("a NUL character")
        elif label == "vd":
            if kind is not bytes:
                raise _Broken("data is not a byte string")
            value = base64.urlsafe_b64encode(value).rstrip(b"=").decode()
        elif kind is int and value.bit_length() > _EXACT_BITS:
            value = _double(value)
        if label == "vd" and kind is str:
            raise _Broken("data is not a byte string")
        if label:
            record[label] = value
    return record


def _length(stream: BytesIO, major: int, otherwise: str) -> int:
    """Members of the array or map that starts here; -1 where a break ends it."""
    head = stream.read(1)
    if not head or head[0] & 0xE0 != major:
        raise _Broken(otherwise)
    size = head[0] & 0x1F
    if size < 24:
        return size
    if size == _INDEFINITE:
        return -1
    if size > 27:
        raise _Broken("not CBOR")
    width = 1 << (size - 24)
    said = stream.read(width)
    if len(said) < width:
        raise _Broken("not CBOR")
    return int.from_bytes(said, "big")


def _ends(stream: BytesIO) -> bool:
    """Whether a break stands here, which is then taken."""
    head = stream.read(1)
    if head and head[0] == _BREAK:
        return True
    stream.seek(-len(head), 1)
    return False


def _double(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def _fraction(parts: Any, immutable: bool) -> float:
    """Tag 4: [exponent, mantissa], a mantissa of any size; as the nearest double."""
    if not isinstance(parts, (list, tuple)) or [type(part) for part in parts] != [int, int]:
        raise _Broken("a decimal fraction is not made of two integers")
    exponent, mantissa = parts
    if mantissa.bit_length() > _DIGITS or abs(exponent) > _EXPONENT:
        raise _Broken("a decimal fraction beyond all doubles")
    return float(Decimal(f"{mantissa}E{exponent}"))


def _refuse_tag(*_: Any) -> NoReturn:
    # Others than numbers build dates, patterns, sets or cycles.
    raise _Broken("a tag that SenML does not use")


_TAGS: dict[int, Callable[[Any, bool], Any]] = {
    4: _fraction,
    **dict.fromkeys(
        (0, 1, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799),
        _refuse_tag,
    ),
}
