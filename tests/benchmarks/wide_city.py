"""A city of two territories and a thousand series, and a year of what is made of their readings.

Nothing is computed here: windows, figures and books are written by SQL as they would look, so
that pages can be asked what a grown city would ask of them. Run with
``python -m tests.benchmarks.wide_city`` to fill the database that the PG* variables name.
"""

from __future__ import annotations

import csv
import io
import time
from typing import NamedTuple

import psycopg

from storage.city import City, parse
from storage.migrate import migrate
from storage.registry import register
from tests.benchmarks.wide_figures import fill_figures
from tests.benchmarks.wide_windows import fill_books, fill_readings, fill_windows


class Group(NamedTuple):
    """Sensors of one kind: how many, and what each sends how often (field = metric)."""

    name: str
    sensors: int
    step_s: int
    channels: tuple[tuple[str, str], ...]


_GASES = ("no2", "no", "nox", "o3", "so2", "co")
_WEATHER = (
    "temperature", "humidity", "pressure", "wind_speed", "wind_direction", "rain", "dew_point",
    "visibility",
)  # fmt: skip


def _alike(*metrics: str) -> tuple[tuple[str, str], ...]:
    return tuple((metric, metric) for metric in metrics)


def _both_ways(*metrics: str) -> tuple[tuple[str, str], ...]:
    return tuple((f"{metric}_{way}", metric) for metric in metrics for way in ("in", "out"))


GROUPS = (
    Group("air", 12, 900, _alike(*_GASES, "pm10", "pm25")),
    Group("box", 45, 300, _alike("pm10", "pm25", "temperature", "humidity")),
    Group("mast", 8, 600, _alike(*_WEATHER)),
    Group("noise", 10, 60, _alike("noise_level")),
    Group("road", 20, 900, _both_ways("vehicles", "heavy_vehicles", "speed")),
    Group("count", 20, 900, _both_ways("vehicles")),
    Group("loop", 20, 300, _alike("flow", "occupancy")),
    Group("bike", 30, 900, _both_ways("bikes")),
    Group("walk", 15, 900, _both_ways("pedestrians")),
    Group("link", 10, 300, _alike("travel_time")),
    Group("park", 10, 300, _alike("parking_free")),
    Group("velo", 25, 300, _alike("bikes_available")),
    Group("gate", 5, 0, _alike("road_open")),
    Group("elec", 60, 600, _alike("energy_import", "power")),
    Group("grid", 15, 600, _alike("apparent_power", "voltage", "current")),
    Group("solar", 8, 900, _alike("energy_export")),
    Group("gas", 25, 3600, _alike("gas_import")),
    Group("heat", 10, 3600, _alike("heat_import")),
    Group("water", 45, 3600, _alike("water_import")),
    Group("used", 15, 1800, _alike("energy_used")),
    Group("lamp", 25, 900, _alike("energy_import")),
    Group("lit", 17, 0, _alike("lighting_on")),
)
SITES = {"99001": 40, "08999001": 20}
"""Every third sensor stands in the second territory."""
PLACES = (
    "Hôtel de Ville", "Gare", "École Jeanne-Barret", "Pont des Tanneurs", "Médiathèque",
    "Piscine des Bains", "Rue O'Brien", "Quai aux Bois", "Gymnase", "Parc du Beffroi",
)  # fmt: skip

TOML = """
[city]
name = "Communauté de Valbrume"
timezone = "Europe/Paris"

[[territory]]
code = "99001"
name = "Valbrume"

[[territory]]
code = "08999001"
name = "Neuhausen am Strom"
code_system = "AGS"
timezone = "Europe/Berlin"

[[binding]]
topic = "{territory}/{site}/{sensor}"

[air]
reference = ["air-*"]
"""


def wide_city(most: int = 1000) -> City:
    """The two files of the city, read; with at most so many sensors of each kind.

    >>> len(wide_city().series), len(wide_city(most=2).series)
    (1000, 102)
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow((
        "territory", "site", "site_name", "longitude", "latitude", "sensor", "metric", "field",
        "unit", "step_s",
    ))  # fmt: skip
    number = 0
    for group in GROUPS:
        for position in range(min(group.sensors, most)):
            number += 1
            town = "08999001" if number % 3 == 0 else "99001"
            place = number * 7 % SITES[town]
            name = f"{PLACES[place % len(PLACES)]} {place // len(PLACES) + 1}"
            east, north = (7.842, 48.612) if town != "99001" else (7.742, 48.631)
            for field, metric in group.channels:
                writer.writerow((
                    town, f"s{place + 1:02d}", name, round(east + place % 8 * 0.004, 5),
                    round(north + place // 8 * 0.003, 5), f"{group.name}-{position + 1:02d}",
                    metric, field, "", group.step_s,
                ))  # fmt: skip
    return parse(TOML, table.getvalue())


def build(connection: psycopg.Connection, most: int = 1000, days: int = 366) -> None:
    """Migrate an empty database, register the city, and fill the days up to now."""
    connection.autocommit = True
    migrate(connection)
    register(connection, wide_city(most))
    fill_windows(connection, days)
    fill_readings(connection)
    fill_figures(connection, days)
    fill_books(connection, days)
    connection.execute("VACUUM ANALYZE")


def main() -> None:
    """Fill the database of the environment, and say how long it took."""
    began = time.monotonic()
    with psycopg.connect(autocommit=True) as connection:
        build(connection)
    print(f"filled in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
