"""What is made of meters' rollups, and when."""

from __future__ import annotations

from processors.calculation import Calculation

LOAD: tuple[Calculation, ...] = ()
