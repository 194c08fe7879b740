"""What the trade makes of its rollups, and when."""

from __future__ import annotations

from processors.calculation import Calculation

WATCH: tuple[Calculation, ...] = ()
