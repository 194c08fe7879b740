"""The board's figures as JSON, under the same rules as the page; pure."""

from __future__ import annotations

from typing import Any

from dashboards.board.feed import Look
from dashboards.board.figures import SMALL_COUNT, Amount
from dashboards.board.pages import Figure, Place


def as_json(look: Look) -> dict[str, Any]:
    """What /board.json answers; times are UTC, units UCUM, a missing value is null."""
    return {
        "now": look.board.now.isoformat(),
        "read_at": look.read_at.isoformat(),
        "database": "away" if look.away else "ok",
        "places": [_place(place) for place in look.board.places],
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "territory": place.code or None,
        "name": place.name,
        "timezone": place.timezone,
        "figures": [
            _figure(figure, headline=figure in section.headline)
            for section in place.sections
            for figure in (*section.headline, *section.others)
        ],
    }


def _figure(figure: Figure, *, headline: bool) -> dict[str, Any]:
    return {
        "domain": figure.domain,
        "metric": figure.metric,
        "labels": figure.labels,
        "unit": figure.unit,
        "headline": headline,
        "period": figure.period,
        **_amount(figure.amount),
        "beside": _amount(figure.beside),
        "state": figure.state,
        "at": figure.at.isoformat() if figure.at else None,
        "received": figure.received,
        "expected": figure.expected,
        "step_s": int(figure.width.total_seconds()),
        "last_24_h": [
            {"start": point.start.isoformat(), **_amount(point.amount)} for point in figure.points
        ],
    }


def _amount(given: Amount) -> dict[str, Any]:
    """`value` null and `below` set: counted, but too few to say how many."""
    if given.hidden:
        return {"value": None, "below": SMALL_COUNT}
    if given.about:
        return {"value": given.value, "about": True}
    return {"value": given.value}
