"""What ``resultQuality`` of an Observation says, as a flag; README.md holds the table.

The standard leaves the form open (DQ_Element of ISO 19157, without a JSON form), so cities
write QARTOD numbers, words, or objects with either under a name that tells.
"""

from __future__ import annotations

from typing import Any

from storage.reading import Flag

WORDS: dict[str, Flag] = {
    **dict.fromkeys(
        ("good", "ok", "pass", "passed", "valid", "validated", "verified", "correct", "approved",
         "accepted", "reliable"),
        Flag.GOOD,
    ),
    **dict.fromkeys(
        ("suspect", "suspicious", "questionable", "doubtful", "uncertain", "unreliable", "warning",
         "probablybad"),
        Flag.SUSPECT,
    ),
    **dict.fromkeys(
        ("fail", "failed", "bad", "invalid", "error", "erroneous", "rejected", "wrong"), Flag.FAIL
    ),
    **dict.fromkeys(("missing", "nodata", "novalue", "missingvalue", "missingdata"), Flag.MISSING),
}  # fmt: skip
"""Words of any case, without blanks, hyphens and underscores; all others: not evaluated."""

# Numbers are QARTOD flags alone or under these names only; a "status" of 9 is any vendor's.
_OF_NUMBERS = frozenset({"flag", "qcflag", "qartod", "qartodflag", "qualityflag", "primaryflag"})
_OF_WORDS = _OF_NUMBERS | {
    "quality", "qc", "code", "qualitycode", "status", "dqstatus", "conformance", "result",
    "dqresult", "dqelement", "dqconformanceresult", "conformanceresult", "value",
}  # fmt: skip
_NUMBERS = {float(flag): flag for flag in Flag}
_WORST_LAST = (Flag.MISSING, Flag.NOT_EVALUATED, Flag.GOOD, Flag.SUSPECT, Flag.FAIL)
_RANK = {flag: rank for rank, flag in enumerate(_WORST_LAST)}
_LOOKS = 64
_LONGEST = 64


def flag_of(quality: Any) -> Flag:
    """The worst that is said, as QARTOD rolls flags up; not evaluated where nothing is known.

    >>> flag_of(3), flag_of("Good"), flag_of({"DQ_ConformanceResult": {"pass": False}})
    (<Flag.SUSPECT: 3>, <Flag.GOOD: 1>, <Flag.FAIL: 4>)
    """
    if quality is None:
        return Flag.NOT_EVALUATED
    found = []
    waiting: list[tuple[Any, bool]] = [(quality, True)]
    for _ in range(_LOOKS):
        if not waiting:
            break
        said, numbers = waiting.pop()
        kind = type(said)
        if kind is dict:
            waiting += [
                (value, name in _OF_NUMBERS)
                for key, value in _first(said.items())
                if (name := _plain(key)) in _OF_WORDS or type(value) in (dict, list)
            ]
            verdict = said.get("pass")
            if type(verdict) is bool:
                found.append(Flag.GOOD if verdict else Flag.FAIL)
        elif kind is list:
            waiting += [(value, numbers) for value in _first(said)]
        else:
            flag = _one(said, numbers)
            if flag is not None:
                found.append(flag)
    return max(found, key=_RANK.__getitem__, default=Flag.NOT_EVALUATED)


def _first(members: Any) -> list[Any]:
    return [member for member, _ in zip(members, range(_LOOKS), strict=False)]


def _one(said: Any, numbers: bool) -> Flag | None:
    kind = type(said)
    if kind is int or kind is float:
        return _NUMBERS.get(said) if numbers else None
    if kind is not str or len(said) > _LONGEST:
        return None
    # The last part of an address of a vocabulary is its word.
    word = _plain(said.rstrip("/").rpartition("/")[2].rpartition("#")[2])
    if word.isascii() and word.isdigit():
        return _NUMBERS.get(float(word)) if numbers else None
    return WORDS.get(word)


def _plain(name: str) -> str:
    return name[:_LONGEST].casefold().replace("_", "").replace("-", "").replace(" ", "")
