"""A CSV file of corrected values, checked while it is read."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Iterator
from pathlib import Path

from beffroi.records import instants
from storage.corrections import Listed
from storage.mistakes import Mistake, MistakesError
from storage.review import Measured

_MOST = 50
"""Mistakes told at once; a file of another kind would have one in every line."""


def read(file: Path, series: Measured) -> Listed:
    """Corrections of one series: columns ``time`` and ``value``, others are left aside.

    The lines are read when they are stored. Mistakes end that, all told at once
    (:class:`storage.mistakes.MistakesError`).
    """
    return Listed(str(file), _lines(file, series))


def _lines(file: Path, series: Measured) -> Iterator[tuple[int, datetime.datetime, float]]:
    mistakes: list[Mistake] = []
    line = 1
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.DictReader(text, strict=True)
            for name in ("time", "value"):
                if name not in (reader.fieldnames or ()):
                    what = f"column {name} is missing; the first line must be time,value"
                    mistakes.append(Mistake(str(file), 1, what))
            if mistakes:
                raise MistakesError(mistakes)
            for row in reader:
                line = reader.line_num
                try:
                    found = _line(row, series)
                except ValueError as error:
                    mistakes.append(Mistake(str(file), line, str(error)))
                    if len(mistakes) >= _MOST:
                        break
                else:
                    if not mistakes:
                        yield line, *found
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        what = f"cannot be read as CSV in UTF-8: {error}"
        raise MistakesError([*mistakes, Mistake(str(file), line, what)]) from error
    if mistakes:
        raise MistakesError(mistakes)


def _line(row: dict[str, str | None], series: Measured) -> tuple[datetime.datetime, float]:
    time = instants.read(row["time"] or "", series.timezone).time
    text = row["value"] or ""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"value: {text!r} is no number; write one in {series.unit}") from None
    if not series.low <= value <= series.high:
        raise ValueError(
            f"value: {text} is outside {series.low:g} to {series.high:g} {series.unit}, "
            f"which {series.metric} can be"
        )
    return time.astimezone(datetime.UTC), value
