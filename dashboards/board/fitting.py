"""How much room text takes on a panel, estimated: screens cannot ask a browser before they print.

Widths are those of a wide typeface, so that a narrower one leaves room and none overflows. Unit
is the em: the font size, which on screens is the rem.
"""

from __future__ import annotations

import re
from functools import lru_cache

LINE = 1.2

# How much longer the same is in bold, and with serifs.
BOLD = 1.12
SERIF = 1.05

# Advance widths of DejaVu Sans where a capital H is 0.7 em high; of all others, 0.61 and 0.74.
_WIDTHS = {
    sign: advance
    for signs, advance in (
        ("ijlI|'", 0.29), (" .,:;!’‘·/\u00a0\u202f", 0.32), ("frt()[]-°²³₁₂₃", 0.39),
        ("aàâäeéèêëoôö", 0.6), ("csz–", 0.52), ("vxyk", 0.57), ("+−×<>=&", 0.8), ("●○◐", 0.84),
        ("w", 0.79),
        ("mMW%@…—½→←", 0.95),
    )
    for sign in signs
}  # fmt: skip


@lru_cache(maxsize=4096)
def width(text: str) -> float:
    """How long a line is. [em]

    >>> width("Il") < width("no") < width("MW")
    True
    """
    return sum(map(_advance, text))


def _advance(sign: str) -> float:
    return _WIDTHS.get(sign) or (0.74 if sign.isupper() else 0.61)


@lru_cache(maxsize=4096)
def wrapped(text: str, room: float, size: float = 1.0) -> tuple[str, ...]:
    """The lines that a text breaks into; a word longer than a line is broken too. [em]

    >>> wrapped("une phrase courte", 7)
    ('une phrase', 'courte')
    """
    found: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if width(longer) * size <= room:
            line = longer
            continue
        if line:
            found.append(line)
        while width(word) * size > room and len(word) > 1:
            cut = len(word) - 1
            while cut > 1 and width(word[:cut]) * size > room:
                cut -= 1
            found.append(word[:cut])
            word = word[cut:]
        line = word
    return (*found, line) if line else tuple(found)


def height(text: str, room: float, size: float = 1.0) -> float:
    """How high a text stands in a column; nothing takes no room. [em]

    >>> height("", 7), round(height("une phrase courte", 7), 1)
    (0.0, 2.4)
    """
    return len(wrapped(text, room, size)) * LINE * max(size, 1.0) if text else 0.0


def pieces(text: str, room: float, most: int) -> tuple[str, ...]:
    """A text in pieces of so many lines at most, cut between sentences where that goes.

    >>> pieces("Un. Deux trois quatre.", 7, 1)
    ('Un.', 'Deux trois', 'quatre.')
    >>> pieces("Un. Deux trois.", 9, 1)
    ('Un. Deux trois.',)
    """
    found: list[str] = []
    for sentence in re.split(r"(?<=[.!?…]) ", text) if text else []:
        longer = f"{found[-1]} {sentence}" if found else sentence
        if found and len(wrapped(longer, room)) <= most:
            found[-1] = longer
            continue
        lines = wrapped(sentence, room)
        found += [" ".join(lines[n : n + most]) for n in range(0, len(lines), most)]
    return tuple(found)
