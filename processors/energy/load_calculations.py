"""What is made of meters' rollups, and when."""

from __future__ import annotations

from processors.calculation import Calculation
from processors.energy.consumption_calculations import CONSUMPTION
from processors.energy.demand_calculations import DEMAND
from processors.energy.lighting_calculations import LIGHTING
from processors.energy.period_calculations import MONTHS, YEARS
from processors.energy.quiet_calculations import QUIET
from processors.energy.tariff_calculations import TARIFFS

LOAD: tuple[Calculation, ...] = (
    *CONSUMPTION, *DEMAND, *QUIET, *MONTHS, *YEARS, *TARIFFS, *LIGHTING,
)  # fmt: skip
"""Months read the days' peaks, years the months' figures: what is read comes first."""
