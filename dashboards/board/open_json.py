"""A sheet as JSON, under the same rules as the page; pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dashboards.board.sheet import Fact, Sheet, Where


def as_json(sheet: Sheet, where: Where, now: datetime, read_at: datetime, *, away: bool,
            language: str) -> dict[str, Any]:  # fmt: skip
    """What ``/<view>.json`` answers; times are UTC, units UCUM, a missing value is null."""
    return {
        "view": sheet.view,
        "title": sheet.title,
        "territory": where.code or None,
        "name": where.name,
        "timezone": where.timezone,
        "language": language,
        "now": now.isoformat(),
        "read_at": read_at.isoformat(),
        "database": "away" if away else "ok",
        "lead": sheet.lead or None,
        "nothing": sheet.empty or None,
        "figures": [_fact(fact) for fact in sheet.facts],
        "sentences": [sentence.text for sentence in sheet.sentences],
        "charts": [
            {"key": chart.key, "title": chart.title, "said": chart.said, "notes": chart.notes,
             **chart.data}
            for chart in sheet.charts
        ],
    }  # fmt: skip


def _fact(fact: Fact) -> dict[str, Any]:
    known = fact.quantity
    said: dict[str, Any] = {
        "key": fact.key,
        "label": fact.label,
        "period": fact.period or None,
        "value": known.value,
        "unit": known.unit,
        "state": fact.state,
        "at": known.at.isoformat() if known.at else None,
        # Of what sends only when something happens, how often it sent is how much happened.
        "received": known.received if known.expected else None,
        "expected": known.expected or None,
        "indicative": bool(fact.indicative),
        "text": " ".join(part for part in (fact.note, fact.value, fact.unit) if part),
        "method": f"/method/{fact.method}" if fact.method else None,
    }
    # Value null and `below` set: counted, but too few to say how many.
    if known.below is not None:
        said["below"] = known.below
    if known.about:
        said["about"] = True
    if fact.grade:
        said["class"] = fact.grade
    if fact.course:
        said["last_24_h"] = [
            {"start": start.isoformat(), **amount.published} for start, amount in fact.course
        ]
    return said
