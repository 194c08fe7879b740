"""JSON bytes to Python values, with every failure said in one short sentence."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from collector.formats.format import Undecodable
from storage.reading import Reason

# PostgreSQL text cannot hold U+0000, so one such name would poison a whole batch.
_NUL_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

_BACKSLASH = 0x5C


def parse(payload: bytes) -> Any:
    """Parse one JSON text.

    Numbers that are not finite (``NaN``, ``Infinity``, ``1e999``) are no JSON, but sensors
    send them beside good members, so they become NaN and infinities for the caller to
    refuse one by one. Where a member occurs twice in an object the last one counts.

    >>> parse(b'{"no2": 12.5}')
    {'no2': 12.5}
    """
    # As a number: searching for bytes costs as much as parsing a small message.
    if _BACKSLASH in payload and b"\\u0000" in payload:
        nul = _NUL_ESCAPE.search(payload)
        if nul is not None:
            raise Undecodable(Reason.BAD_PAYLOAD, f"a NUL character near byte {nul.start()}")
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        if "infinity" in error.msg or b"NaN" in payload or b"Infinity" in payload:
            return _parse_lenient(_text(payload))
        if not payload:
            raise Undecodable(Reason.BAD_PAYLOAD, "the payload is empty") from None
        _text(payload)
        raise Undecodable(Reason.BAD_PAYLOAD, _sentence(error)) from None


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise Undecodable(
            Reason.BAD_PAYLOAD, f"not UTF-8: byte {error.start} cannot be decoded"
        ) from None


def _parse_lenient(text: str) -> Any:
    try:
        value = json.loads(text, parse_int=_whole_number)
        orjson.dumps(value)  # refuses lone surrogates, which the standard parser lets pass
    except json.JSONDecodeError as error:
        raise Undecodable(Reason.BAD_PAYLOAD, _sentence(error)) from None
    except RecursionError:
        raise Undecodable(Reason.BAD_PAYLOAD, "nested too deeply") from None
    except orjson.JSONEncodeError:
        raise Undecodable(Reason.BAD_PAYLOAD, "half of a surrogate pair, or too deep") from None
    return value


def _whole_number(digits: str) -> float:
    # As orjson does: beyond 64 bits a float, and no quadratic conversion of long digits.
    return int(digits) if len(digits) < 19 else float(digits)


def _sentence(error: json.JSONDecodeError) -> str:
    return f"not JSON: {error.msg} at character {error.pos}"
