"""What is made of counts, parking and stations, and when."""

from __future__ import annotations

from processors.calculation import Calculation

COUNTS: tuple[Calculation, ...] = ()
