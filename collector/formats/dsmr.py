"""P1 telegrams of smart meters (DSMR 2 to 5, ESMR, and their Belgian and other kin), raw.

A telegram is a regular text: a header, lines of an OBIS code and values in brackets, and a
checksum. Which codes are measurements follows from the parts of the code (IEC 62056-61).
"""

from __future__ import annotations

import re
from functools import lru_cache, partial
from math import nan

import fastcrc

from collector.formats import seasons
from collector.formats.format import Decoded, Format, Hints, Undecodable, refused_text
from collector.times import NotATime
from storage.reading import Flag, Reading, Reason, Refusal

ZONE = "Europe/Amsterdam"
"""Where the meters stand if the binding does not say."""

_CODE = re.compile(r"([0-9]-[0-9]{1,2}:[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})(?:\*[0-9]{1,3})?")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,9})?")
_VALUES = re.compile(r"\([^()]*\)(?:\([^()]*\))*")
_CHECKSUM = re.compile(rb"[0-9A-Fa-f]{1,4}(?=[\r\n \t\x00]|\Z)")
_CLOCK = re.compile(r"0-0:1\.0\.0(?:\*255)?\(([^()\n]*)\)")
_TIME = re.compile(r"([0-9]{12})([SWsw]?)")
_UNITS = {
    "kWh": "kW.h", "Wh": "W.h", "MWh": "MW.h", "kvarh": "kvar.h", "varh": "var.h",
    "kVAh": "kV.A.h", "kVA": "kV.A", "VA": "V.A", "M3": "m3", "m3": "m3", "dm3": "dm3",
}  # fmt: skip
_ENCRYPTED = (b"\xdb\x08", b"DB08", b"db08")
_UNJUDGED, _MISSING = int(Flag.NOT_EVALUATED), int(Flag.MISSING)
_LONGEST = 18  # digits

_reading = partial(tuple.__new__, Reading)


# What becomes of a code. Plain numbers: they are compared for every line.
_ODD = -1  # no code
_PASSED, _READING, _OFFERED = 0, 1, 2
_DEMAND = 3  # offered, with a time of its own
_METER = 4  # of gas, water or heat, with a time of its own
_OLD_METER = 5  # the same before DSMR 4


def decode(payload: bytes, hints: Hints, received_us: int) -> Decoded:
    r"""Read one telegram; the meter's clock is the time, other meters have their own.

    >>> telegram = b"/KFM5\r\n\r\n0-0:1.0.0(161113205757W)\r\n1-0:1.8.1(001581.123*kWh)\r\n!\r\n"
    >>> decode(telegram, Hints("a"), 0).readings[0][1:5]
    ('1-0:1.8.1', 1479067077000000, 1581.123, 'kW.h')
    """
    body, checked = _body(payload)
    if not hints.sensor:
        raise Undecodable(
            Reason.UNKNOWN_SENSOR,
            "the topic names no sensor and the number of a meter is personal;"
            " put {sensor} into the binding's topic",
        )
    text = body.decode("ascii", "replace").replace("\r\n", "\n").replace("\n(", "(")
    sensor, timezone = hints.sensor, hints.timezone
    clock = _CLOCK.search(text)
    time_us: int | None = None
    if clock is not None:
        try:
            time_us = _moment(clock[1], timezone)
        except NotATime as problem:
            raise Undecodable(Reason.BAD_TIME, f"0-0:1.0.0: {problem}") from None
    readings: list[Reading] = []
    offered: list[Reading] = []
    decoded = Decoded(readings, [], offered)
    for number, line in enumerate(text.split("\n"), 1):
        code, _, rest = line.partition("(")
        what, code = _what(code)
        if what == _PASSED:
            continue
        value, _, unit = rest.partition("*")
        if unit:
            unit, end = unit[:-1], unit[-1]
        else:
            value, end = value[:-1], value[-1:]
        plain = value.replace(".", "", 1)
        if 0 < what <= _OFFERED and end == ")" and plain.isdigit() and len(plain) <= _LONGEST:
            if unit:
                unit = _UNITS.get(unit, unit)
            (readings if what == _READING else offered).append(
                _reading((sensor, code, time_us, float(value), unit or None, _UNJUDGED))
            )
        elif what == _ODD:
            if not checked and line:
                refusal = Refusal(f"line {number}", Reason.BAD_VALUE, "no line of a telegram")
                decoded.refusals.append(refusal)
        else:
            _unusual(what, code, f"({rest}", timezone, time_us, sensor, decoded, offered)
    return decoded


def _body(payload: bytes) -> tuple[bytes, bool]:
    """What stands between header and end; whether a checksum was there and fits."""
    if payload[:4].startswith(_ENCRYPTED):
        raise Undecodable(
            Reason.BAD_PAYLOAD, "the telegram is encrypted; let the gateway decrypt it"
        )
    start = payload.find(b"/")
    if start < 0 or payload[:start].strip(b"\0\r\n \t"):
        raise Undecodable(Reason.BAD_PAYLOAD, "no telegram: it starts with '/'")
    header = payload.find(b"\n", start)
    end = payload.find(b"\n!", start)
    if end < 0:
        raise Undecodable(Reason.BAD_PAYLOAD, "the telegram is cut: it ends with '!'")
    if b"\n/" in payload[end:]:
        raise Undecodable(Reason.BAD_PAYLOAD, "more than one telegram in a message")
    body = payload[header:end]
    checksum = _CHECKSUM.match(payload, end + 2)
    if checksum is None:
        return body, False
    whole = payload[start : end + 2]
    given = int(checksum[0], 16)
    if fastcrc.crc16.arc(whole) != given and (
        # Gateways that treat it as text change the ends of the lines.
        b"\r\n" in whole or fastcrc.crc16.arc(whole.replace(b"\n", b"\r\n")) != given
    ):
        raise Undecodable(Reason.BAD_PAYLOAD, "the checksum of the telegram does not fit")
    return body, True


@lru_cache(maxsize=1024)
def _what(text: str) -> tuple[int, str]:
    """What becomes of a line by what stands before its first bracket, and the code there."""
    found = _CODE.fullmatch(text)
    if found is None:
        return (_PASSED if not text.strip() else _ODD), ""
    medium, channel, c, d, e = (int(part) for part in re.split(r"[-:.]", found[1]))
    return _role(medium, channel, c, d, e), found[1]


def _role(medium: int, channel: int, c: int, d: int, e: int) -> int:
    if medium == 0:
        if c == 24 and channel:
            return {2: _METER, 3: _OLD_METER, 4: _OFFERED}.get(d, _PASSED)
        state = (c, d) in ((96, 7), (96, 14), (17, 0)) or (c, d, e) == (96, 3, 10)
        return _OFFERED if state else _PASSED
    if not 1 <= c <= 95:
        return _PASSED
    if d in (7, 8):
        return _READING
    # Averages and limits, maxima, sags, swells.
    return {4: _OFFERED, 6: _DEMAND, 32: _OFFERED, 36: _OFFERED}.get(d, _PASSED)


def _moment(text: str, timezone: str) -> int:
    match = _TIME.fullmatch(text)
    if match is None:
        raise NotATime("twelve digits and a season letter are expected")
    summer = match[2] in "Ss" if match[2] else None
    return seasons.microseconds(match[1], summer, timezone, ZONE)


def _unusual(
    what: int, code: str, values: str, timezone: str, time_us: int | None, sensor: str,
    decoded: Decoded, offered: list[Reading],
) -> None:  # fmt: skip
    """Take in a line that has a time of its own, or anything but a number."""
    to = offered if what in (_OFFERED, _DEMAND) else decoded.readings
    values = values.rstrip()
    if not _VALUES.fullmatch(values):
        if to is not offered:
            decoded.refusals.append(Refusal(code, Reason.BAD_VALUE, "not values in brackets"))
        return
    before = values[1:-1].split(")(")
    value, _, unit = before.pop().partition("*")
    if what == _OLD_METER:
        # (time)(state)(step)(count)(code)(unit) and the value, on a line of its own
        if len(before) < 6 or not _CODE.fullmatch(before[4]):
            what_is_wrong = "fewer values than the line of a meter has"
            decoded.refusals.append(Refusal(code, Reason.BAD_VALUE, what_is_wrong))
            return
        code, unit = before[4], before[5]
    if before and what in (_METER, _OLD_METER, _DEMAND):
        if _is_no_time(before[0]):
            return
        try:
            time_us = _moment(before[0], timezone)
        except NotATime as problem:
            if to is not offered:
                decoded.refusals.append(Refusal(code, Reason.BAD_TIME, str(problem)))
            return
    unit = _UNITS.get(unit, unit)
    if not value:
        to.append(Reading(sensor, code, time_us, nan, unit or None, _MISSING))
    elif _NUMBER.fullmatch(value):
        to.append(_reading((sensor, code, time_us, float(value), unit or None, _UNJUDGED)))
    elif to is not offered:
        decoded.refusals.append(refused_text(code, value, "text that is not a number"))


def _is_no_time(text: str) -> bool:
    """Whether the meter behind the channel never answered: the time is empty or unset."""
    return not text or text.startswith(("700101", "632525"))


def fits(topic: str, payload: bytes) -> bool:
    """A header, an end, and a line with an OBIS code between them."""
    start = payload[:16].lstrip(b"\0\r\n \t")
    if not start.startswith(b"/") or b"\n!" not in payload:
        return False
    return _CODE.search(payload[:2_000].decode("latin-1")) is not None


FORMAT = Format(
    name="dsmr",
    title="P1 telegrams of smart meters (DSMR 2 to 5, ESMR, Belgium, Hungary, Sweden)",
    topic="p1/{sensor}/telegram",
    decode=decode,
    fits=fits,
    sensor="only the topic names it; the numbers of meters are personal and never kept",
    fields="the OBIS code (`1-0:1.8.1`, gas `0-1:24.2.1`)",
    units="as the telegram says (kW.h, kW, V, A, m3, GJ)",
    time="0-0:1.0.0, of gas, water and heat their own; the letter S or W decides summer time;"
    " else the reception",
    passed_over="numbers of meters, messages, logs of failures and months; counts of failures,"
    " tariff, limits, valves and demands are offered",
)
