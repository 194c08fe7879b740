"""What the make-believe city measures: believable by day, night and season, and in its faults."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from collector.simulation import faults, noise, weather
from collector.simulation.devices import KINDS, Kind, World
from collector.simulation.meters import ORIGIN_S
from storage.catalogue import BY_NAME
from storage.units import conversion

WEDNESDAY = 1_714_521_600.0  # 2024-05-01T00:00:00Z
HOUR = 3_600.0


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_values_stay_in_the_range_of_their_metric_all_year(kind: Kind) -> None:
    world = World(1)
    who = np.arange(60, dtype=np.int32)
    size = np.linspace(0.55, 1.45, 60)
    for day in range(0, 366, 9):
        t = WEDNESDAY + (day + np.linspace(0.0, 1.0, 60)) * weather.DAY_S
        for channel, value in zip(kind.channels, kind.measure(world, who, size, t), strict=True):
            metric = BY_NAME[channel.metric]
            scale, shift = conversion(channel.unit, metric.unit)
            if channel.register_max is not None:
                value = value % channel.register_max
            highest = value + channel.spike * (1.0 + faults.DRIFT_TO)
            assert (value * scale + shift >= metric.low).all(), channel
            assert (highest * scale + shift <= metric.high).all(), channel


def measured(name: str, t: list[float], channel: int = 0) -> list[float]:
    kind = next(kind for kind in KINDS if kind.name == name)
    number = len(t)
    values = kind.measure(World(1), np.zeros(number, np.int32), np.ones(number), np.array(t))
    return [float(one) for one in values[channel]]


def day(at: float, name: str, channel: int = 0) -> float:
    """Mean of the days of one week at that hour of the day."""
    times = [
        WEDNESDAY + n * weather.DAY_S + at * HOUR + m * 60.0 for n in range(7) for m in range(60)
    ]
    return float(np.mean(measured(name, times, channel)))


def test_the_city_sleeps_at_night_and_hurries_in_the_morning() -> None:
    assert day(6, "count") > 4 * day(1, "count")
    assert day(6, "bike") > 10 * day(1, "bike")
    assert day(6, "noise") > 6 + day(1, "noise")
    assert day(10, "elec", 1) > 2 * day(1, "elec", 1)
    assert day(10, "park") < 0.7 * day(1, "park")


def test_traffic_slows_down_when_it_is_dense() -> None:
    assert day(6, "loop", 2) < 0.9 * day(1, "loop", 2)
    assert day(6, "trip") > 1.4 * day(1, "trip")


def test_the_sun_makes_ozone_and_power_and_puts_out_the_lamps() -> None:
    assert day(14, "air", 1) > 1.3 * day(4, "air", 1)
    assert day(11, "solar", 1) < -5
    assert day(23, "solar", 1) == 0
    assert (day(23, "lamp", 1), day(11, "lamp", 1)) == (1, 0)


def test_winter_is_cold_and_heated() -> None:
    january = [WEDNESDAY - 110 * weather.DAY_S + n * HOUR for n in range(24 * 14)]
    july = [WEDNESDAY + 70 * weather.DAY_S + n * HOUR for n in range(24 * 14)]

    assert np.mean(measured("mast", january)) < 46 < 59 < np.mean(measured("mast", july))
    assert np.mean(measured("heat", january, 1)) > 8 * np.mean(measured("heat", july, 1))
    assert np.mean(measured("bike", july)) > 1.2 * np.mean(measured("bike", january))


def test_a_register_is_the_integral_of_its_power() -> None:
    t = [WEDNESDAY + n * 20.0 for n in range(4_321)]  # a day
    energy, power = measured("elec", t, 0), measured("elec", t, 1)

    assert energy == sorted(energy)
    assert energy[-1] - energy[0] == pytest.approx(np.mean(power) * 24.0, rel=0.003)


def test_lasting_faults_touch_their_share_of_devices() -> None:
    who = np.arange(20_000, dtype=np.int32)
    t = np.full(20_000, WEDNESDAY)
    counted: Counter[str] = Counter()

    silent = faults.silent(1, who, t).mean()
    faults.seen_at(1, who, t, counted)

    assert silent == pytest.approx(0.05 * 50 / 360, rel=0.2)
    assert counted["stuck"] / 20_000 == pytest.approx(0.03 * 13 / 24, rel=0.2)


def test_a_stuck_device_shows_one_moment_for_thirteen_hours() -> None:
    t = WEDNESDAY + np.arange(0, 2 * 86_400, 600.0)
    who = next(n for n in range(200) if noise.uniform(1, n, 220)[0] < faults.STUCK_SHARE)

    seen = faults.seen_at(1, np.full(len(t), who), t, Counter())

    shown = Counter(seen.tolist())
    assert 2 <= sum(times > 1 for times in shown.values()) <= 3
    assert max(shown.values()) == pytest.approx(13 * 6, abs=1)


def test_chance_is_even_and_repeatable() -> None:
    numbers = np.arange(20_000)

    assert noise.uniform(1, numbers).mean() == pytest.approx(0.5, abs=0.01)
    assert noise.normal(1, numbers).std() == pytest.approx(1.0, abs=0.03)
    for mean in (0.3, 4.0, 11.9, 40.0):
        events = noise.counts(np.full(20_000, mean), 1, numbers)
        assert events.mean() == pytest.approx(mean, rel=0.03)
        assert events.var() == pytest.approx(mean, rel=0.06)
    assert noise.mix(1, 2).tolist() == noise.mix([1, 5], 2).tolist()[:1]


def test_clocks_of_the_city_follow_summer_time() -> None:
    changes = [1_711_846_799.0, 1_711_846_800.0, 1_729_990_799.0, 1_729_990_800.0]

    assert (weather.local_seconds(np.array(changes)) - changes).tolist() == [3600, 7200, 7200, 3600]


def test_the_sun_stands_highest_in_june_and_lowest_in_december() -> None:
    june, december = 1_718_969_400.0, 1_734_780_600.0  # solstices, sun's noon at 7.9° east

    height = np.degrees(np.arcsin(weather.sine_of_sun(np.array([june, december]))))

    assert height.tolist() == pytest.approx([90 - 48.6 + 23.44, 90 - 48.6 - 23.44], abs=0.3)


def test_the_city_begins_in_2020() -> None:
    with pytest.raises(ValueError, match="begins on 2020-01-01"):
        measured("elec", [ORIGIN_S - 1])
