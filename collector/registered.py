"""One version of the registry as decoding uses it: routes, names, units, versions. Pure."""

from __future__ import annotations

import datetime
import functools

import numpy as np
from numpy.typing import NDArray

from collector.formats.births import Births, PastBirths
from collector.refusing import Declared
from collector.topics import Route, Topics
from storage.reading import FloatArray
from storage.routes import Routes
from storage.units import UnitError, conversion

TIME_LIMIT_US = 1 << 61
"""Beyond it the arithmetic on int64 microseconds could overflow."""

_REMEMBERED = 10_000


class Registered:
    """One version of the registry, and what was worked out from it."""

    def __init__(
        self, routes: Routes, *, payload_bytes: int, oldest: datetime.datetime, ahead_s: int,
        births: Births | None = None,
    ) -> None:  # fmt: skip
        self.routes = routes
        self.births: Births = PastBirths(()) if births is None else births
        self.topics = Topics(routes, self.births)
        self.declared = Declared(routes, self.topics)
        self.field_names = _field_names(routes)
        self.several = _several(routes)
        self._payload_bytes = payload_bytes
        self._oldest_us = round(oldest.timestamp() * 1e6)
        self._ahead_us = ahead_s * 1_000_000
        self._conversions: dict[tuple[int, str], tuple[float, float] | None] = {}

    def route(self, topic: str) -> Route | None:
        """See :meth:`collector.topics.Topics.route`."""
        return self.topics.route(topic)

    def converted(self, position: int, unit: str) -> tuple[float, float] | None:
        """Scale and shift for a unit that the message itself declares; None: does not fit.

        What the list of sensors multiplies the number by comes on top: see :attr:`factors`.
        """
        key = (position, unit)
        if key not in self._conversions:
            if len(self._conversions) >= _REMEMBERED:
                self._conversions.clear()  # senders choose these words
            routes = self.routes
            found: tuple[float, float] | None
            try:
                found = conversion(unit, routes.canonical[position], routes.metric[position])
            except UnitError:
                found = None
            self._conversions[key] = found
        return self._conversions[key]

    @functools.cached_property
    def factors(self) -> FloatArray:
        """What the list of sensors multiplies a number by before its unit counts, by position."""
        routes = self.routes
        factors = np.ones(len(routes.series))
        bases: dict[tuple[str, str, str], float] = {}
        for position, key in enumerate(
            zip(routes.unit, routes.canonical, routes.metric, strict=True)
        ):
            if key not in bases:
                try:
                    bases[key] = conversion(*key)[0]
                except UnitError:  # an earlier version took this unit
                    bases[key] = float(routes.scale[position])
            # To fifteen digits, so that one is one.
            factors[position] = float(f"{routes.scale[position] / bases[key]:.15g}")
        return factors

    def version(self, position: int, time_us: int) -> int:
        """The position of the same field at a time; where it has none then, the one given."""
        assert self.routes.timelines is not None
        time_us = max(-TIME_LIMIT_US, min(time_us, TIME_LIMIT_US))
        found = self.routes.timelines.one_at(position, time_us)
        return found if found >= 0 else position

    def limits(self) -> tuple[int, int, int]:
        """Payload bytes, oldest time [µs], how far clocks may be ahead [µs]."""
        return self._payload_bytes, self._oldest_us, self._ahead_us


def _field_names(routes: Routes) -> NDArray[np.object_]:
    """What the senders call the series, by position."""
    names = np.full(len(routes.series), "", object)
    for _, fields in routes.sensors.values():
        for field, position in fields.items():
            names[position] = field
    if routes.timelines is not None:
        for line in routes.timelines.position:
            # The newest is among them, and has its name already.
            at = line[line >= 0]
            names[at] = max(names[at])
    return names


def _several(routes: Routes) -> frozenset[int]:
    """Positions whose field has had others."""
    if routes.timelines is None:
        return frozenset()
    return frozenset(np.flatnonzero(routes.timelines.row >= 0).tolist())
