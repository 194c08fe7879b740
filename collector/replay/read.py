"""A recorded file → columns: what was measured, when, by whom, in which message.

The rows stay as the file has them: order, repeats and odd values are the recording's, and
finding out about them is the pipeline's business.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from collector.replay.clock import Clock, Instant, NoInstant, second_passes
from collector.replay.mapping import Mapping, Sensor, Told, Value, zone_of
from collector.replay.rows import Row, rows
from storage.catalogue import Metric
from storage.city import City
from storage.mistakes import Mistake, MistakesError
from storage.reading import FloatArray, IntArray
from storage.sensor_list import PlacedSeries, Series
from storage.units import UnitError, conversion

_MISTAKES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Recording:
    """One file as it will be published; a row per value that is not missing, in file order.

    Attributes
    ----------
    series : tuple of Series, length s
        As in ``sensors.csv``; also those of columns without any value.
    of : int32, shape (n,)
        Index into ``series``.
    time_us : int64, shape (n,)
        Time as recorded, before any stamp rule. [µs since 1970-01-01 UTC]
    value : float64, shape (n,)
        As recorded, in the unit recorded.
    message : int64, shape (n,)
        Which message the value travels in; nondecreasing, from 0.
    missing : int64, shape (s,)
        How many cells say that nothing was measured.
    rows : int
        Rows of the file, without the header.
    ambiguous, skipped, short : int
        Rows whose local time occurs twice, rows whose local time never occurs, and rows
        that end early.
    """

    series: tuple[Series, ...]
    of: IntArray
    time_us: NDArray[np.int64]
    value: FloatArray
    message: NDArray[np.int64]
    missing: NDArray[np.int64]
    rows: int
    ambiguous: int
    skipped: int
    short: int

    def __len__(self) -> int:
        return len(self.value)


def read(mapping: Mapping, file: Path) -> Recording:
    """Read a whole file.

    Raises
    ------
    MistakesError
        Listing what the mapping does not cover, with line and remedy.
    """
    reading = _Reading(mapping, file)
    for row in rows(mapping, file):
        reading.take(row)
    return reading.recording()


def city_of(mapping: Mapping, recording: Recording) -> City:
    """Territories, sites and series of a recording, for the registry.

    It has no bindings: those of the city stay, and the topics of a replay are always bound.
    """
    by_name = {metric.name: metric for metric in mapping.metrics()}
    placed = []
    for line in recording.series:
        metric = by_name[line.metric]
        affine = conversion(line.unit or "", metric.unit, metric.name)
        placed.append(PlacedSeries(line, metric, *affine))
    first = mapping.territory[0]
    return City(
        first.name, str(first.timezone), mapping.territory, (), mapping.metrics(), tuple(placed)
    )  # fmt: skip


# From cells to columns ----------------------------------------------------------


@dataclass(slots=True)
class _Reading:
    """One file on its way: growing columns, and what does not fit."""

    mapping: Mapping
    file: Path
    mistakes: list[Mistake] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    rows: int = 0
    ambiguous: int = 0
    skipped: int = 0
    short: int = 0
    _of: list[int] = field(default_factory=list)
    _value: list[float] = field(default_factory=list)
    _message: list[int] = field(default_factory=list)
    _messages: list[tuple[str, Instant]] = field(default_factory=list)
    _known: dict[tuple[str, ...], int | None] = field(default_factory=dict)
    _by_name: dict[str, Metric] = field(init=False)
    _sensors: dict[str, Sensor] = field(init=False)
    _clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        time = self.mapping.time
        self._by_name = {metric.name: metric for metric in self.mapping.metrics()}
        self._sensors = {sensor.code: sensor for sensor in self.mapping.sensor}
        self._clock = Clock(time.format, zone_of(time.zone) if time.zone else None)

    def wrong(self, line: int, what: str) -> None:
        """Note a mistake; many of the same kind say no more than a few."""
        self.mistakes.append(Mistake(str(self.file), line, what))
        if len(self.mistakes) >= _MISTAKES_SHOWN:
            raise MistakesError(self.mistakes)

    def take(self, row: Row) -> None:
        """Take in one row: one message per sensor that has a value in it."""
        line, cells = row.line, row.cells
        self._count_cells(row)
        self.rows += 1
        try:
            instant = self._clock.read(cells[self.mapping.time.column] or "")
        except NoInstant as error:
            return self.wrong(line, f"{error} in {self.mapping.path}")
        self.ambiguous += instant.second_us != instant.time_us
        self.skipped += instant.skipped
        found: dict[str, list[tuple[int, float]]] = {}
        for value in self.mapping.value:
            at = self._series(line, value, cells)
            number = None if at is None else self._number(line, value.column, cells[value.column])
            if at is None:
                continue
            if number is None:
                self.missing[at] += 1
            else:
                found.setdefault(self.series[at].sensor, []).append((at, number))
        for sensor, readings in found.items():
            for at, number in readings:
                self._of.append(at)
                self._value.append(number)
                self._message.append(len(self._messages))
            self._messages.append((sensor, instant))

    def _count_cells(self, row: Row) -> None:
        path = self.mapping.path
        if row.present < row.wanted:
            self.short += 1
            if self.mapping.file.short_rows == "refuse":
                self.wrong(
                    row.line,
                    f"ends after {row.present} of {row.wanted} cells; complete it, or write "
                    f"short_rows = 'keep' in {path} to take the rest as empty",
                )
        elif row.present > row.wanted:
            self.wrong(
                row.line,
                f"has {row.present} cells under {row.wanted} columns; quote cells that hold the "
                f"separator, or correct it in {path}",
            )

    def _number(self, line: int, column: str, cell: str | None) -> float | None:
        text = "" if cell is None else cell.strip()
        if cell is None or text in self.mapping.file.missing:
            return None
        if self.mapping.file.decimal == ",":
            text = text.replace(",", ".")
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        # float() also takes "1_000", "nan" and "inf".
        if "_" in text or not np.isfinite(number):
            self.wrong(
                line,
                f"{column!r} holds {cell!r}, which is no number; where that means nothing was "
                f"measured, add it to missing in {self.mapping.path}",
            )
            return None
        return number

    def _series(self, line: int, value: Value, cells: dict[str, str | None]) -> int | None:
        """Position of the series a cell belongs to; None where it cannot be told."""

        def word(told: Told | None) -> str:
            return told.word(cells.get(told.column) or "") if told else ""

        words = (value.column, word(value.sensor), word(value.metric), word(value.unit))
        if words not in self._known:
            self._known[words] = self._new_series(line, value, words, word)
        return self._known[words]

    def _new_series(self, line: int, value: Value, words: tuple[str, ...], word: Any) -> int | None:
        _, code, metric, unit = words
        mapping, place = self.mapping, self.mapping.place
        own = self._sensors.get(code) or Sensor.model_construct(code=code)
        metric = own.metric or metric
        if metric not in self._by_name:
            self.wrong(line, f"metric {metric!r} is unknown; add it to the words in {mapping.path}")
            return None
        canonical = self._by_name[metric].unit
        try:
            conversion(unit or canonical, canonical, metric)
            series = Series(
                territory=own.territory or word(place.territory) or mapping.territory[0].code,
                site=own.site or word(place.site) or code,
                site_name=own.site_name or word(place.site_name),
                longitude=own.longitude if own.longitude is not None else word(place.longitude),
                latitude=own.latitude if own.latitude is not None else word(place.latitude),
                sensor=code,
                metric=metric,
                field=value.field or metric,
                unit=unit or canonical,
                step_s=mapping.time.step_s if value.step_s is None else value.step_s,
                stamp=value.stamp or mapping.time.stamp,
            )
        except UnitError as error:
            self.wrong(line, f"unit: {error}; add it to the words in {mapping.path}")
            return None
        except ValidationError as error:
            for problem in error.errors():
                name = ".".join(map(str, problem["loc"]))
                self.wrong(line, f"{name} {problem['input']!r}: {problem['msg']}")
            return None
        if series.territory not in {territory.code for territory in mapping.territory}:
            self.wrong(line, f"territory {series.territory!r} is unknown; add a [[territory]]")
            return None
        return self._join(line, series)

    def _join(self, line: int, series: Series) -> int | None:
        for at, other in enumerate(self.series):
            if (other.sensor, other.field) == (series.sensor, series.field):
                if other == series:
                    return at
                self.wrong(
                    line,
                    f"field {series.field!r} of sensor {series.sensor!r} is told in two ways "
                    "(metric, unit or place differ); correct the words, or name different fields",
                )
                return None
        self.series.append(series)
        self.missing.append(0)
        return len(self.series) - 1

    def recording(self) -> Recording:
        """Everything taken in, or what is wrong with it."""
        if self.mistakes:
            raise MistakesError(self.mistakes)
        rule = self.mapping.time.ambiguous
        late = second_passes(self._messages) if rule == "order" else set()
        time_us = [
            one.second_us if rule == "second" or number in late else one.time_us
            for number, (_, one) in enumerate(self._messages)
        ]
        message = np.array(self._message, np.int64)
        return Recording(
            series=tuple(self.series),
            of=np.array(self._of, np.int32),
            time_us=np.array(time_us, np.int64)[message],
            value=np.array(self._value, np.float64),
            message=message,
            missing=np.array(self.missing, np.int64),
            rows=self.rows,
            ambiguous=self.ambiguous,
            skipped=self.skipped,
            short=self.short,
        )
