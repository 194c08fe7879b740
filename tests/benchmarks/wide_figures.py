"""Figures of every indicator of the catalogue for the subjects of the wide city, by SQL."""

from __future__ import annotations

import psycopg

from storage.catalogue import BY_NAME, DOMAINS, Domain
from storage.indicators.catalogue import INDICATORS
from storage.indicators.word import Indicator, Period, Subject
from tests.benchmarks.wide_windows import doubled

_LOADS = ("energy_import", "power", "energy_used", "heat_import")
_ENERGIES = ("energy_import", "energy_export", "heat_import", "energy_used")
_VOLUMES = ("gas_import", "water_import")
_CHEMICALS = ("no2", "o3", "pm10", "pm25", "so2")
_COUNTED = ("vehicles", "bikes", "pedestrians")

# By the beginning of an indicator's name: the series that have it. The first that fits counts.
METRICS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("air_unusual", ("no2", "pm10")), ("mobility_unusual", ("vehicles", "bikes")),
    ("energy_unusual", ("energy_import", "power")),
    ("air_hour_mean", _CHEMICALS), ("air_day_mean", _CHEMICALS), ("air_day_max_8h", ("o3",)),
    ("air_day_max", _CHEMICALS), ("air_8h_mean", ("o3",)), ("air_year_mean", _CHEMICALS),
    ("air_day_median", ()), ("air_", ()), ("co_", ("co",)), ("eaqi", _CHEMICALS),
    ("atmo", _CHEMICALS), ("threshold", ("no2", "o3", "pm10", "so2")), ("own_", ("no2",)),
    ("pm_", ("pm10", "pm25")), ("nox_as", ("no2",)), ("wind_", ("wind_direction",)),
    ("flow_rate", ("vehicles", "flow")), ("passenger", ("vehicles",)),
    ("road_occupancy", ("occupancy",)), ("traffic", ("occupancy",)), ("level_of", ("occupancy",)),
    ("peak_congestion", ("speed", "travel_time")), ("peak_", ("vehicles",)), ("heavy", ("vehicles",)),
    ("time_mean", ("speed",)), ("space_mean", ("speed",)), ("v85", ("speed",)),
    ("free_flow", ("speed",)), ("congest", ("speed", "travel_time")),
    ("site_aadt_vehicles", ("vehicles",)), ("site_aadt_bikes", ("bikes",)),
    ("site_aadt_pedestrians", ("pedestrians",)), ("aadt_heavy", ("heavy_vehicles",)),
    ("aadt", _COUNTED), ("day_count", _COUNTED), ("profile", _COUNTED), ("weekday", _COUNTED),
    ("design", ("vehicles",)), ("k", ("vehicles",)), ("d", ("vehicles",)),
    ("imbalance_vehicles", ("vehicles",)), ("imbalance_bikes", ("bikes",)),
    ("imbalance_pedestrians", ("pedestrians",)), ("parking", ("parking_free",)),
    ("station", ("bikes_available",)), ("mobility_", ()),
    ("energy_hour", _ENERGIES), ("energy_day_median", ()), ("energy_day", _ENERGIES),
    ("energy_month", _ENERGIES), ("volume", _VOLUMES), ("power_energy", ("power",)),
    ("load_15min", _LOADS), ("load_10min", ("power",)), ("load_30min", _LOADS), ("load", _LOADS),
    ("util", _LOADS), ("base_load_step", _LOADS), ("base_", _LOADS), ("night_", _LOADS),
    ("weekend", _LOADS), ("tariff", ("energy_import",)), ("lighting", ("energy_import",)),
    ("outdoor", ("temperature",)), ("heating", ("temperature",)), ("cooling", ("temperature",)),
    ("building", ("heat_import", "gas_import", "energy_import")),
    ("signature", ("heat_import", "gas_import", "energy_import")),
    ("baseline", ("heat_import", "gas_import", "energy_import")), ("energy_", ()),
)  # fmt: skip

# By the beginning of the name, else by the unit: middle of the values.
MIDDLES: tuple[tuple[str, float], ...] = (
    ("eaqi", 2.4), ("atmo", 2.4), ("traffic_state", 1.8), ("level_of_service", 2.6),
    ("threshold", 0.2), ("heavy_share", 8), ("v85", 48), ("day_count", 6500), ("aadt", 6200),
    ("site_aadt", 12000), ("peak_hour_volume", 700), ("weekday_peak", 17), ("k", 0.1),
    ("d_factor", 0.55), ("imbalance", 0.07), ("congestion", 0.3), ("congested", 2),
    ("lighting_night", 95), ("lighting_noon", 2), ("base_load_step", 0.0),
    ("building_energy_year", 180000), ("building_cusum", -1500), ("building_saving", -200),
    ("building_year", -2), ("load_factor", 0.45), ("air_un", 8), ("mobility_un", 8),
    ("energy_un", 8), ("energy_hour", 18), ("energy_day", 430), ("energy_month", 13000),
    ("volume_hour", 1), ("volume_day", 30), ("tariff", 120), ("pm_plausible", 1),
    ("peak_hour_factor", 0.9), ("wind_day_steadiness", 0.7), ("signature_r2", 0.85),
)  # fmt: skip
BY_UNIT = {
    "%": 92, "ug/m3": 25, "mg/m3": 0.4, "Cel": 11, "km/h": 42, "h-1": 400, "d-1": 6000, "kW": 18,
    "kW.h": 400, "m3": 30, "kg": 40, "EUR": 60, "h": 5, "min": 45, "s": 4, "deg": 220, "m/s": 3,
    "K.d": 8, "ug.h/m3": 9000,
}  # fmt: skip

_STEP = {
    Period.TEN_MINUTES: "10 minutes", Period.QUARTER_HOUR: "15 minutes",
    Period.HALF_HOUR: "30 minutes", Period.HOUR: "1 hour", Period.DAY: "1 day",
    Period.WEEK: "1 week", Period.MONTH: "1 month", Period.YEAR: "1 year",
    Period.AIR_DAY: "1 day", Period.AIR_YEAR: "1 year",
}  # fmt: skip
_BACK = {"10 minutes": 10, "15 minutes": 10, "30 minutes": 10, "1 hour": 40}
_UNIT = {"1 day": "day", "1 week": "week", "1 month": "month", "1 year": "year"}

_SUBJECTS = {
    Subject.SERIES: "SELECT series_id AS id, domain, metric, timezone FROM wide_series",
    Subject.SITE: """SELECT DISTINCT i.site_id AS id, s.domain, s.metric, s.timezone FROM wide_series s
                       JOIN city.series e USING (series_id) JOIN city.site i ON i.site_id = e.site_id""",
    Subject.TERRITORY: """SELECT DISTINCT i.territory_id AS id, s.domain, s.metric, s.timezone FROM wide_series s
                            JOIN city.series e USING (series_id) JOIN city.site i ON i.site_id = e.site_id""",
}  # fmt: skip

_FIGURES = """
    INSERT INTO {domain}.figure (start, stop, at, value, low, high, subject_id, n, due, code,
           indicator_id, status, method, provisional, indicative)
    SELECT start, stop, CASE WHEN hash % 3 = 0 THEN start + (stop - start) / 2 ELSE '-infinity' END,
           CASE WHEN hash % 60 = 1 THEN 'NaN'
                WHEN indicator = 'base_load_step' THEN CASE WHEN hash % 30 = 3 THEN 4.2 ELSE 0 END
                WHEN cardinality(classes) > 0 OR indicator IN ('eaqi_sub', 'atmo_sub', 'traffic_state', 'level_of_service')
                THEN greatest(1, least(round(wanted), greatest(cardinality(classes), 4)))
                ELSE wanted END,
           CASE WHEN bits OR cardinality(words) = 0 THEN 'NaN' ELSE wanted * 0.9 END,
           CASE WHEN bits OR cardinality(words) = 0 THEN 'NaN' ELSE wanted * 1.1 END,
           id, 23, 24,
           CASE WHEN cardinality(words) = 0 THEN 0
                WHEN bits THEN CASE WHEN indicator IN ('eaqi', 'atmo_site', 'atmo_territory') THEN 4 + 512
                                    WHEN hash % 40 = 2 THEN 1 ELSE 0 END
                WHEN indicator LIKE '%unusual' THEN 1 + hash % 2
                WHEN indicator LIKE '%_sub' OR indicator IN ('traffic_state', 'level_of_service')
                THEN greatest(1, least(round(wanted), 4))
                WHEN indicator = 'base_load_step' THEN (hash % 30 = 3)::int
                WHEN indicator LIKE 'signature%' OR indicator LIKE 'baseline%' THEN 3
                WHEN hash % 30 = 3 THEN hash % cardinality(words)
                ELSE (cardinality(words) = 12)::int END,
           indicator_id, CASE WHEN hash % 60 = 1 THEN 3 WHEN hash % 15 = 2 THEN 2 ELSE 1 END,
           hash % cardinality(methods), stop > now(), indicator LIKE 'pm%'
      FROM (SELECT p.start, p.stop, u.id, c.*, h.hash,
                   w.middle * (CASE WHEN c.classes <> '{{}}' THEN 1 ELSE 0.4 + 1.2 * ((hashint4extended(u.id, 3) & 1023) / 1023.0) END)
                   * (1 - %(swing)s * cos(2 * pi() * (extract(hour FROM p.start) - 4) / 24))
                   * (0.7 + 0.6 * (h.hash % 1000) / 1000.0) AS wanted
              FROM unnest(%(names)s::text[], %(middles)s::float8[], %(lists)s::text[]) w (indicator, middle, list)
              JOIN city.indicator c USING (indicator)
              JOIN LATERAL (SELECT DISTINCT id, timezone FROM ({subjects}) u
                             WHERE w.list = '' AND u.domain = %(domain)s
                                OR u.metric = ANY (string_to_array(w.list, ','))) u ON true
              CROSS JOIN LATERAL ({periods}) p (start, stop)
              CROSS JOIN LATERAL (SELECT abs(hashint8extended(u.id * 7919::int8 + c.indicator_id * 104729
                     + extract(epoch FROM p.start)::int8 / 600, 9)) AS hash) h
             WHERE NOT %(sparse)s OR h.hash % 200 = 0) f
"""
_CLOCK = """
    SELECT g, g + %(length)s::interval
      FROM generate_series(date_bin(%(length)s, now() - %(back)s::interval, '2000-01-01 00:00Z'), now(),
                           %(length)s::interval) g
"""
_CALENDAR = """
    SELECT g AT TIME ZONE {zone}, (g + %(length)s::interval) AT TIME ZONE {zone}
      FROM generate_series(date_trunc(%(unit)s, (now() - %(back)s::interval) AT TIME ZONE {zone}),
                           now() AT TIME ZONE {zone}, %(length)s::interval) g
"""
# Hour k of a profile stands in the k-th hour of the year.
_PROFILE = """
    SELECT y + k * interval '1 hour', y + (k + 1) * interval '1 hour'
      FROM (SELECT date_trunc('year', now() - back) AT TIME ZONE u.timezone AS y
              FROM unnest(ARRAY[interval '0', '1 year']) back) y,
           generate_series(0, CASE c.indicator WHEN 'profile_week' THEN 167 ELSE 23 END) k
"""


def _first(name: str, table: tuple[tuple[str, object], ...]) -> object | None:
    return next((found for start, found in table if name.startswith(start)), None)


def metrics_of(indicator: Indicator) -> tuple[str, ...]:
    """Metrics whose series, or whose sites and territories, have the indicator; empty: any.

    >>> metrics_of(next(one for one in INDICATORS if one.name == "eu2008_no2_hour"))
    ('no2',)
    """
    for part in indicator.name.split("_"):
        if part in BY_NAME and indicator.period is Period.AIR_YEAR:
            return (part,)
    found = _first(indicator.name, METRICS)
    assert isinstance(found, tuple), indicator.name
    return found


def _middle(indicator: Indicator) -> float:
    found = _first(indicator.name, MIDDLES)
    return float(found if isinstance(found, int | float) else BY_UNIT.get(indicator.unit, 2))


def fill_figures(connection: psycopg.Connection, days: int = 366) -> None:
    """Hours of 40 days, shorter periods of 10 days, longer ones of a year."""
    for domain in DOMAINS:
        for subject in Subject:
            for period in Period:
                for kind in ("plain", "profile", "sparse"):
                    chosen = [
                        one
                        for one in INDICATORS
                        if (one.domain, one.subject, one.period) == (domain, subject, period)
                        and _kind(one) == kind
                    ]
                    if chosen:
                        _fill(connection, domain, subject, period, kind, chosen, days)


def _kind(indicator: Indicator) -> str:
    if indicator.name.startswith("profile_"):
        return "profile"
    return "sparse" if indicator.name.endswith("_unusual") else "plain"


def _fill(
    connection: psycopg.Connection,
    domain: Domain,
    subject: Subject,
    period: Period,
    kind: str,
    chosen: list[Indicator],
    days: int,
) -> None:
    length = _STEP[period]
    zone = "interval '1 hour'" if period in (Period.AIR_DAY, Period.AIR_YEAR) else "u.timezone"
    periods = _CALENDAR.format(zone=zone) if length in _UNIT else _CLOCK
    text = _FIGURES.format(
        domain=domain, subjects=_SUBJECTS[subject], periods=_PROFILE if kind == "profile" else periods
    )  # fmt: skip
    given = {
        "domain": domain.value, "names": [one.name for one in chosen],
        "middles": [_middle(one) for one in chosen],
        "lists": [",".join(metrics_of(one)) for one in chosen], "length": length,
        "back": f"{min(days - 1, _BACK.get(length, 365))} days", "unit": _UNIT.get(length, ""), "sparse": kind == "sparse",
        "swing": 0.7 if length not in _UNIT else 0.0,
    }  # fmt: skip
    connection.execute(doubled(text).encode(), given)
