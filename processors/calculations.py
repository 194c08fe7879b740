"""Every calculation of every trade, in the order they run: what is read comes first."""

from __future__ import annotations

from processors.air.calculations import AIR
from processors.air.limit_calculations import AIR_LIMITS
from processors.air.particle_calculations import PARTICLES
from processors.air.wind_calculations import WIND
from processors.calculation import Calculation
from processors.energy.building_calculations import BUILDINGS
from processors.energy.load_calculations import LOAD
from processors.mobility.count_calculations import COUNTS
from processors.mobility.traffic_calculations import TRAFFIC
from processors.watch.calculations import WATCH

CALCULATIONS: tuple[Calculation, ...] = (
    *PARTICLES, *AIR, *AIR_LIMITS, *WIND, *TRAFFIC, *COUNTS, *LOAD, *BUILDINGS, *WATCH,
)  # fmt: skip
