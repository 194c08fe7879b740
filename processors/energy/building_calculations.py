"""What is made of buildings, and when."""

from __future__ import annotations

from processors.calculation import Calculation

BUILDINGS: tuple[Calculation, ...] = ()
