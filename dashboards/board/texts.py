"""Page contexts -> the very strings a page shows, in one language; pure.

The template prints these strings, and the event stream sends those that changed, so that
the two can never differ.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dashboards.board import words
from dashboards.board.figures import SMALL_COUNT, Amount, is_counted
from dashboards.board.pages import Board, Figure, Period, Place, Point, State
from dashboards.board.sparkline import Spark, spark

HOURS = 24


@dataclass(frozen=True, slots=True)
class FigureText:
    """One figure in words.

    Attributes
    ----------
    key
        Names the figure in the page: domain.metric.
    value, unit
        The large number and its unit, both empty where nothing was measured.
    note
        In place of the number: "no measurement"; or before it: "about".
    beside
        The small number with its name and unit.
    meta
        Age and coverage.
    said
        The state in a word, for those who do not see its mark.
    spark, curve
        The drawing and its text alternative.
    hours
        (hour, value) of the last 24 hours, for the table.
    """

    key: str
    label: str
    period: str
    value: str
    unit: str
    note: str
    beside: str
    state: str
    said: str
    age: str
    coverage: str
    spark: Spark | None
    curve: str
    hours: tuple[str, ...]


def label(figure: Figure, language: str) -> str:
    """The metric's name; "(register)" goes, since the public sees what the register gained."""
    name = figure.labels[language]
    return name.rsplit(" (", 1)[0] if figure.kind == "index" else name


def amount(figure: Figure, given: Amount, language: str) -> str:
    """A published quantity without unit; a dash where there is none."""
    if given.value is None:
        return "\u2013"
    if given.hidden:
        return f"<{words.NO_BREAK}{SMALL_COUNT}"
    return words.measured(given.value, figure.unit, figure.kind, language)


def with_unit(figure: Figure, given: Amount, language: str) -> str:
    """A published quantity and its unit, or a dash."""
    unit = words.unit_sign(figure.unit, figure.kind)
    text = amount(figure, given, language)
    return f"{text}{words.NO_BREAK}{unit}" if unit and given.value is not None else text


def figure_text(figure: Figure, timezone: str, language: str) -> FigureText:
    """Everything one figure says."""
    said = words.WORDS[language]
    drawn = spark([p.amount.value for p in figure.points], from_zero=is_counted(figure.kind))
    absent = figure.amount.value is None
    unit = words.unit_sign(figure.unit, figure.kind)
    note = said["none"] if absent else ""
    if not absent and figure.amount.about and not figure.amount.hidden:
        note = said["about"].format("").strip()
    beside = "last_hour" if is_counted(figure.kind) else "mean_today"
    return FigureText(
        key=f"{figure.domain}.{figure.metric}",
        label=label(figure, language),
        period=said[figure.period],
        value="" if absent else amount(figure, figure.amount, language),
        unit="" if absent else unit,
        note=note,
        beside="" if figure.beside.value is None
        else f"{said[beside]} {with_unit(figure, figure.beside, language)}",
        state=figure.state,
        said=_state(figure, timezone, language),
        age="" if figure.age_s is None else words.age(figure.age_s, said),
        coverage=_coverage(figure, language),
        spark=drawn,
        curve=_curve(figure, drawn, language),
        hours=tuple(with_unit(figure, _hour(figure, back), language)
                    for back in range(HOURS, 0, -1)),
    )  # fmt: skip


def _state(figure: Figure, timezone: str, language: str) -> str:
    said = words.WORDS[language][figure.state]
    if figure.state is State.STALE and figure.at is not None:
        return said.format(words.moment(figure.at, timezone, language))
    return said


def _coverage(figure: Figure, language: str) -> str:
    said = words.WORDS[language]
    if figure.period is Period.NOW:
        # French agrees with the number heard (0 and 1 are singular), the others with all.
        one = figure.received < 2 if language == "fr" else figure.expected == 1
        form = said["sensor" if one else "sensors"]
        return form.format(figure.received, figure.expected)
    if figure.coverage is None:
        return ""
    return said["share"].format(words.share(figure.coverage, language))


def _curve(figure: Figure, drawn: Spark | None, language: str) -> str:
    said = words.WORDS[language]
    name = label(figure, language)
    if drawn is None:
        return said["curve_empty"].format(name)
    known = {p.amount.value: p.amount for p in figure.points}
    low, high = (with_unit(figure, known[v], language) for v in (drawn.low, drawn.high))
    missing = drawn.gaps * figure.width
    if not missing:
        return said["curve"].format(name, low, high)
    return said["curve_gaps"].format(name, low, high, _span(missing))


def _span(span: timedelta) -> str:
    hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
    return f"{hours}\u00a0h" if not minutes else f"{hours}\u00a0h\u00a0{minutes:02d}"


def _hour(figure: Figure, back: int) -> Amount:
    """The curve's value `back` hours before its end: counts add up, samples average."""
    per_hour = max(timedelta(hours=1) // figure.width, 1)
    first = len(figure.points) - back * per_hour
    cells = figure.points[first : first + per_hour] if first >= 0 else ()
    values = [p.amount.value for p in cells if p.amount.value is not None]
    if not values:
        return Amount(None)
    total = sum(values)
    about = any(point.amount.about for point in cells)
    return Amount(total if is_counted(figure.kind) else total / len(values), about)


def hour_names(points: tuple[Point, ...], width: timedelta, timezone: str) -> tuple[str, ...]:
    """Beginnings of the 24 hours of a curve, by the local clock."""
    if not points:
        return ()
    end = points[-1].start + width
    return tuple(words.clock(end - timedelta(hours=back), timezone) for back in range(HOURS, 0, -1))


def hands(now: datetime, timezone: str) -> tuple[float, float]:
    """Angles of the hour and minute hands, clockwise from twelve. [deg]

    >>> from datetime import UTC
    >>> hands(datetime(2026, 1, 1, 14, 30, tzinfo=UTC), "Europe/Paris")
    (105.0, 180.0)
    """
    local = now.astimezone(ZoneInfo(timezone))
    return (local.hour % 12 + local.minute / 60) * 30.0, local.minute * 6.0


def live(
    board: Board, place: Place, texts: Mapping[str, FigureText], language: str, away: str
) -> dict[str, str]:
    """What the event stream may change in an open page, by the element's key."""
    hour, minute = hands(board.now, place.timezone)
    found = {
        "clock": words.clock(board.now, place.timezone),
        "date": words.date(board.now, place.timezone, language),
        "hour.turn": f"rotate({hour:g})",
        "minute.turn": f"rotate({minute:g})",
        "away": away,
    }
    for key, text in texts.items():
        for part in ("value", "unit", "note", "beside", "state", "said", "age", "coverage"):
            found[f"{key}.{part}"] = str(getattr(text, part))
    found["page"] = _fingerprint(board, texts)
    return found


def _fingerprint(board: Board, texts: Mapping[str, FigureText]) -> str:
    """Changes when an open page must be fetched anew: a curve moved, a figure or place came."""
    shape = "|".join(
        [place.code for place in board.places]
        + [f"{key}{text.label}{text.spark and text.spark.path}" for key, text in texts.items()]
    )
    return f"{zlib.crc32(shape.encode()):08x}"
