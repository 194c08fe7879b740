"""Air quality against the law, and when it is computed."""

from __future__ import annotations

from processors.calculation import Calculation

AIR_LIMITS: tuple[Calculation, ...] = ()
