"""Refused payloads without the personal identifiers in them. Pure.

Only what is refused comes by here; a message that is accepted pays nothing for it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator

from collector import meter_numbers, network_keys
from collector.formats.format import Undecodable
from collector.formats.json_text import parse
from collector.personal import ROUNDS, Span, found, is_announced_by, outside, replaced

_MEMBER = re.compile(r'"([^"\\]{3,100})"\s*:\s*')
_VALUE = re.compile(r'"(?P<text>(?:[^"\\]|\\.)*)"|(?P<number>[0-9]{8,})(?![0-9.eE])', re.DOTALL)
# What a name announces must have a digit and be long enough for more than a state.
_TELLING = re.compile(r"^(?=.*[0-9])(?:[^0-9A-Za-z]*[0-9A-Za-z]){4}", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
# In forms what stands between the digits is written %20, %2B, %2D, %2E or %3A.
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\(.)|%(2[0BbDdEe]|3[Aa])|\x00", re.DOTALL)
_WHITE = dict.fromkeys("bfnrt", " ")


def mask_payload(payload: bytes, keep: Collection[str] = ()) -> bytes:
    """``payload`` with identifiers made unreadable, at equal length; valid JSON stays valid.

    Text under a name that announces an identifier is hidden whole, a number there becomes
    ``null``. Escapes, those of forms too, and the zero bytes of UTF-16 do not hide an identifier.

    >>> mask_payload(b'{"who": "a@b.fr", "imei": 356938035643809, "index": 356938035643809}')
    b'{"who": "*@*.**", "imei": null           , "index": 356938035643809}'
    """
    text = payload.decode("utf-8", "surrogateescape")
    in_json: bool | None = None
    for _ in range(ROUNDS):
        plain, place = _unescaped(text)
        spans = outside([span for _, span in found(plain)], plain, keep)
        values = [value for value in _members(text) if value["text"] not in keep]
        if not spans and not values:
            break
        if in_json is None:
            in_json = _is_json(payload)
        hide = {(place(start), place(end)): False for start, end in spans}
        if in_json:
            hide = dict.fromkeys(_quoted(text, hide), False)
        for value in values:
            number = value["number"] is not None
            hide[value.span("number" if number else "text")] = number and in_json
        if not hide:
            break
        text = replaced(text, hide)
    hidden = network_keys.hide(text.encode("utf-8", "surrogateescape"))
    return meter_numbers.hide(hidden, payload)


def _members(text: str) -> Iterator[re.Match[str]]:
    """Values under names that announce an identifier."""
    for name in _MEMBER.finditer(text):
        if is_announced_by(name[1]):
            value = _VALUE.match(text, name.end())
            if value is not None and (value["number"] or _TELLING.match(value["text"])):
                yield value


def _quoted(text: str, spans: Iterable[Span]) -> list[Span]:
    """Those inside the strings of a JSON text; the others are its numbers."""
    strings = [match.span() for match in _STRING.finditer(text)]
    inside = []
    for start, end in spans:
        at = bisect_right(strings, (start, len(text))) - 1
        if at >= 0 and end <= strings[at][1]:
            inside.append((start, end))
    return inside


def _is_json(payload: bytes) -> bool:
    try:
        parse(payload)
    except Undecodable:
        return False
    return True


def _unescaped(text: str) -> tuple[str, Callable[[int], int]]:
    """``text`` as a reader understands it, and where its characters stand in the original."""
    if not any(sign in text for sign in "\\\0%"):
        return text, int
    pieces: list[str] = []
    ends: list[int] = []
    shifts = [0]
    at = length = 0
    for match in _ESCAPE.finditer(text):
        said, plain, of_form = match.groups("")
        char = chr(int(said or of_form, 16)) if said or of_form else _WHITE.get(plain, plain)
        pieces += text[at : match.start()], char
        length += match.start() - at + len(char)
        at = match.end()
        ends.append(length)
        shifts.append(at - length)
    pieces.append(text[at:])
    return "".join(pieces), lambda position: position + shifts[bisect_right(ends, position)]
