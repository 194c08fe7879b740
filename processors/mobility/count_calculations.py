"""All that is made of counts over a year, of car parks and of stations, in order."""

from __future__ import annotations

from processors.calculation import Calculation
from processors.mobility.day_calculations import DAY_COUNTS
from processors.mobility.hour_calculations import HOUR_COUNTS
from processors.mobility.place_calculations import PLACES

COUNTS: tuple[Calculation, ...] = (*DAY_COUNTS, *HOUR_COUNTS, *PLACES)
