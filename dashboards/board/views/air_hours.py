"""The European index hour by hour, as the strip of the last day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dashboards.board.air_index import EUROPEAN, class_word
from dashboards.board.drawing.strip import strip
from dashboards.board.language import Language
from dashboards.board.sheet import Chart, Table
from dashboards.board.views.air_rows import Air, Hour
from dashboards.board.views.view import Asked

HOUR, DAY = timedelta(hours=1), 24
CLASSES = 6

# How long the figures of an hour may take after its end, before their absence is a gap.
MADE_WITHIN = timedelta(minutes=10)


def hours(known: Air, asked: Asked) -> Iterable[Chart]:
    """The European index of the last 24 hours that are over; none where none was measured."""
    language, zone = asked.language, asked.where.timezone
    worst: dict[datetime, Hour] = {}
    for hour in known.hours:
        if hour.territory in asked.where.codes:
            former = worst.get(hour.start)
            if former is None or hour.value > former.value:
                worst[hour.start] = hour
    end = asked.now.replace(minute=0, second=0, microsecond=0)
    if end - HOUR not in worst and asked.now - end < MADE_WITHIN:
        end -= HOUR
    starts = [end - back * HOUR for back in range(DAY, 0, -1)]
    if not any(start in worst for start in starts):
        return
    shown = {start: worst.get(start) for start in starts}
    classes = [(start, hour.value if hour else None) for start, hour in shown.items()]
    local = ZoneInfo(zone)
    yield Chart(
        key="hours", title=language.say("The last 24 hours"),
        drawing=strip([(start.astimezone(local), grade) for start, grade in classes]),
        said=_told(shown, zone, language),
        table=Table(
            (language.say("hour"), language.say("class")),
            tuple(
                (f"{language.clock(start, zone)}\u2013{language.clock(start + HOUR, zone)}", _class(grade, language))
                for start, grade in classes
            ),
        ),
        notes=(_legend([grade for _, grade in classes], language),),
        data={"indicator": EUROPEAN, "hours": [_data(*pair) for pair in shown.items()]},
    )  # fmt: skip


def _told(shown: Mapping[datetime, Hour | None], zone: str, language: Language) -> str:
    """How many hours each class lasted, and when it was worst."""
    measured = [hour for hour in shown.values() if hour]
    lasted = Counter(hour.value for hour in measured)
    said = ", ".join(
        language.count("{word} for {n} hour", "{word} for {n} hours", n,
                       word=class_word(EUROPEAN, grade, language))
        for grade, n in sorted(lasted.items())
    )  # fmt: skip
    missing = len(shown) - len(measured)
    if missing:
        said += ", " + language.count("{n} hour without measurement",
                                      "{n} hours without measurement", missing)  # fmt: skip
    peak = max(measured, key=lambda hour: (hour.value, hour.start))
    return language.say(
        "The air in the last 24 hours: {hours}. At worst {word}, last at {clock}.", hours=said,
        word=class_word(EUROPEAN, peak.value, language), clock=language.clock(peak.start, zone),
    )  # fmt: skip


def _class(grade: int | None, language: Language) -> str:
    if grade is None:
        return language.say("no measurement")
    return f"{grade} {class_word(EUROPEAN, grade, language)}"


def _legend(grades: Sequence[int | None], language: Language) -> str:
    """The classes that are to be seen, and the scale they stand in."""
    seen = sorted({grade for grade in grades if grade} | {1, CLASSES})
    words = ", ".join(_class(grade, language) for grade in seen)
    legend = language.say("European index, class of each hour: {classes}.", classes=words)
    if None in grades:
        legend += " " + language.say("Dashed: no measurement.")
    return legend


def _data(start: datetime, hour: Hour | None) -> dict[str, object]:
    return {
        "start": start.isoformat(),
        "class": hour.value if hour else None,
        "dominant": list(hour.dominant) if hour else [],
        "site": hour.site_name if hour else None,
        "territory": hour.territory if hour else None,
        "indicative": hour.indicative if hour else None,
    }
