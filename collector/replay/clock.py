"""A recorded wall clock → microseconds since 1970-01-01 UTC; pure.

The collector's decoders take every naive time alone. A recording is whole, so here the
mapping may also say that a local hour which occurs twice is told apart by its order.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(NamedTuple):
    """``second_us`` is the second pass of a local time that occurs twice, else ``time_us``.

    ``skipped``: the local time never occurs (spring); it is read as if the clock had not
    yet been put forward.
    """

    time_us: int
    second_us: int
    skipped: bool


class NoInstant(ValueError):
    """The cell is no time; the message says what would be one."""


class Clock:
    """Reads the cells of one time column; the same text is read once."""

    def __init__(self, form: str, zone: tzinfo | None) -> None:
        self._form = form
        self._zone = zone
        self._known: dict[str, Instant] = {}

    def read(self, text: str) -> Instant:
        """The instant that a cell means.

        Examples
        --------
        >>> from zoneinfo import ZoneInfo
        >>> clock = Clock("%d/%m/%Y %H:%M", ZoneInfo("Europe/Paris"))
        >>> clock.read("27/10/2024 02:30")  # occurs twice, an hour apart
        Instant(time_us=1729989000000000, second_us=1729992600000000, skipped=False)
        """
        if text not in self._known:
            self._known[text] = self._instant(text.strip())
        return self._known[text]

    def _instant(self, text: str) -> Instant:
        try:
            if self._form == "iso":
                moment = datetime.fromisoformat(text)
            else:
                moment = datetime.strptime(text, self._form)
        except ValueError:
            wanted = "ISO 8601" if self._form == "iso" else f"like {self._form!r}"
            raise NoInstant(f"{text!r} is no time {wanted}; correct the format") from None
        if moment.tzinfo is not None:
            return _certain(moment)
        if self._zone is None:
            raise NoInstant(f"{text!r} has no offset; name a zone")
        first, second = (moment.replace(tzinfo=self._zone, fold=fold) for fold in (0, 1))
        ahead, behind = first.utcoffset(), second.utcoffset()
        assert ahead is not None
        assert behind is not None
        if ahead == behind:
            return _certain(first)
        if ahead > behind:
            return Instant(_microseconds(first), _microseconds(second), False)
        # Both passes are guesses about a time that never was; the collector takes this one.
        return Instant(_microseconds(first), _microseconds(first), True)


def _certain(moment: datetime) -> Instant:
    time_us = _microseconds(moment)
    return Instant(time_us, time_us, False)


def _microseconds(moment: datetime) -> int:
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def second_passes(messages: list[tuple[str, Instant]]) -> set[int]:
    """Of a local time that a sensor has twice, the later message is the second pass.

    Later is further down, in a file that runs backwards further up. A local time that a
    sensor has once is the first pass.
    """
    backwards = bool(messages) and messages[0][1].time_us > messages[-1][1].time_us
    late: set[int] = set()
    seen: dict[tuple[str, int], int] = {}
    for number, (sensor, instant) in enumerate(messages):
        if instant.second_us == instant.time_us:
            continue
        earlier = seen.setdefault((sensor, instant.time_us), number)
        if earlier != number:
            late.add(earlier if backwards else number)
    return late
