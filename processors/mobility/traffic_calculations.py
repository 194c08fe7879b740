"""What is made of traffic's rollups, and when."""

from __future__ import annotations

from processors.calculation import Calculation

TRAFFIC: tuple[Calculation, ...] = ()
