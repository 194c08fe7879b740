"""A panel on a wall, in rem: how much goes across and down it, and what its frame takes of that.

A panel in a hall cannot be enlarged, so that every text on it is as high as EN 301 549 5.1.4 asks
for at the declared distance: that leaves about 23 rem by 13 of a common panel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dashboards.board.fitting import BOLD, LINE, width, wrapped
from dashboards.board.language import Language
from storage.screens import Screen, capital_mm, width_mm

# screen.css sets the typeface so that capitals are this much of the font size; a hundredth more
# than asked for, since browsers round.
CAPITAL = 0.7
MARGIN = 1.01

# More rem across than this is empty paper: panels that are read from near get larger text.
WIDEST, WIDEST_UPRIGHT = 23.2, 14.5

# The same lengths as in screen.css: edge of the panel, gap between parts, width of the column at
# the right and of the gap beside it, QR code and belfry in a foot. [rem]
EDGE, GAP, SIDE, SIDE_GAP, QR, BELFRY = 0.4, 0.3, 3.0, 0.35, 2.6, 1.8

# Columns narrower than this show a figure below its name.
NARROW = 15.0

# A code in the foot would leave less than that. [rem]
LOWEST = 5.5


@dataclass(frozen=True, slots=True)
class Room:
    """How many rem go across and down a panel, and what its frame takes.

    `foot`: height of the line at the bottom; `side`: width of the column at the right, which
    stands in its stead where a panel is wide enough. `place`: the name of the place; `named`,
    `coded`: whether a foot holds it, and the page's QR code; `rem_mm`: how long a rem is on the
    panel.
    """

    across: float
    down: float
    foot: float = 0.0
    side: float = 0.0
    place: str = ""
    named: bool = True
    coded: bool = True
    rem_mm: float = 0.0

    @property
    def column(self) -> float:
        """Width for text. [rem]"""
        return self.across - 2 * EDGE - self.side

    @property
    def content(self) -> float:
        """Height for what is said. [rem]"""
        return self.down - 2 * EDGE - self.foot

    @property
    def narrow(self) -> bool:
        """Whether a figure stands below its name, not beside it."""
        return self.column < NARROW

    @property
    def qr(self) -> float:
        """Size of the QR code in the frame. [rem]"""
        return SIDE if self.side else QR

    @property
    def root(self) -> str:
        """The font size of the root: a rem, whatever the window is."""
        return f"min({100 / self.across:.4f}vw,{100 / self.down:.4f}vh)"


def room(screen: Screen) -> Room:
    """What there is on a panel; text is at least as high as asked for.

    >>> hall = room(Screen.model_validate({"id": "hall", "views": ("air",)}))
    >>> round(hall.across, 1), round(hall.down, 1)
    (23.0, 13.0)
    """
    across_px, down_px = screen.pixels
    wide_mm = width_mm(screen.diagonal_in, screen.pixels)
    rem_mm = max(
        capital_mm(screen.distance_m) * MARGIN / CAPITAL,
        wide_mm / (WIDEST if across_px > down_px else WIDEST_UPRIGHT),
    )
    across = wide_mm / rem_mm
    return Room(across, across * down_px / across_px, rem_mm=rem_mm)


def footed(bare: Room, place: str) -> Room:
    """The same with its frame: QR code, belfry, clock; a banner takes their stead.

    Wide panels have it at the right, others below, without the code on a panel that has no more
    than a few lines.
    """
    bare = replace(bare, place=place)
    side = SIDE + SIDE_GAP
    if bare.across > bare.down and bare.column - side >= NARROW:
        return replace(bare, side=side)
    column = bare.column - width("88/88") - GAP
    if bare.down - 2 * EDGE - QR - GAP < LOWEST:
        named = len(wrapped(f"{place} · 00:00", column)) == 1
        return replace(bare, foot=LINE + GAP, named=named, coded=False)
    column -= QR + GAP + (0.0 if bare.narrow else BELFRY + GAP)
    return replace(bare, foot=QR + GAP, named=len(wrapped(f"{place} · 00:00", column)) <= 2)


def banner(language: Language, room: Room, moment: str) -> str:
    """Of when the data are, where there are none of now: in a line."""
    long = language.say("Last data: {moment}", moment="28. Sept. 23:59")
    # The column at the right is empty then.
    if len(wrapped(long, (room.column + room.side) / BOLD)) == 1:
        return language.say("Last data: {moment}", moment=moment)
    return language.say("Data: {moment}", moment=moment)
