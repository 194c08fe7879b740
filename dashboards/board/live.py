"""What the event stream may change in an open page, and when the page must be fetched anew."""

from __future__ import annotations

import zlib
from datetime import datetime
from zoneinfo import ZoneInfo

from dashboards.board.language import Language
from dashboards.board.sheet import Sheet, Where

PARTS = ("value", "unit", "note", "beside", "said", "age", "coverage", "period")


def hands(now: datetime, timezone: str) -> tuple[float, float]:
    """Angles of the hour and minute hands, clockwise from twelve. [deg]

    >>> from datetime import UTC
    >>> hands(datetime(2026, 1, 1, 14, 30, tzinfo=UTC), "Europe/Paris")
    (105.0, 180.0)
    """
    local = now.astimezone(ZoneInfo(timezone))
    return (local.hour % 12 + local.minute / 60) * 30.0, local.minute * 6.0


def live(sheet: Sheet, where: Where, now: datetime, language: Language, away: str
         ) -> dict[str, str]:  # fmt: skip
    """Texts by the key of the element that shows them.

    The template prints these strings and the stream sends those that changed, so that the two
    can never differ.
    """
    hour, minute = hands(now, where.timezone)
    found = {
        "clock": language.clock(now, where.timezone),
        "date": language.date(now, where.timezone),
        "at": language.moment(now, where.timezone),
        "hour.turn": f"rotate({hour:g})",
        "minute.turn": f"rotate({minute:g})",
        "away": away,
        f"{sheet.view}.lead": sheet.lead,
        "page": _fingerprint(sheet),
    }
    for fact in sheet.facts:
        for part in PARTS:
            found[f"{sheet.view}.{fact.key}.{part}"] = str(getattr(fact, part))
        found[f"{sheet.view}.{fact.key}.state"] = fact.state
    for sentence in sheet.sentences:
        found[f"{sheet.view}.{sentence.key}"] = sentence.text
    return found


def _fingerprint(sheet: Sheet) -> str:
    """Changes with whatever texts alone cannot bring up to date: drawings, tables, the choice of
    figures, the class of an index."""
    shape: list[object] = [sheet.empty]
    for fact in sheet.facts:
        shape += [fact.key, fact.label, fact.grade, fact.indicative, fact.spark and fact.spark.path]
    shape += [(each.key, each.mark, each.link) for each in sheet.sentences]
    for chart in sheet.charts:
        shape += [chart.drawing, chart.near, chart.table, chart.notes]
    return f"{zlib.crc32(repr(shape).encode()):08x}"
