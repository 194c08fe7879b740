"""The three lengths of window that rollups are kept for."""

from __future__ import annotations

from enum import Enum


class Level(Enum):
    """The windows rollups are kept for; the value names the table."""

    QUARTER_HOUR = "rollup_15min"
    HOUR = "rollup_1h"
    DAY = "rollup_1d"
