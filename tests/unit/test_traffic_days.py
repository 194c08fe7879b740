"""Figures of motor traffic from rollups: days of 23 and 25 hours, gaps, hours only, who with whom."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from processors import windows
from processors.mobility.congestion_figures import congested
from processors.mobility.day_figures import peaks, speeds
from processors.mobility.hour_figures import flows, occupancies
from processors.pairing import named, partners
from storage.figures import Figures
from storage.indicators.word import Status
from tests.unit import traffic_oracle as oracle
from tests.unit.traffic_city import Detector, made_by, roster_of

NAN = math.nan


def day(start: str, zone: str = "Europe/Paris") -> Any:
    at = np.datetime64(start, "us")
    return windows.local_days(at, at + np.timedelta64(1, "h"), zone)


def one(made: Figures, name: str) -> dict[str, Any]:
    """The only figure of an indicator."""
    found = made.of(name)
    assert len(found) == 1
    names = ("value", "n", "due", "status", "code", "method", "at", "low", "high", "provisional")
    return {column: getattr(found, column)[0] for column in names}


@pytest.mark.parametrize(
    ("start", "quarters"),
    [("2026-03-28T23:00", 92), ("2026-05-13T22:00", 96), ("2026-10-24T22:00", 100)],
)
def test_a_day_of_23_24_or_25_hours_has_its_last_hour_among_its_peaks(start: str, quarters: int):
    count = [1.0] * (quarters - 4) + [9.0] * 4
    made = made_by(peaks, [Detector("vehicles", count)], start, day(start))

    peak = one(made, "peak_hour_volume")
    last = np.datetime64(start, "us") + (quarters - 4) * np.timedelta64(15, "m")
    assert (peak["value"], peak["at"], peak["n"], peak["due"]) == (36.0, last, quarters, quarters)
    assert peak["status"] == Status.COMPLETE
    assert one(made, "peak_hour_factor")["value"] == 1.0
    assert one(made, "peak_quarter_flow")["value"] == 36.0


@pytest.mark.parametrize(
    ("start", "quarters", "least"),
    [("2026-03-28T23:00", 92, 69), ("2026-05-13T22:00", 96, 72), ("2026-10-24T22:00", 100, 75)],
)
def test_75_percent_of_the_quarter_hours_of_a_day_make_a_peak_and_one_less_does_not(
    start: str, quarters: int, least: int
):
    for n, status in ((least, Status.PARTIAL), (least - 1, Status.INSUFFICIENT)):
        count = [5.0] * n + [NAN] * (quarters - n)
        made = made_by(peaks, [Detector("vehicles", count)], start, day(start))
        peak = one(made, "peak_hour_volume")
        assert (peak["n"], peak["due"], peak["status"]) == (n, quarters, status)
        assert math.isnan(peak["value"]) == (status == Status.INSUFFICIENT)


def test_a_day_of_which_nothing_is_known_has_no_row_and_one_without_traffic_has_0():
    start = "2026-05-13T22:00"
    assert not len(made_by(peaks, [Detector("vehicles", [NAN] * 96)], start, day(start)))

    made = made_by(peaks, [Detector("vehicles", [0.0] * 96)], start, day(start))
    assert one(made, "peak_hour_volume")["value"] == 0.0
    assert not len(made.of("peak_hour_factor"))
    assert not len(made.of("peak_hour_headway"))


def test_a_flow_rate_of_the_same_traffic_has_the_same_peak():
    start = "2026-05-13T22:00"
    count = [float(k % 7 * 10) for k in range(96)]
    counted = made_by(peaks, [Detector("vehicles", count)], start, day(start))
    rated = made_by(peaks, [Detector("flow", [4 * c for c in count])], start, day(start))

    for name in ("peak_hour_volume", "peak_hour_factor", "peak_quarter_flow"):
        for column in ("value", "at", "n", "due", "status"):
            assert one(counted, name)[column] == one(rated, name)[column]


def test_hours_that_nobody_divided_have_a_clock_hour_and_no_factor():
    start = "2026-05-13T22:00"
    count = [100.0] * 24
    count[8] = 400.0
    made = made_by(peaks, [Detector("vehicles", count, step=3600)], start, day(start))

    peak = one(made, "peak_hour_volume")
    at = np.datetime64("2026-05-14T06:00", "us")
    assert (peak["value"], peak["at"], peak["method"]) == (400.0, at, 1)
    assert (peak["n"], peak["due"]) == (96, 96)
    assert not len(made.of("peak_hour_factor"))
    assert not len(made.of("peak_quarter_flow"))


def test_a_peak_that_was_partly_scaled_says_so():
    start = "2026-05-13T22:00"
    usable = [15] * 96
    usable[40] = 12
    busy = [10.0] * 96
    busy[40] = 80.0
    made = made_by(peaks, [Detector("vehicles", busy, step=60, usable=usable)], start, day(start))

    peak = one(made, "peak_hour_volume")
    assert (peak["value"], peak["status"]) == (130.0, Status.PARTIAL)  # 30 and 80 of 12 / 15


def test_headway_and_gap_are_those_of_the_peak_hour():
    start = "2026-05-13T22:00"
    count = [10.0] * 96
    count[30:34] = [450.0] * 4
    fast = [90.0] * 96
    fast[30:34] = [54.0] * 4
    made = made_by(peaks, [Detector("vehicles", count), Detector("speed", fast)], start, day(start))

    assert one(made, "peak_hour_headway")["value"] == 2.0
    assert one(made, "peak_hour_gap")["value"] == pytest.approx(2 - 4.5 / 15)


def test_heavy_vehicles_are_a_share_of_what_was_counted_with_them():
    start = "2026-05-13T22:00"
    heavy = [1.0] * 96
    heavy[50:74] = [NAN] * 24
    both = [Detector("vehicles", [20.0] * 96), Detector("heavy_vehicles", heavy)]
    share = one(made_by(peaks, both, start, day(start)), "heavy_share")
    assert (share["value"], share["n"], share["due"]) == (5.0, 72, 96)

    both[1].value = [NAN] * 25 + [1.0] * 71
    share = one(made_by(peaks, both, start, day(start)), "heavy_share")
    assert (math.isnan(share["value"]), share["status"]) == (True, Status.INSUFFICIENT)


def test_speeds_of_a_day_are_weighted_by_the_counts_of_the_same_detector():
    start = "2026-05-13T22:00"
    detectors = [
        Detector("speed", [60.0] * 48 + [120.0] * 48, sensor="a"),
        Detector("vehicles", [30.0] * 48 + [10.0] * 48, sensor="a"),
        Detector("vehicles", [1.0] * 96, sensor="b"),
    ]
    made = made_by(speeds, detectors, start, day(start))

    assert one(made, "time_mean_speed")["value"] == 75.0
    space = one(made, "space_mean_speed")
    assert space["value"] == pytest.approx(4 / (3 / 60 + 1 / 120))
    assert (space["method"], space["n"], space["due"]) == (0, 96, 96)


def test_a_night_in_which_nobody_came_misses_no_speed():
    start = "2026-05-13T22:00"
    detectors = [
        Detector("speed", [NAN] * 40 + [50.0] * 56),
        Detector("vehicles", [0.0] * 40 + [10.0] * 56),
    ]
    made = one(made_by(speeds, detectors, start, day(start)), "space_mean_speed")
    assert (made["value"], made["n"], made["due"]) == (50.0, 56, 56)

    detectors[1].value = [3.0] * 40 + [10.0] * 56
    made = one(made_by(speeds, detectors, start, day(start)), "space_mean_speed")
    assert (made["status"], made["n"], made["due"]) == (Status.INSUFFICIENT, 56, 96)


def test_without_a_counter_every_quarter_hour_counts_alike():
    start = "2026-05-13T22:00"
    made = made_by(speeds, [Detector("speed", [60.0, 120.0] * 48)], start, day(start))

    space = one(made, "space_mean_speed")
    assert (space["value"], space["method"]) == (pytest.approx(80.0), 2)


def test_the_v85_of_single_vehicles_in_free_flow_is_complete():
    start = "2026-05-13T22:00"
    detectors = [
        Detector("speed", [50.0] * 40 + [70.0] * 8 + [120.0] * 48, step=0, usable=[3] * 96),
        Detector("occupancy", [5.0] * 48 + [40.0] * 48),
    ]
    v85 = one(made_by(speeds, detectors, start, day(start), individual_speeds=["lo*"]), "v85")
    # 120 at 50 and 24 at 70 km/h: rank 121 of 0 … 143; the rest is not free.
    assert v85["low"] <= 70 <= v85["high"]
    assert abs(v85["value"] - 70) <= 0.7
    assert (v85["n"], v85["code"], v85["status"]) == (144, 0, Status.COMPLETE)

    v85 = one(made_by(speeds, detectors[:1], start, day(start)), "v85")
    assert (v85["n"], v85["code"], v85["status"]) == (288, 3, Status.PARTIAL)


def test_29_speeds_are_too_few_for_a_v85():
    start = "2026-05-13T22:00"
    for n, status in ((29, Status.INSUFFICIENT), (30, Status.PARTIAL)):
        value = [50.0] * n + [NAN] * (96 - n)
        v85 = one(made_by(speeds, [Detector("speed", value)], start, day(start)), "v85")
        assert (v85["n"], v85["due"], v85["status"]) == (n, 100, status)
        assert math.isnan(v85["value"]) == math.isnan(v85["low"]) == (n == 29)


def test_hourly_speeds_have_a_v85_and_means_too():
    start = "2026-05-12T22:00"
    days = windows.local_days(
        np.datetime64(start, "us"), np.datetime64("2026-05-15T22:00", "us"), "Europe/Paris"
    )
    value = [50.0] * 72
    made = made_by(speeds, [Detector("speed", value, step=3600)], start, days)
    assert made.of("space_mean_speed").value.tolist() == pytest.approx([50.0] * 3)
    assert made.of("v85").n.tolist() == [24, 24, 24]


def test_an_hour_with_3_of_4_quarters_is_scaled_and_keeps_what_was_counted():
    start, count = "2026-05-14T10:00", [300.0]
    hour = np.array([start, "2026-05-14T11:00"], "datetime64[us]")
    made = made_by(flows, [Detector("vehicles", count, usable=[3])], start, hour, length_s=3600)

    flow = one(made, "flow_rate")
    assert (flow["value"], flow["low"], flow["n"], flow["due"]) == (400.0, 300.0, 3, 4)
    assert flow["status"] == Status.PARTIAL

    made = made_by(flows, [Detector("vehicles", count, usable=[2])], start, hour, length_s=3600)
    assert math.isnan(one(made, "flow_rate")["value"])
    assert one(made, "flow_rate")["status"] == Status.INSUFFICIENT


def test_heavy_vehicles_count_as_many_cars_as_the_city_says():
    start = "2026-05-14T10:00"
    hour = np.array([start, "2026-05-14T11:00"], "datetime64[us]")
    both = [Detector("vehicles", [1000.0]), Detector("heavy_vehicles", [100.0])]

    assert (
        one(made_by(flows, both, start, hour, length_s=3600), "passenger_car_flow")["value"]
        == 1100.0
    )
    assert (
        one(made_by(flows, both, start, hour, length_s=3600, heavy_pcu=3), "passenger_car_flow")[
            "value"
        ]
        == 1200.0
    )


def test_lanes_have_a_state_and_a_density_and_the_road_has_their_mean():
    start = "2026-05-14T10:00"
    hour = np.array([start, "2026-05-14T11:00"], "datetime64[us]")
    lanes = [
        Detector("occupancy", [12.0], sensor="a7-1"),
        Detector("occupancy", [60.0], sensor="a7-2"),
        Detector("occupancy", [NAN], sensor="a7-3"),
    ]
    made = made_by(occupancies, lanes, start, hour, length_s=3600, motorway=["a7-*"])

    assert made.of("traffic_state").code.tolist() == [1, 4]
    assert made.of("traffic_density").value.round(2).tolist() == [18.46, 92.31]
    assert made.of("level_of_service").code.tolist() == [4, 6]
    road = one(made, "road_occupancy")
    assert (road["value"], road["n"], road["due"], road["status"]) == (36.0, 2, 3, Status.PARTIAL)
    assert not len(made_by(occupancies, lanes, start, hour, length_s=3600).of("level_of_service"))


def fortnight(quarters: list[float], days: int = 14) -> list[float]:
    """The same day over and over, from 24 hours before the first night on."""
    return quarters * days


def congestion_of(value: list[float], last: str = "2026-05-14T22:00", **more: Any) -> Figures:
    end = np.datetime64(last, "us")
    start = str(end - np.timedelta64(15, "D"))
    return made_by(
        congested, [Detector("speed", value, **more)], start, day(str(end - 96 * QUARTER))
    )


QUARTER = np.timedelta64(15, "m")


def test_a_road_of_50_km_h_by_night_and_32_from_7_to_9_is_congested_for_2_hours():
    # 00:00 to 06:00 and 22:00 to 24:00 free, the rest at 45 but for the rush.
    whole = [50.0] * 24 + [45.0] * 4 + [32.0] * 8 + [45.0] * 52 + [50.0] * 8
    made = congestion_of(whole * 15)

    free = one(made, "free_flow_speed")
    assert (free["value"], free["n"], free["due"]) == (50.0, 112, 112)
    worst = one(made, "peak_congestion_index")
    assert worst["value"] == pytest.approx(0.5625)
    assert worst["at"] == np.datetime64("2026-05-14T05:00", "us")
    hours = one(made, "congested_hours")
    assert (hours["value"], hours["n"], hours["due"]) == (2.0, 24, 24)
    day_space = 96 / (32 / 50 + 56 / 45 + 8 / 32)
    assert one(made, "congestion_index")["value"] == pytest.approx(50 / day_space - 1)


def test_travel_times_are_congested_as_speeds_are():
    whole = [50.0] * 24 + [45.0] * 4 + [32.0] * 8 + [45.0] * 52 + [50.0] * 8
    end = np.datetime64("2026-05-14T22:00", "us")
    made = made_by(
        congested, [Detector("travel_time", [3600 / v for v in whole * 15])],
        str(end - np.timedelta64(15, "D")), day(str(end - 96 * QUARTER)),
    )  # fmt: skip

    assert one(made, "peak_congestion_index")["value"] == pytest.approx(0.5625)
    assert not len(made.of("free_flow_speed"))


def test_without_a_quarter_of_the_nights_nobody_knows_what_is_free():
    whole = [50.0] * 24 + [32.0] * 64 + [50.0] * 8
    for nights, status in ((3, "insufficient"), (4, "partial"), (11, "complete")):
        made = congestion_of([NAN] * 96 * (15 - nights) + whole * nights)
        free = one(made, "free_flow_speed")
        assert (free["n"], free["due"]) == (8 * nights, 112)
        assert Status(free["status"]).name.lower() == status
        assert math.isnan(one(made, "congested_hours")["value"]) == (nights == 3)


def test_an_hour_in_which_everybody_stood_is_congested_and_has_no_index():
    whole = [50.0] * 40 + [0.0] * 4 + [50.0] * 52
    made = congestion_of(whole * 15)

    assert one(made, "congested_hours")["value"] == 1.0
    assert one(made, "peak_congestion_index")["value"] == 0.0
    assert one(made, "peak_congestion_index")["status"] == Status.PARTIAL


@pytest.mark.parametrize(("end", "hours"), [("2026-03-29T22:00", 23), ("2026-10-25T23:00", 25)])
def test_days_of_23_and_25_hours_are_due_as_many(end: str, hours: int):
    at = np.datetime64(end, "us")
    start = at - np.timedelta64(hours + 14 * 24, "h")
    value = [50.0] * int((at - start) / QUARTER)
    made = made_by(
        congested, [Detector("speed", value)], str(start), day(str(at - np.timedelta64(hours, "h")))
    )
    worst = one(made, "congested_hours")
    assert (worst["value"], worst["n"], worst["due"]) == (0.0, hours, hours)
    # The night of the change has 7 or 9 hours from 22:00 to 06:00.
    assert one(made, "free_flow_speed")["due"] == 14 * 8 + hours - 24


def test_a_day_that_is_not_over_has_no_congestion_yet():
    end = np.datetime64("2026-05-14T22:00", "us")
    made = made_by(
        congested, [Detector("speed", [50.0] * 96 * 15)], str(end - np.timedelta64(15, "D")),
        day(str(end - 96 * QUARTER)), now="2026-05-14T21:59",
    )  # fmt: skip
    assert not len(made)


def pairs(*series: tuple[str, str, int, str]) -> list[int]:
    metric, sensor, site, field = (list(column) for column in zip(*series, strict=True))
    roster = roster_of(metric, sensor, site, field=field)
    return partners(roster, roster.metric == "speed", roster.metric == "vehicles").tolist()


def test_speed_and_count_of_a_sensor_belong_together_and_codes_count_within_a_site():
    assert pairs(
        ("vehicles", "a", 1, "n"), ("vehicles", "a", 2, "n"), ("speed", "a", 2, "v"),
        ("speed", "a", 1, "v"),
    ) == [-1, -1, 1, 0]  # fmt: skip


def test_lanes_are_matched_in_the_order_of_their_fields_where_there_are_as_many():
    two = [("speed", "a", 1, "lane2_v"), ("speed", "a", 1, "lane1_v")]
    counts = [("vehicles", "a", 1, "lane1_n"), ("vehicles", "a", 1, "lane2_n")]

    assert pairs(*two, *counts) == [3, 2, -1, -1]
    assert pairs(*two, counts[0]) == [-1, -1, -1]


def test_one_of_each_at_a_site_belong_together_and_two_do_not():
    one_each = [("speed", "radar", 1, "v"), ("vehicles", "loop", 1, "n")]
    assert pairs(*one_each) == [1, -1]
    assert pairs(*one_each, ("vehicles", "loop-2", 1, "n")) == [-1, -1, -1]
    assert pairs(("speed", "radar", 1, "v"), ("vehicles", "loop", 2, "n")) == [-1, -1]


def test_sensors_are_named_by_code_or_pattern():
    roster = roster_of(["speed"] * 3, ["radar-1", "radar-2", "loop"], [1, 1, 1])

    assert named(roster, ["radar-*"]).tolist() == [True, True, False]
    assert named(roster, ["loop"]).tolist() == [False, False, True]
    assert named(roster, []).tolist() == [False, False, False]


def test_partners_are_those_of_the_slow_reference():
    rng = np.random.default_rng(3)
    for _ in range(60):
        n = int(rng.integers(1, 14))
        series = [
            (str(rng.choice(["speed", "vehicles", "flow"])), str(rng.choice(["a", "b", "c"])),
             int(rng.integers(1, 3)), str(rng.choice(["1", "2", "3"])))
            for _ in range(n)
        ]  # fmt: skip

        assert pairs(*series) == oracle.partners(series, "speed", "vehicles")
