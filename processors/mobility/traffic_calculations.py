"""What is made of traffic's rollups, and when."""

from __future__ import annotations

from processors.calculation import Calculation, Together
from processors.mobility.congestion_figures import AFTER, BEFORE, congested
from processors.mobility.day_figures import peaks, speeds
from processors.mobility.hour_figures import flows, occupancies
from storage.indicators.word import Period
from storage.level import Level

TRAFFIC: tuple[Calculation, ...] = (
    Calculation(
        name="flow rates",
        makes=("flow_rate", "passenger_car_flow"),
        metrics=("vehicles", "heavy_vehicles", "flow"),
        level=Level.HOUR,
        follows=Level.HOUR,
        period=Period.HOUR,
        compute=flows,
        together=Together.SITE,
    ),
    Calculation(
        name="occupancy of roads",
        makes=("road_occupancy", "traffic_state", "traffic_density", "level_of_service"),
        metrics=("occupancy", "vehicles", "heavy_vehicles"),
        level=Level.HOUR,
        follows=Level.HOUR,
        period=Period.HOUR,
        compute=occupancies,
        together=Together.SITE,
        service=True,
    ),
    Calculation(
        name="peak hours",
        makes=(
            "peak_hour_volume", "peak_hour_factor", "peak_quarter_flow", "peak_hour_headway",
            "peak_hour_gap", "heavy_share",
        ),
        metrics=("vehicles", "heavy_vehicles", "flow", "speed"),
        level=Level.QUARTER_HOUR,
        follows=Level.HOUR,
        period=Period.DAY,
        compute=peaks,
        together=Together.SITE,
        coarse=True,
    ),
    Calculation(
        name="speeds",
        makes=("time_mean_speed", "space_mean_speed", "v85"),
        metrics=("speed", "vehicles", "flow", "occupancy"),
        level=Level.QUARTER_HOUR,
        follows=Level.DAY,
        period=Period.DAY,
        compute=speeds,
        together=Together.SITE,
        parts=("sum", "good", "suspect", "expected", "sketch"),
        coarse=True,
    ),
    Calculation(
        name="congestion",
        makes=(
            "free_flow_speed", "congestion_index", "peak_congestion_index", "congested_hours",
        ),
        metrics=("speed", "travel_time", "vehicles", "flow"),
        level=Level.QUARTER_HOUR,
        follows=Level.DAY,
        period=Period.DAY,
        compute=congested,
        together=Together.SITE,
        before=BEFORE,
        after=AFTER,
        coarse=True,
    ),
)  # fmt: skip
