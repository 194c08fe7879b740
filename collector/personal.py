"""Identifiers of people and vehicles in text: found, and made unreadable. Pure.

A pattern is here only where it can be told from what city devices send with little error:
masking hides a refused payload from a later replay, so a wrong match costs a reading.
Digits alone are an identifier only inside text or under a name that says so: as JSON
numbers they are as often register indices or times.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator
from functools import lru_cache

MASK = "*"

# Nothing that is part of a longer word or number is an identifier.
_START = r"(?<![0-9A-Za-z])"
_END = r"(?![0-9A-Za-z])"
_END_OF_NUMBER = r"(?![0-9A-Za-z]|[.,][0-9])"
_BLANK = r"[ \u00a0\u2009\u202f]"

_MAC = re.compile(
    rf"""{_START}(?:
      [0-9A-Fa-f]{{2}} (?: :[0-9A-Fa-f]{{2}} ){{5,}}
      # Six pairs of decimal digits and hyphens are a date with a time.
    | (?! [0-9]{{2}} (?: -[0-9]{{2}} ){{5}} {_END} ) [0-9A-Fa-f]{{2}} (?: -[0-9A-Fa-f]{{2}} ){{5,}}
    | (?! [0-9]{{4}}\.[0-9]{{4}}\.[0-9]{{4}} {_END} ) [0-9A-Fa-f]{{4}}\.[0-9A-Fa-f]{{4}}\.[0-9A-Fa-f]{{4}}
      # Without separators: neither a number (also 123456789e12) nor the end of a UUID.
    | (?! (?: [0-9]{{12}} | [0-9]{{1,10}}[Ee][0-9]{{1,10}} ) {_END} ) (?<![0-9A-Fa-f]{{4}}-) [0-9A-Fa-f]{{12}}
    ){_END}""",
    re.VERBOSE,
)
_IMEI = re.compile(
    rf"(?<![0-9A-Za-z.+])[0-9]{{2}}([ -]?)[0-9]{{6}}\1[0-9]{{6}}\1[0-9]{_END_OF_NUMBER}"
)
_PHONE = re.compile(
    rf"""(?<![0-9A-Za-z.,+-])(?:
      (?: (?:\+|00)33 (?:{_BLANK}|[.-])? (?:\(0\))? {_BLANK}? | 0 )
      [1-9] ( {_BLANK} | [.-] | ) [0-9]{{2}} (?:\1[0-9]{{2}}){{3}}
    | \+[1-9] (?: (?:{_BLANK}|-)? (?:\(0\))? (?:{_BLANK}|-)? [0-9] ){{9,14}}
    | \+[1-9][0-9]{{0,2}} (?:\.[0-9]{{2,4}}){{3,6}}
    ){_END_OF_NUMBER}(?!-[0-9])""",
    re.VERBOSE,
)
_PLATE = re.compile(
    rf"""{_START}(?:
      # France since 2009, Italy: AB-123-CD, AB123CD, AB 123 CD
      [A-HJ-NP-TV-Z]{{2}} ([ -]?) [0-9]{{3}} \1 [A-HJ-NP-TV-Z]{{2}}
    | [a-hj-np-tv-z]{{2}} - [0-9]{{3}} - [a-hj-np-tv-z]{{2}}
      # France before: 123 AB 45; the letters are no unit and no month, the end a department
    | [0-9]{{2,4}} ([ -]) (?!KM|MM|CM|KG|MG|HZ|DB|PPM|PPB|MS|MB|KB|GB|AM|PM|ET|LE|JAN|FEB|FEV|MAR
                             |APR|AVR|MAY|SEP|DEC) [A-HJ-NP-TV-Z]{{2,3}} \2
      (?: 0[1-9] | [1-8][0-9] | 9[0-5] | 2[AB] | 97[1-6] )
      # Germany: M-AB 1234, M-AB-1234
    | (?!WI-FI) (?<!-) [A-ZÄÖÜ]{{1,3}} - [A-Z]{{1,2}} (?: [ ][0-9]{{2,4}} | -[0-9]{{4}} ) [EH]?
      # Belgium: 1-ABC-234
    | (?<!-) [1-9] - [A-Z]{{3}} - [0-9]{{3}} (?!-)
      # Spain: 1234 BCD, without vowels; the letters are no unit and no time zone
    | [0-9]{{4}} [ -] (?!RPM|[KMG]HZ|[KMG]WH|PP[MBT]|LPM|BPM|CPM|DPT|[KM]PH|KMH|KBS|GMT|BST
                        |[CMP][SD]T|DST|LTR|MTR|HRS|SCC) [BCDFGHJ-NPR-TV-Z]{{3}}
      # Netherlands: 12-ABC-3, 1-ABC-23, AB-12-CD, 12-AB-CD, AB-CD-12, AB-123-C, A-123-BC, …
    | (?<!-) (?: [0-9]{{2}}-[BDFGHJ-LNPR-TVXZ]{{3}}-[0-9] | [0-9]-[BDFGHJ-LNPR-TVXZ]{{3}}-[0-9]{{2}}
               | [BDFGHJ-LNPR-TVXZ]{{2}}-[0-9]{{2}}-[BDFGHJ-LNPR-TVXZ]{{2}}
               | [0-9]{{2}}-[BDFGHJ-LNPR-TVXZ]{{2}}-[BDFGHJ-LNPR-TVXZ]{{2}}
               | [BDFGHJ-LNPR-TVXZ]{{2}}-[BDFGHJ-LNPR-TVXZ]{{2}}-[0-9]{{2}}
               | [BDFGHJ-LNPR-TVXZ]{{2}}-[0-9]{{3}}-[BDFGHJ-LNPR-TVXZ]
               | [BDFGHJ-LNPR-TVXZ]-[0-9]{{3}}-[BDFGHJ-LNPR-TVXZ]{{2}}
               | [BDFGHJ-LNPR-TVXZ]{{3}}-[0-9]{{2}}-[BDFGHJ-LNPR-TVXZ] ) (?!-)
      # United Kingdom: AB12 CDE; PM10 and the like are no plates
    | (?!PM|CO|NO|SO|VO) [A-HJ-PR-Y]{{2}} (?: [01257][0-9] | [36][0-9] ) [ ] [A-HJ-PR-Z]{{3}}
    ){_END}""",
    re.VERBOSE,
)
_DOMAIN = re.compile(r"(?:@|%40)(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w@])")
_LOCAL_PART = re.compile(r"[\w.+'-]{1,64}\Z")

_KINDS = (
    # A run of the characters that such an identifier is made of is found in a tenth of the time.
    ("a MAC address", re.compile(r"[0-9A-Fa-f][0-9A-Fa-f:.-]{11,}"), _MAC),
    ("an IMEI", re.compile(r"[0-9][0-9 -]{14,}"), _IMEI),
    ("a phone number", re.compile(rf"[+0](?:[0-9().-]|{_BLANK}){{8,}}"), _PHONE),
    (
        "a vehicle plate",
        re.compile(r"[0-9A-ZÄÖÜ][0-9A-ZÄÖÜ -]{5,}|[a-z]{2}-[0-9]{3}-[a-z]{2}"),
        _PLATE,
    ),
)

_NAME = re.compile(
    r"""(?:[A-Za-z0-9 _.:-]*[ _.:-])?(?:
      imei(?:sv)? | imsi | iccid | msisdn | bssid | mac (?:[ _-]?addr(?:ess)?)?
    | (?:tele)?phone (?:[ _-]?(?:number|no|nr))? | tel | telefon | gsm | e[ _-]?mail | courriel
    | (?:licen[cs]e|number|registration|vehicle)[ _-]?plate | plate (?:[ _-]?(?:number|no|nr|text))?
    | plaque | immatriculation | immat | kennzeichen | matricula | targa | kenteken | lpn | vrm | vin
      # An electricity meter and its delivery point: one household.
    | prm | pdl | adco | adsc )""",
    re.IGNORECASE | re.VERBOSE,
)
_READABLE = re.compile(r"(\\u[0-9a-fA-F]{4})|(\\.)|[^\W_]", re.DOTALL)
_SHORTEST = 6  # characters: a@b.fr
ROUNDS = 8
"""Looks at one text: what stood beside a match may only after it stand alone."""

SHORTEST_NUMBER = 10
"""Characters of the shortest identifier that also reads as a number (``0612345678``)."""

Span = tuple[int, int]


def kind(text: str) -> str:
    """What kind of identifier stands in ``text``, "" for none.

    >>> kind("seen AB-123-CD"), kind("12.5"), kind("2024-05-01T12:34:56+02:00")
    ('a vehicle plate', '', '')
    """
    if len(text) < _SHORTEST:
        return ""
    return next((name for name, _ in found(text)), "")


@lru_cache(maxsize=4096)  # names repeat in every message
def is_announced_by(name: str) -> bool:
    """Whether what stands under ``name`` is an identifier by that name alone."""
    return _NAME.fullmatch(name) is not None


def names_identifier(field: str) -> bool:
    """Whether a field's name is an identifier, or announces one.

    >>> names_identifier("device.imei"), names_identifier("energy"), names_identifier("microphone")
    (True, False, False)
    """
    return is_announced_by(field) or any(kind(part) for part in (field, *field.split(".")))


def mask(text: str, keep: Collection[str] = ()) -> str:
    """``text`` with the letters and digits of identifiers replaced, byte by byte.

    What occurs inside one of ``keep`` stays: names that are registered are no values.

    >>> mask("a4:c1:38:00:11:22 is away"), mask("sensor 'a4c138001122'", ["a4c138001122"])
    ('**:**:**:**:**:** is away', "sensor 'a4c138001122'")
    """
    if len(text) < _SHORTEST:
        return text
    for _ in range(ROUNDS):
        spans = outside([span for _, span in found(text)], text, keep)
        if not spans:
            break
        text = replaced(text, dict.fromkeys(spans, False))
    return text


def mask_path(path: str, keep: Collection[str] = ()) -> str:
    """A field's name, masked as a whole and part by part: between parts a dot is no decimal point.

    >>> mask_path("seen.+33612345678.count"), mask_path("pm.2.5")
    ('seen.+***********.count', 'pm.2.5')
    """
    masked = mask(path, keep)
    return ".".join(mask(part, keep) for part in masked.split(".")) if "." in masked else masked


def found(text: str) -> Iterator[tuple[str, Span]]:
    """Kind and place of every identifier in ``text``."""
    for name, run, pattern in _KINDS:
        for near in run.finditer(text):
            # Two more characters: what follows decides whether a match ends there.
            for match in pattern.finditer(text, near.start(), near.end() + 2):
                if pattern is not _IMEI or _luhn(match[0]):
                    yield name, match.span()
    if "@" in text or "%40" in text:
        for match in _DOMAIN.finditer(text):
            local = _LOCAL_PART.search(text, max(0, match.start() - 64), match.start())
            if local is not None:
                yield "an e-mail address", (local.start(), match.end())


def _luhn(text: str) -> bool:
    digits = [int(one) for one in text if one.isdigit()]
    doubled = [2 * one - 9 * (one > 4) for one in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def outside(spans: list[Span], text: str, keep: Collection[str]) -> list[Span]:
    """Those that lie in no occurrence of a name to keep."""
    for name in keep:
        if not spans:
            break
        if len(name) < _SHORTEST:
            continue
        starts = [match.start() for match in re.finditer(re.escape(name), text)]
        if starts:
            spans = [one for one in spans if not _within(one, starts, len(name))]
    return spans


def _within(span: Span, starts: list[int], length: int) -> bool:
    at = bisect_right(starts, span[0]) - 1
    return at >= 0 and span[1] <= starts[at] + length


def replaced(text: str, hide: dict[Span, bool]) -> str:
    """``text`` without what stands in the spans; where true, with JSON's ``null`` for it."""
    pieces = []
    at = 0
    for start, end in sorted(hide):
        if end <= at:
            continue
        pieces.append(text[at : max(start, at)])
        part = text[max(start, at) : end]
        null = hide[start, end]
        pieces.append("null".ljust(len(part)) if null else _READABLE.sub(_unreadable, part))
        at = end
    return "".join(pieces) + text[at:]


def _unreadable(match: re.Match[str]) -> str:
    if match[1]:
        return "\\u002a"
    # As many bytes as before: a kept payload that is shorter than it came counts as cut.
    return match[2] or MASK * len(match[0].encode("utf-8", "surrogateescape"))
