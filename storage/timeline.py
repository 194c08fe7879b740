"""The history of one field of a sensor: which series it was when, and how it was converted. Pure.

A *stretch* is one series with the time it is valid in. What a series is by itself (its metric,
site, step and register) never changes: another one begins. How it is converted may change, from
a time on.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

BEGINNING = datetime.datetime.min.replace(tzinfo=datetime.UTC)
"""Since ever."""

FOREVER = datetime.datetime.max.replace(tzinfo=datetime.UTC)
"""Until further notice."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a series is; ``register_max`` is in the metric's unit."""

    metric: str
    site_id: int
    step_s: int
    register_max: float | None


@dataclass(frozen=True, slots=True)
class Conversion:
    """How what is sent becomes what is kept."""

    unit: str
    scale: float
    shift: float
    stamp: str

    def same_values(self, other: Conversion) -> bool:
        """Whether both make the same of every message."""
        mine, others = (self.scale, self.shift, self.stamp), (other.scale, other.shift, other.stamp)
        return mine == others


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a field is to be from a time on."""

    identity: Identity
    conversion: Conversion

    def settled(self, there: Wanted | None) -> Wanted:
        """The same, and exactly what is there where only the last digits differ.

        A later version of a library may work a factor out with another rounding.
        """
        if there is None:
            return self
        mine, old = self.conversion, there.conversion
        if (mine.unit, mine.stamp) == (old.unit, old.stamp) and _near(
            (mine.scale, mine.shift), (old.scale, old.shift)
        ):
            mine = old
        identity, known = self.identity, there.identity.register_max
        top = identity.register_max
        if top is not None and known is not None and _near((top,), (known,)):
            identity = replace(identity, register_max=known)
        return Wanted(identity, mine)


def _near(mine: tuple[float, ...], others: tuple[float, ...]) -> bool:
    return all(
        math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-12)
        for one, other in zip(mine, others, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Stretch:
    """One series, valid in ``[start, stop)``.

    ``series_id`` is ``None`` where it is yet to be made. ``conversions`` are in order of time,
    the first since :data:`BEGINNING`. ``held`` says whether readings of it are stored.
    """

    series_id: int | None
    identity: Identity
    start: datetime.datetime
    stop: datetime.datetime
    conversions: tuple[tuple[datetime.datetime, Conversion], ...]
    held: bool = True

    @property
    def empty(self) -> bool:
        """It was taken back: no time belongs to it."""
        return self.start >= self.stop

    @property
    def open(self) -> bool:
        """Nobody has ended it."""
        return self.stop == FOREVER

    @property
    def wanted(self) -> Wanted:
        """What it is at its end."""
        return Wanted(self.identity, self.conversions[-1][1])


@dataclass(frozen=True, slots=True)
class Differing:
    """Readings of ``[start, stop)`` that are stored as ``before`` made them."""

    series_id: int
    start: datetime.datetime
    stop: datetime.datetime
    before: Conversion


def now_wanted(stretches: Sequence[Stretch]) -> Wanted | None:
    """What the field is at last; ``None`` where it is retired, or nothing yet."""
    return next((one.wanted for one in stretches if one.open and not one.empty), None)


def changed(
    stretches: Sequence[Stretch], wanted: Wanted | None, at: datetime.datetime
) -> list[Stretch]:
    """The history when from ``at`` on the field is ``wanted``, or retired; earlier stays as it was.

    The last word counts: what was to begin at ``at`` or later is taken back. The stretch that
    reaches up to ``at`` goes on where it is what is wanted; one that was taken back serves
    again where it is that, or never held a reading.
    """
    cut = [
        one if one.empty or one.stop <= at
        else replace(one, start=at, stop=at) if one.start >= at
        else replace(one, stop=at, conversions=_before(one, at))
        for one in stretches
    ]  # fmt: skip
    if wanted is None:
        return cut
    place = _place_to_go_on(cut, wanted, at)
    if place is None:
        return [*cut, Stretch(None, wanted.identity, at, FOREVER, _since_ever(wanted), held=False)]
    chosen = cut[place]
    if chosen.empty:
        start, conversions = at, _since_ever(wanted)
    else:
        start, conversions = chosen.start, _converted(chosen, wanted.conversion, at)
    cut[place] = replace(
        chosen, identity=wanted.identity, start=start, stop=FOREVER, conversions=conversions
    )
    return cut


def _place_to_go_on(cut: Sequence[Stretch], wanted: Wanted, at: datetime.datetime) -> int | None:
    same = [place for place, one in enumerate(cut) if one.identity == wanted.identity]
    goes_on = [place for place in same if not cut[place].empty and cut[place].stop == at]
    taken_back = [place for place in same if cut[place].empty]
    unused = [place for place, one in enumerate(cut) if one.empty and not one.held]
    return next(iter([*goes_on, *taken_back, *unused]), None)


def _since_ever(wanted: Wanted) -> tuple[tuple[datetime.datetime, Conversion], ...]:
    return ((BEGINNING, wanted.conversion),)


def _converted(
    stretch: Stretch, conversion: Conversion, at: datetime.datetime
) -> tuple[tuple[datetime.datetime, Conversion], ...]:
    kept = _before(stretch, at)
    return kept if kept[-1][1] == conversion else (*kept, (at, conversion))


def _before(
    stretch: Stretch, at: datetime.datetime
) -> tuple[tuple[datetime.datetime, Conversion], ...]:
    return tuple(one for one in stretch.conversions if one[0] < at)


def differing(
    stretches: Sequence[Stretch], conversion: Conversion, at: datetime.datetime
) -> Iterator[Differing]:
    """Where readings since ``at`` may be stored that ``conversion`` would make others of."""
    for one in stretches:
        if one.series_id is None or not one.held:
            continue
        ends = [since for since, _ in one.conversions[1:]] + [FOREVER]
        for (since, before), end in zip(one.conversions, ends, strict=True):
            if end > at and not before.same_values(conversion):
                yield Differing(one.series_id, max(since, at), end, before)


def difference(before: Wanted | None, after: Wanted | None) -> list[str]:
    """What changed, in words, but for the site."""
    if before is None or after is None:
        return []
    old, new = before.conversion, after.conversion
    told = [f"unit {old.unit} → {new.unit}"] if old.unit != new.unit else []
    if old.unit == new.unit and (old.scale, old.shift) != (new.scale, new.shift):
        told.append(f"scale {old.scale:g} → {new.scale:g}")
    if old.stamp != new.stamp:
        told.append(f"stamp {old.stamp} → {new.stamp}")
    for name in ("metric", "step_s", "register_max"):
        one, other = getattr(before.identity, name), getattr(after.identity, name)
        if one != other:
            told.append(f"{name} {'-' if one is None else one} → {'-' if other is None else other}")
    return told
