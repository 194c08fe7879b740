"""Numbers of electricity meters in refused frames and telegrams, made unreadable. Pure.

A meter's number and that of its delivery point name a household. Labels and codes say where
they stand; the checksums around them are made to fit again, so that what was refused because
nobody knew the sensor can be read once it is registered.
"""

from __future__ import annotations

import re

import fastcrc

_MASK = b"*"
_TIC = re.compile(
    rb"(?P<group>(?<![^\x02\r\n])(?:ADCO|ADC0|ADSC|ADS|PRM)(?P<sep>[ \t]))"
    rb"(?P<number>[0-9A-Za-z]{4,20})(?P=sep)(?P<sum>[ -_])"
)
_P1 = re.compile(
    rb"(?<![^\r\n])(?P<code>[0-9]-[0-9]{1,2}:(?:96\.1\.[0-9]{1,3}|42\.0\.0|0\.0\.[0-9]{1,3})"
    rb"(?:\*[0-9]{1,3})?\()(?P<number>[^()\r\n]{4,200})\)"
)
_P1_END = re.compile(rb"(/[^!]*!)([0-9A-Fa-f]{4})(?![0-9A-Fa-f])")
_TOLD = re.compile(rb'"(?:ADCO|ADC0|ADSC|ADS|PRM)"\s*:\s*\{[^{}]{0,400}\}', re.IGNORECASE)
_IN_TOLD = re.compile(rb':\s*(?:"(?P<text>[^"\\]{4,60})"|(?P<digits>[0-9]{4,60})(?![0-9.eE]))')
_READABLE = re.compile(rb"[0-9A-Za-z]")


def hide(payload: bytes, original: bytes) -> bytes:
    r"""``payload`` without the numbers of meters, at equal length.

    ``original`` is the same before anything else was hidden in it: a checksum that fitted
    there fits afterwards, one that did not stays as it is.

    >>> frame = b"\nADCO 021528603314 :\r"
    >>> hide(frame, frame)
    b'\nADCO ************ O\r'
    """
    hidden = _TOLD.sub(_within, _P1.sub(_code, _TIC.sub(_group, payload)))
    if hidden == original or not original.lstrip().startswith(b"/"):
        return hidden
    # From the one place where a telegram starts: searching from every slash is quadratic.
    at = original.index(b"/")
    before, after = _P1_END.match(original, at), _P1_END.match(hidden, at)
    if before is None or after is None or fastcrc.crc16.arc(before[1]) != int(before[2], 16):
        return hidden
    start, end = after.span(2)
    return hidden[:start] + b"%04X" % fastcrc.crc16.arc(after[1]) + hidden[end:]


def _group(match: re.Match[bytes]) -> bytes:
    """One group of a frame; its checksum fits if it did."""
    number, given = _READABLE.sub(_MASK, match["number"]), match["sum"]
    if given == _checksum(match["group"] + match["number"], match["sep"]):
        given = _checksum(match["group"] + number, match["sep"])
    return match["group"] + number + match["sep"] + given


def _checksum(group: bytes, separator: bytes) -> bytes:
    # The standard mode adds the separator before the checksum, the historic mode does not.
    total = sum(group) + (9 if separator == b"\t" else 0)
    return bytes([(total & 63) + 32])


def _code(match: re.Match[bytes]) -> bytes:
    return match["code"] + _READABLE.sub(_MASK, match["number"]) + b")"


def _within(match: re.Match[bytes]) -> bytes:
    return _IN_TOLD.sub(_value, match[0])


def _value(match: re.Match[bytes]) -> bytes:
    name = "text" if match["text"] is not None else "digits"
    start, end = match.start(name) - match.start(), match.end(name) - match.start()
    number = match[name]
    shown = _READABLE.sub(_MASK, number) if name == "text" else b"null".ljust(len(number))
    return match[0][:start] + shown + match[0][end:]
