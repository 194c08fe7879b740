"""A city as the collector would know it, without registering it: for looking at messages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from storage.bindings import REPLAY
from storage.catalogue import DOMAINS
from storage.city import City
from storage.codec import Codec
from storage.routes import BindingRow, Routes
from storage.sensor_list import PlacedSeries


def routes_of(city: City) -> Routes:
    """What the registry would hold had nothing but this city ever been registered.

    Ids are made up. What a registry knows beyond the files, such as former units, former
    sites and retired sensors, is not there.
    """
    codecs = {one.name: one.codec for one in city.profiles if one.codec is not None}
    bindings = tuple(
        BindingRow(
            row.topic, row.format, row.timezone, row.time_field, frozenset(row.ignore),
            codecs.get(row.profile),
        )
        for row in city.bindings
    )  # fmt: skip
    of_sensors = {
        placed.line.sensor: codecs[placed.line.profile]
        for placed in city.series
        if placed.line.profile in codecs
    }
    return _routes((REPLAY, *bindings), city.series, of_sensors)


def routes_without_sensors(bindings: Sequence[BindingRow]) -> Routes:
    """Bindings alone: messages can be read, and belong to nobody."""
    return _routes(tuple(bindings), (), {})


def _routes(
    bindings: tuple[BindingRow, ...], series: Sequence[PlacedSeries], codecs: dict[str, Codec]
) -> Routes:
    sensors: dict[str, tuple[int, dict[str, int]]] = {}
    for position, placed in enumerate(series):
        _, fields = sensors.setdefault(placed.line.sensor, (len(sensors) + 1, {}))
        fields[placed.line.field] = position
    late_s = [one.line.step_s if one.line.stamp == "end" else 0 for one in series]
    return Routes(
        revision=0,
        bindings=bindings,
        sensors=sensors,
        series=np.arange(1, len(series) + 1, dtype=np.int32),
        domain=np.array([DOMAINS.index(one.metric.domain) for one in series], np.int8),
        scale=np.array([one.scale for one in series], np.float64),
        shift=np.array([one.shift for one in series], np.float64),
        low=np.array([one.metric.low for one in series], np.float64),
        high=np.array([one.metric.high for one in series], np.float64),
        back_us=np.array(late_s, np.int64) * 1_000_000,
        metric=tuple(one.metric.name for one in series),
        unit=tuple(one.line.unit or one.metric.unit for one in series),
        canonical=tuple(one.metric.unit for one in series),
        codecs=codecs,
    )
