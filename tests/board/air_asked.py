"""The air view as it is asked for, on one afternoon in July unless another moment is told."""

from datetime import UTC, datetime, timedelta

from dashboards.board.language import language
from dashboards.board.sheet import Where
from dashboards.board.views.view import Asked

NOW = datetime(2026, 7, 14, 13, 20, tzinfo=UTC)
PARIS = "Europe/Paris"
HOUR = timedelta(hours=1)


def asked(*codes, code="en", at=NOW, zone=PARIS):
    codes = codes or ("99001",)
    where = Where(codes[0] if len(codes) == 1 else "", "there", zone, frozenset(codes))
    return Asked(where, language(code), at)
