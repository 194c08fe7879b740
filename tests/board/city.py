"""A small city, filled so that every view of the board has something to say, as of any moment.

Nothing in it is random: the same moment gives the same city. What the pipeline would have made of
readings (windows, figures, evaluations) is written here, for a year takes too long to live.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import psycopg

from dashboards.board.statements import statements
from storage.city import parse
from storage.registry import register


class State(StrEnum):
    """What may have become of a city whose board is open."""

    FRESH = "fresh"
    LATE = "late"
    STALE = "stale"
    WARNED = "warned"
    ABSENT = "absent"
    EMPTY = "empty"
    AWAY = "away"


# For how long nothing has come in: sensors of the city speak every quarter-hour.
SILENT = {State.LATE: timedelta(minutes=40), State.STALE: timedelta(days=2)}

TOML = """
[city]
name = "Communauté de Valbrume"
timezone = "Europe/Paris"

[[territory]]
code = "99001"
name = "Valbrume"
code_system = "INSEE"
timezone = "Europe/Paris"

[[territory]]
code = "99002"
name = "Saint-Aubry-les-Tilleuls"
code_system = "INSEE"
timezone = "Europe/Paris"

[[territory]]
code = "08999001"
name = "Neuhausen am Strom"
code_system = "AGS"
timezone = "Europe/Berlin"

[[binding]]
topic = "city/{territory}/{site}/{sensor}"
format = "plain"
timezone = "UTC"
ignore = []

[board]
contact = "contact@valbrume.example"
operator = "Communauté de Valbrume"
outlines = "communes.geojson"

[[screen]]
id = "hall"
views = ["now", "air", "moving", "energy", "map", "measure", "platform"]
address = "valbrume.example"

[[screen]]
id = "school"
territory = "99002"
languages = ["fr", "en", "de"]
views = ["air", "moving"]
diagonal_in = 32
distance_m = 2
theme = "dark"

[air]
reference = ["air-*"]

[[mobility.calendar]]
territory = "99001"
country = "FR"

[[mobility.parking]]
sensor = "park-001"
capacity = 120

[[energy.building]]
site = "mairie"
territory = "99001"
class = "public"
area_m2 = 2400
meters = ["elec-001", "heat-001"]

[[energy.building]]
site = "ecole"
territory = "99002"
class = "public"
area_m2 = 1800
meters = ["elec-002"]
"""

# Of two communes of the three: the map draws the third around its sites.
OUTLINES = """
{"type": "FeatureCollection", "features": [
{"type": "Feature", "properties": {"code": "99001"}, "geometry": {"type": "Polygon", "coordinates":
 [[[7.71, 48.61], [7.78, 48.60], [7.80, 48.63], [7.76, 48.655], [7.72, 48.65], [7.71, 48.61]]]}},
{"type": "Feature", "properties": {"code": "99002"}, "geometry": {"type": "Polygon", "coordinates":
 [[[7.66, 48.57], [7.72, 48.575], [7.71, 48.61], [7.72, 48.65], [7.67, 48.62], [7.66, 48.57]]]}}]}
"""

# Territory, site, its name, where, sensor, what it measures.
_PLACES = (
    ("99001", "gare", "Gare", 7.743, 48.628, "air-001", "no2 o3 pm10 pm25"),
    ("99001", "gare", "Gare", 7.743, 48.628, "eco-001", "bikes pedestrians vehicles"),
    ("99001", "gare", "Gare", 7.743, 48.628, "park-001", "parking_free"),
    ("99001", "mairie", "Hôtel de Ville", 7.738, 48.635, "elec-001", "energy_import power"),
    ("99001", "mairie", "Hôtel de Ville", 7.738, 48.635, "heat-001", "heat_import"),
    ("99001", "mairie", "Hôtel de Ville", 7.738, 48.635, "mast-001", "temperature noise_level"),
    ("99002", "ecole", "École des Tilleuls", 7.692, 48.595, "box-001", "pm10 pm25 temperature"),
    ("99002", "ecole", "École des Tilleuls", 7.692, 48.595, "eco-002", "bikes"),
    ("99002", "ecole", "École des Tilleuls", 7.692, 48.595, "elec-002", "energy_import energy_export"),
    ("08999001", "rathaus", "Rathaus", 7.846, 48.617, "box-002", "pm10 pm25"),
    ("08999001", "rathaus", "Rathaus", 7.846, 48.617, "eco-003", "bikes pedestrians"),
)  # fmt: skip
_UNITS = {"parking_free": "1", "bikes": "1", "pedestrians": "1", "vehicles": "1", "power": "kW",
          "temperature": "Cel", "noise_level": "dB(A)"}  # fmt: skip
_REGISTERS = ("energy_import", "energy_export", "heat_import")


def csv() -> str:
    """The list of sensors; those of rivers of people count by the quarter-hour."""
    lines = ["territory,site,site_name,longitude,latitude,sensor,metric,field,unit,step_s,stamp,"
             "register_max"]  # fmt: skip
    for *place, sensor, metrics in _PLACES:
        for metric in metrics.split():
            unit = "kW.h" if metric in _REGISTERS else _UNITS.get(metric, "ug/m3")
            lines.append(",".join([*map(str, place), sensor, metric, "", unit, "900", "start", ""]))
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class _Level:
    table: str
    width_s: int
    back: timedelta


_LEVELS = (
    _Level("rollup_15min", 900, timedelta(days=2)),
    _Level("rollup_1h", 3600, timedelta(days=36)),
)

# Bits of a code: dominant and used pollutants, each in the order NO2, O3, PM10, PM2.5, SO2.
_DOMINANT_PM25 = (1 << 3) | (0b1111 << 5)

# Indicator, its domain, its rows: start, stop, value, low, high, subject, n, code, indicative.
_HOURS = ("generate_series(date_trunc('hour', %(until)s) - interval '25 hours',"
          " date_trunc('hour', %(until)s) - interval '1 hour', interval '1 hour') AS start")  # fmt: skip
_DAYS = ("generate_series(date_trunc('day', %(until)s, 'Europe/Paris') - interval '30 days',"
         " date_trunc('day', %(until)s, 'Europe/Paris'), interval '1 day') AS start")  # fmt: skip
_MONTHS = ("generate_series(date_trunc('month', %(until)s, 'Europe/Paris') - interval '13 months',"
           " date_trunc('month', %(until)s, 'Europe/Paris'), interval '1 month') AS start")  # fmt: skip
_CLASS = ("1 + (extract(hour FROM start) >= 6)::int"
          " + (extract(hour FROM start) BETWEEN 16 AND 20)::int")  # fmt: skip
_SITES = "city.site WHERE code IN ('gare', 'ecole', 'rathaus')"
_BUILDINGS = "city.site WHERE code IN ('mairie', 'ecole')"


def _rows(step: str, value: str, subject: str, source: str, code: str, *, spread: str = "'NaN'::float8",
          indicative: str = "false") -> str:  # fmt: skip
    periods = {"1 hour": _HOURS, "1 day": _DAYS, "1 month": _MONTHS}[step]
    table, _, condition = source.partition(" WHERE ")
    return (
        f"SELECT start, start + interval '{step}' AS stop, ({value})::float8 AS value,"
        f" ({value} - {spread})::float8 AS low, ({value} + {spread})::float8 AS high,"
        f" {subject} AS subject_id, 4 AS n, {code} AS code, {indicative} AS indicative"
        f" FROM {table} CROSS JOIN {periods} WHERE {condition or 'true'}"
    )


_FIGURES = (
    ("eaqi", "air",
     _rows("1 hour", _CLASS, "site_id", _SITES, str(_DOMINANT_PM25), indicative="code <> 'gare'")),
    ("eaqi_sub", "air",
     _rows("1 hour", _CLASS, "series_id", "public.series WHERE metric IN ('no2', 'o3', 'pm10', 'pm25')",
           _CLASS)),
    ("air_hour_mean", "air",
     _rows("1 hour", "8 + 7 * (length(metric) - 1)", "series_id",
           "public.series WHERE metric IN ('no2', 'o3', 'pm10', 'pm25')", "0",
           indicative="sensor NOT LIKE 'air-%%'")),
    ("atmo_territory", "air",
     _rows("1 day", "1 + mod(length(name), 3)", "territory_id",
           "city.territory WHERE code_system = 'INSEE'", str(_DOMINANT_PM25))),
    ("day_count", "mobility",
     _rows("1 day", "3200", "series_id", "public.series WHERE metric IN ('bikes', 'vehicles')", "0")),
    ("building_energy", "energy", _rows("1 day", "610", "site_id", _BUILDINGS, "0")),
    ("building_expected", "energy", _rows("1 day", "640", "site_id", _BUILDINGS, "0")),
    ("building_expected_month", "energy", _rows("1 month", "19500", "site_id", _BUILDINGS, "0")),
    ("building_saving", "energy",
     _rows("1 month", "1450", "site_id", _BUILDINGS, "0", spread="380")),
    ("building_year_on_year", "energy", _rows("1 month", "-6.4", "site_id", _BUILDINGS, "1")),
)  # fmt: skip
_WARNING = (
    ("threshold_fr", "air",
     _rows("1 day", "1", "series_id", "public.series WHERE metric = 'pm10' AND territory <> '08999001'",
           "1")),
)  # fmt: skip


def fill(
    connection: psycopg.Connection, state: State = State.FRESH, now: datetime | None = None
) -> None:
    """Fill a migrated database as of `now`; ``away`` is a fresh city whose database is taken away
    later."""
    if state is State.EMPTY:
        return
    register(connection, parse(TOML, csv(), beside=lambda name: OUTLINES))
    if state is State.ABSENT:
        return
    until = (now or datetime.now(UTC)) - SILENT.get(state, timedelta())
    with connection.transaction():
        connection.execute("SET LOCAL timezone = 'Europe/Paris'")
        _run(connection, "shapes", {})
        for domain in ("air", "mobility", "energy"):
            given: dict[str, Any] = {"domain": domain, "until": until}
            _run(connection, "readings", given, domain=domain)
            for level in _LEVELS:
                # What is usual is made of the cells that were published in the weeks before.
                back = timedelta(days=29) if domain == "mobility" else level.back
                own = {"width_s": level.width_s, "back": max(back, level.back)}
                _run(connection, "windows", given | own, domain=domain, table=level.table)
            _run(connection, "days", {}, domain=domain)
        for indicator, domain, rows in (*_FIGURES, *(_WARNING if state is State.WARNED else ())):
            given = {"indicator": indicator, "until": until, "method": 2}
            _run(connection, "figures", given, domain=domain, rows=rows)
        for name in ("measures", "platform"):
            _run(connection, name, {"until": until})
    connection.execute("ANALYZE")


def speak(connection: psycopg.Connection, metric: str, value: float) -> None:
    """One more reading of every sensor of a metric, now, and the batch that brought it."""
    for domain, series in connection.execute(
        "SELECT domain, series_id FROM public.series WHERE metric = %s", [metric]
    ).fetchall():
        connection.execute(
            f"INSERT INTO {domain}.reading VALUES (now(), %s, %s, 1)", [value, series]
        )
    connection.execute(
        "INSERT INTO pipeline.batch (hour, sensor_id, messages_received, messages_decoded,"
        " messages_refused, readings_decoded, readings_stored, readings_duplicate, readings_refused)"
        " VALUES (now(), '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')"
    )


def _run(connection: psycopg.Connection, name: str, given: dict[str, Any], **names: str) -> None:
    text = statements("tests.board", "city")[name]
    if name == "shapes":
        connection.execute(text)
        return
    for statement in text.format(**names).split(";\n"):
        if statement.strip():
            connection.execute(statement.encode(), given)
