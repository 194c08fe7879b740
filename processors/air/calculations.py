"""What the air trade makes of its rollups, in the order it is computed."""

from __future__ import annotations

from processors.air.index_calculations import AIR_INDICES
from processors.air.mean_calculations import AIR_MEANS
from processors.air.threshold_calculations import AIR_THRESHOLDS
from processors.calculation import Calculation

AIR: tuple[Calculation, ...] = (*AIR_MEANS, *AIR_INDICES, *AIR_THRESHOLDS)
