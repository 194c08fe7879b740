"""Frames as a French meter's customer output sends them (TIC, both modes); pure.

A group is a label, a value and a character that checks them; in standard mode also the time
of the value. A group that was damaged on the way is refused alone.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial
from math import nan

from collector.formats import seasons
from collector.formats.format import Decoded, Hints, Undecodable, refused_text
from collector.formats.tic_labels import DATED, LABELS, STATE_BITS, Role
from collector.times import NotATime
from storage.reading import Flag, Reading, Reason, Refusal

ZONE = "Europe/Paris"
"""Where the meters stand if the binding does not say."""

_DATE = re.compile(rb"(?<![^\r\n])DATE\t([^\t\r\n]*)\t")
_ENDS = bytes(10 if byte in (2, 3, 13) else byte for byte in range(256))
_REGISTER = re.compile(r"[0-9A-Fa-f]{8}")
_HORODATE = re.compile(r"[HEhe ][0-9]{12}")
_UNJUDGED, _SUSPECT, _MISSING = int(Flag.NOT_EVALUATED), int(Flag.SUSPECT), int(Flag.MISSING)
LONGEST = 15  # digits that a float holds exactly

PASSED, READING, OFFERED = 0, 1, 2
KNOWN: dict[str, tuple[int, str | None]] = {
    name: (
        {Role.READING: READING, Role.OFFERED: OFFERED}.get(label.role, PASSED),
        label.unit,
    )
    for name, label in LABELS.items()
}
"""What becomes of a label, and its unit, at half the cost of asking the enumeration."""
_UNKNOWN = (OFFERED, None)
_STATE = tuple((f"STGE.{one.name}", one.first, one.mask) for one in STATE_BITS)
_DAMAGED = "the checksum of the group does not fit"

# Twice as fast as calling Reading, in the loop every group goes through.
reading_of = partial(tuple.__new__, Reading)


def looks_like_one(payload: bytes) -> bool:
    """Whether at least two groups of known labels keep their checksum."""
    lines = _lines(payload[:4_000])
    found = [group for line, text in lines if (group := _group(line, text.split("\t"))) is not None]
    return sum(group[0] in KNOWN for group in found) >= 2


def decode(payload: bytes, hints: Hints) -> Decoded:
    """Read one frame, or several of which each says its time."""
    parts = payload.replace(b"\x03", b"\x02").split(b"\x02")
    frames = [frame for frame in parts if frame.strip()]
    if len(frames) > 1 and not _DATE.search(payload):
        # Frames without a clock would all get the time of the reception.
        frames = frames[-1:]
    offered: list[Reading] = []
    decoded = Decoded([], [], offered)
    sound = [_read(frame, hints, decoded, offered) for frame in frames]
    if not any(sound):
        raise Undecodable(Reason.BAD_PAYLOAD, "neither JSON nor a frame with a sound group")
    return decoded


@lru_cache(maxsize=4096)  # the load curve's step is the same for all meters
def moment(horodate: str, timezone: str) -> tuple[int, int]:
    """Time and flag of ``SYYMMDDhhmmss``; a lower-case season is a clock that was not set."""
    if not _HORODATE.fullmatch(horodate):
        raise NotATime("a season letter and twelve digits are expected")
    season = horodate[0]
    summer = None if season == " " else season in "Ee"
    time_us = seasons.microseconds(horodate[1:], summer, timezone, ZONE)
    return time_us, _SUSPECT if season in "he" else _UNJUDGED


def take(
    name: str, text: str, time_us: int | None, flag: int, sensor: str,
    decoded: Decoded, offered: list[Reading],
) -> None:  # fmt: skip
    """Append what one label says: a reading, something offered, a refusal, or nothing."""
    role, unit = KNOWN.get(name, _UNKNOWN)
    if role == PASSED:
        return
    if text.isdigit() and text.isascii() and len(text) <= LONGEST and name != "STGE":
        value = float(text)
    elif name == "STGE":
        _offer_state(text, time_us, flag, sensor, offered)
        return
    elif not text:
        value, flag = nan, _MISSING
    else:
        if role == READING:
            decoded.refusals.append(refused_text(name, text, "text that is no whole number"))
        return
    (decoded.readings if role == READING else offered).append(
        reading_of((sensor, name, time_us, value, unit, flag))
    )


def _read(frame: bytes, hints: Hints, decoded: Decoded, offered: list[Reading]) -> int:
    """Take in one frame; how many of its groups were sound."""
    sensor, timezone = hints.sensor, hints.timezone
    time_us, flag = _time_of(frame, timezone)
    sound = 0
    readings = decoded.readings
    for number, (line, text) in enumerate(_lines(frame), 1):
        parts = text.split("\t")
        # Nearly every group of either mode, without any call.
        end, own = line[-1], None
        if len(parts) == 3:
            name, value, _ = parts
            added = sum(line) - end
        elif len(parts) == 4:
            name, own, value, _ = parts
            added = sum(line) - end
        else:
            name, _, value = text[:-2].partition(" ")
            added = sum(line) - end - 32 if text[-2:-1] == " " else -1  # not the blank before it
        known = KNOWN.get(name) if added & 63 == end - 32 else None
        if known is None:
            group = _group(line, parts)
            if group is None:
                refusal = Refusal(_name_of_damaged(text, number), Reason.BAD_VALUE, _DAMAGED)
                decoded.refusals.append(refusal)
                continue
            name, own, value = group
            known = KNOWN.get(name, _UNKNOWN)
        sound += 1
        role, unit = known
        if role == PASSED:
            continue
        its_us, its_flag = time_us, flag
        if own is not None and name in DATED:
            try:
                its_us, its_flag = moment(own, timezone)
            except NotATime as problem:
                decoded.refusals.append(Refusal(name, Reason.BAD_TIME, str(problem)))
                continue
        if value.isdigit() and len(value) <= LONGEST and name != "STGE":
            (readings if role == READING else offered).append(
                reading_of((sensor, name, its_us, float(value), unit, its_flag))
            )
        else:
            take(name, value.strip(), its_us, its_flag, sensor, decoded, offered)
    return sound


def _time_of(frame: bytes, timezone: str) -> tuple[int | None, int]:
    """The meter's clock; historic frames have none."""
    found = _DATE.search(frame)
    if found is None:
        return None, _UNJUDGED
    [(line, text), *_] = _lines(frame[found.start() :].split(b"\n", 1)[0])
    if _group(line, text.split("\t")) is None:
        raise Undecodable(Reason.BAD_TIME, "the checksum of DATE does not fit")
    try:
        return moment(found[1].decode("latin-1"), timezone)
    except NotATime as problem:
        raise Undecodable(Reason.BAD_TIME, f"DATE: {problem}") from None


def _lines(frame: bytes) -> list[tuple[bytes, str]]:
    """The groups, as bytes to add up and as text to read."""
    # Most ends of lines are two characters; where there is only one of them, either will do.
    whole = frame.translate(None, b"\r\x02\x03") if b"\n" in frame else frame.translate(_ENDS)
    pairs = zip(whole.split(b"\n"), whole.decode("ascii", "replace").split("\n"), strict=True)
    return [pair for pair in pairs if pair[0]]


def _group(line: bytes, parts: list[str]) -> tuple[str, str | None, str] | None:
    """Label, own time and value; None where the checksum does not fit."""
    if len(parts) > 2:
        # A checksum that is a blank gets stripped on the way.
        given = line[-1] if parts[-1] else 32
        total = sum(line) - (given if parts[-1] else 0)
        if total & 63 != given - 32 or len(parts[-1]) > 1 or len(parts) > 4:
            return None
        own = parts[1] if len(parts) == 4 else None
        return parts[0], own, parts[-2].strip()
    text = parts[0]
    if len(parts) == 2:
        return None
    if text[-2:-1] != " ":
        text = text.rstrip(" ") + "  "
        line = text.encode("ascii", "replace")
    if (sum(line) - line[-1] - 32) & 63 != line[-1] - 32:  # without the blank before it
        return None
    name, blank, value = text[:-2].partition(" ")
    return (name, None, value.strip()) if blank else None


def _name_of_damaged(text: str, number: int) -> str:
    """Its label if that is a known one: anything else may hold the meter's number."""
    name = re.split(r"[\t ]", text, maxsplit=1)[0]
    return name if name in KNOWN else f"group {number}"


def _offer_state(
    text: str, time_us: int | None, flag: int, sensor: str, offered: list[Reading]
) -> None:
    if not _REGISTER.fullmatch(text):
        return
    register = int(text, 16)
    for name, first, mask in _STATE:
        value = float(register >> first & mask)
        offered.append(reading_of((sensor, name, time_us, value, None, flag)))
