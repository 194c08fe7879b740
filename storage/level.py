"""The three lengths of window that rollups are kept for."""

from __future__ import annotations

from enum import Enum


class Level(Enum):
    """The windows rollups are kept for; the value names the table."""

    QUARTER_HOUR = "rollup_15min"
    HOUR = "rollup_1h"
    DAY = "rollup_1d"

    @staticmethod
    def entered_by(step_s: int) -> Level:
        """Where a series has its first rows: the smallest window at least as long as its step.

        Examples
        --------
        >>> Level.entered_by(0).name, Level.entered_by(901).name, Level.entered_by(86400).name
        ('QUARTER_HOUR', 'HOUR', 'DAY')
        """
        if step_s <= 900:
            return Level.QUARTER_HOUR
        return Level.HOUR if step_s <= 3600 else Level.DAY
