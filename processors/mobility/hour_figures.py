"""What an hour of traffic is worth: flow, state, density, level of service."""

from __future__ import annotations

import numpy as np

from processors.calculation import Given
from processors.mobility import flow, occupancy
from processors.mobility.quarters import by_window, of_partner
from processors.pairing import named, partners
from storage.figures import Figures, figures, join
from storage.indicators.word import Status

HOUR_S = 3600.0


def flows(given: Given) -> Figures:
    """Flow rate of every series that counts vehicles, in passenger car units too."""
    roster, said = given.frame.roster, by_window(given, HOUR_S)
    counts = (roster.metric == "vehicles") | (roster.metric == "flow")
    rate = flow.flow_rate(said.count, HOUR_S)
    scaled = said.estimated
    observed = np.where(scaled, flow.flow_rate(said.observed, HOUR_S), np.nan)
    status = np.where(scaled, Status.PARTIAL, Status.COMPLETE)
    known = said.usable > 0
    made = figures(
        "flow_rate", roster.series[counts], given.periods, rate[counts], now=given.now,
        n=said.usable[counts], due=said.expected[counts], status=status[counts],
        low=observed[counts], keep=known[counts],
    )  # fmt: skip
    partner = partners(roster, roster.metric == "vehicles", roster.metric == "heavy_vehicles")
    both = partner >= 0
    every, heavy = said.count[both], said.count[partner[both]]
    light = np.maximum(every - heavy, 0.0)
    units = flow.passenger_cars(
        np.stack((light, heavy)), (flow.CAR, given.facts.mobility.heavy_pcu)
    )
    seen = np.minimum(said.usable[both], said.usable[partner[both]])
    return join(
        [
            made,
            figures(
                "passenger_car_flow", roster.series[both], given.periods,
                flow.flow_rate(units, HOUR_S), now=given.now, n=seen, due=said.expected[both],
                status=np.maximum(status[both], status[partner[both]]), keep=seen > 0,
            ),
        ]
    )  # fmt: skip


def occupancies(given: Given) -> Figures:
    """State and density of every lane, its level of service, and the occupancy of the road."""
    roster, facts = given.frame.roster, given.facts.mobility
    said = by_window(given, HOUR_S)
    lanes = roster.metric == "occupancy"
    mean, known = said.mean[lanes], said.usable[lanes] > 0
    n, due, series = said.usable[lanes], said.expected[lanes], roster.series[lanes]
    state = occupancy.state(mean, facts.state_bounds)
    density = occupancy.density(mean, facts.vehicle_length_m, facts.loop_length_m)
    motorway = named(roster, facts.motorway)[lanes]
    every, heavy = (
        of_partner(said.count, partners(roster, lanes, roster.metric == metric))[lanes]
        for metric in ("vehicles", "heavy_vehicles")
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(every > 0, np.minimum(heavy / every, 1.0), 0.0)
    # Nobody counts lorries: then every vehicle is a car.
    cars = density * (1 + np.where(np.isnan(share), 0.0, share) * (facts.heavy_pcu - 1))
    level = occupancy.level_of_service(cars, facts.los_bounds)
    sites, site = np.unique(roster.site_id[lanes], return_inverse=True)
    road, measured = occupancy.mean_of_lanes(mean, site, len(sites))
    there = given.service.of(given.frame.roster.series).registered(
        given.frame.edges[:-1], given.frame.edges[1:]
    )[lanes]
    due_lanes = np.zeros(road.shape, np.int64)
    np.add.at(due_lanes, site, there)
    heard = np.zeros(road.shape, np.bool_)
    np.logical_or.at(heard, site, known)
    return join(
        [
            figures(
                "traffic_state", series, given.periods, np.where(state > 0, state, np.nan),
                now=given.now, n=n, due=due, code=state, keep=known,
            ),
            figures(
                "traffic_density", series, given.periods, density,
                now=given.now, n=n, due=due, keep=known,
            ),
            figures(
                "level_of_service", series, given.periods, np.where(level > 0, level, np.nan),
                now=given.now, n=n, due=due, code=level, keep=known & motorway[:, None],
            ),
            figures(
                "road_occupancy", sites, given.periods, road, now=given.now, n=measured,
                due=due_lanes, keep=heard,
                status=np.where(measured < due_lanes, Status.PARTIAL, Status.COMPLETE),
            ),
        ]
    )  # fmt: skip
