"""What is known of one view at one place, in one language, at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dashboards.board.feed import Look
from dashboards.board.language import Language
from dashboards.board.sheet import Sheet, Where
from dashboards.board.views.view import View


@dataclass(frozen=True, slots=True)
class Known:
    """One view of one place in one language: what pages print and streams send."""

    view: View
    where: Where
    language: Language
    sheet: Sheet
    live: dict[str, str]
    look: Look
    now: datetime
