"""Windows, readings and books of the wide city, by SQL."""

from __future__ import annotations

import psycopg

from storage.catalogue import DOMAINS, Domain

# Middle and swing of an hour in each metric's unit (counts and registers: per hour).
LEVELS = {
    "no2": (28, 18), "no": (12, 10), "nox": (45, 30), "o3": (55, 30), "so2": (3, 2),
    "co": (0.4, 0.2), "pm10": (20, 9), "pm25": (11, 6), "temperature": (11, 5),
    "dew_point": (6, 3), "humidity": (70, 15), "pressure": (1013, 4), "wind_speed": (3.5, 2),
    "wind_direction": (220, 60), "noise_level": (56, 8), "rain": (0.08, 0.08),
    "visibility": (18, 6), "vehicles": (420, 380), "heavy_vehicles": (28, 24), "bikes": (45, 42),
    "pedestrians": (90, 85), "flow": (700, 600), "occupancy": (14, 11), "speed": (42, 9),
    "travel_time": (180, 60), "parking_free": (120, 90), "bikes_available": (9, 5),
    "road_open": (1, 0), "energy_import": (18, 12), "energy_export": (4, 4),
    "gas_import": (3, 2.5), "heat_import": (25, 18), "water_import": (0.6, 0.5),
    "energy_used": (6, 4), "power": (18, 12), "apparent_power": (24, 14), "voltage": (231, 3),
    "current": (32, 18), "lighting_on": (0.45, 0.45),
}  # fmt: skip

_NOISE = "((hashint8extended({key}, 7) & 1023) / 1023.0 - 0.5)"

# Every series once, with what it measures at noon and how much of it passes there.
_SERIES = """
    CREATE TEMPORARY TABLE wide_series AS
    SELECT s.*, l.middle, l.swing,
           CASE WHEN metric IN ('pressure', 'voltage', 'humidity', 'noise_level', 'road_open', 'lighting_on')
                THEN 1 ELSE 0.4 + 1.2 * ((hashint4extended(s.series_id, 3) & 1023) / 1023.0) END AS size
      FROM public.series s
      JOIN unnest(%s::text[], %s::float8[], %s::float8[]) l (metric, middle, swing) USING (metric)
"""

# Quiet at night, highest in the late afternoon; lights the other way round. Fewer on Sundays.
_LEVEL = f"""
    s.middle * s.size
    + s.swing * s.size * (CASE WHEN s.metric IN ('lighting_on', 'humidity') THEN -1 ELSE 1 END)
      * (CASE WHEN %(whole_days)s THEN 0 ELSE -cos(2 * pi() * (extract(hour FROM local) - 4) / 24) END)
      * (CASE WHEN extract(isodow FROM local) > 5 THEN 0.6 ELSE 1 END)
    + s.swing * 0.3 * {_NOISE.format(key="s.series_id * 1000003::int8 + extract(epoch FROM start)::int8 / 900")}
"""

_WINDOWS = """
    INSERT INTO {domain}.{table} (start, sum, min, max, m2, first, last, x, y, series_id, expected,
                                  received, good, suspect, provisional, sketch)
    SELECT start,
           CASE kind WHEN 'level' THEN good * 10 ^ (level / 10) WHEN 'angle' THEN 'NaN'
                     WHEN 'state' THEN 'NaN' WHEN 'gauge' THEN good * level
                     ELSE level * %(hours)s END,
           least(level, level * 0.8), level * 1.2, abs(level), level, level,
           CASE kind WHEN 'angle' THEN good * cos(radians(level))
                     WHEN 'state' THEN least(level, 1) * %(hours)s * 3600 ELSE 'NaN' END,
           CASE kind WHEN 'angle' THEN good * sin(radians(level))
                     WHEN 'state' THEN %(hours)s * 3600 ELSE 'NaN' END,
           series_id, expected, good, good, 0, stop > %(now)s, '\\x'
      FROM (SELECT w.*, greatest(1, round(expected * (CASE WHEN hash % 20 = 0 THEN 0.5 ELSE 1 END)))::int AS good,
                   CASE WHEN kind = 'angle' THEN (((raw::numeric % 360) + 360) % 360)::float8
                        WHEN metric IN ('temperature', 'dew_point') THEN raw ELSE greatest(raw, 0) END AS level
              FROM (SELECT s.series_id, s.kind, s.metric, start, start + %(length)s::interval AS stop,
                           greatest(1, (%(hours)s * 3600 / greatest(s.step_s, 1))::int) AS expected,
                           abs(hashint8extended(s.series_id * 7919::int8 + extract(epoch FROM start)::int8 / 900, 1)) AS hash,
                           {level} AS raw
                      FROM wide_series s
                      CROSS JOIN LATERAL ({windows}) w (start, local)
                     WHERE s.domain = '{domain}' AND s.step_s <= %(hours)s * 3600) w) w
     WHERE hash % 50 <> 0
"""
_CLOCK = """
    SELECT g, g AT TIME ZONE s.timezone
      FROM generate_series(date_bin(%(length)s, %(now)s - %(back)s::interval, '2000-01-01 00:00Z'),
                           %(now)s, %(length)s::interval) g
"""
_LOCAL_DAYS = """
    SELECT d AT TIME ZONE s.timezone, d
      FROM generate_series(date_trunc('day', (%(now)s - %(back)s::interval) AT TIME ZONE s.timezone),
                           %(now)s AT TIME ZONE s.timezone, '1 day') d
"""


def doubled(text: str) -> str:
    """Percent signs of SQL are doubled where psycopg looks for places of parameters."""
    return text.replace("%(", "\0").replace("%", "%%").replace("\0", "%(")


def fill_windows(connection: psycopg.Connection, days: int = 366) -> None:
    """A year of days, 40 days of hours, 3 days of quarter-hours; one in 50 is missing."""
    names = list(LEVELS)
    connection.execute(
        _SERIES,
        (names, [float(LEVELS[n][0]) for n in names], [float(LEVELS[n][1]) for n in names]),
    )
    connection.execute("ANALYZE wide_series")
    (now,) = connection.execute("SELECT now()").fetchone() or (None,)
    for domain in DOMAINS:
        for table, length, hours, back, windows in (
            ("rollup_15min", "15 minutes", 0.25, min(days, 3), _CLOCK),
            ("rollup_1h", "1 hour", 1.0, min(days, 40), _CLOCK),
            ("rollup_1d", "1 day", 24.0, days, _LOCAL_DAYS),
        ):
            text = _WINDOWS.format(domain=domain, table=table, level=_LEVEL, windows=windows)
            connection.execute(
                doubled(text).encode(),
                {"now": now, "length": length, "hours": hours, "back": f"{back} days",
                 "whole_days": hours > 1},
            )  # fmt: skip


def fill_readings(connection: psycopg.Connection) -> None:
    """The last 7 hours of readings; one series in 40 fell silent a day ago."""
    for domain in DOMAINS:
        connection.execute(_readings(domain).encode())
    connection.execute(
        """
        INSERT INTO pipeline.heard (series_id, first, last, told_until)
        SELECT series_id, now() - interval '400 days',
               date_trunc('hour', now()) - CASE WHEN series_id % 40 = 0 THEN interval '26 hours'
                                                ELSE make_interval(secs => step_s) END,
               current_date
          FROM wide_series
        """
    )


def _readings(domain: Domain) -> str:
    return f"""
        INSERT INTO {domain}.reading (time, value, series_id, flag)
        SELECT g, CASE s.kind WHEN 'state' THEN 1 WHEN 'index' THEN 1000 + s.middle * extract(epoch FROM g - now() + '1 day') / 3600
                              WHEN 'angle' THEN s.middle
                              WHEN 'count' THEN round(greatest(s.middle * s.size * greatest(s.step_s, 60) / 3600, 0))
                              ELSE s.middle * s.size END,
               s.series_id, 1
          FROM wide_series s
          CROSS JOIN LATERAL generate_series(
                now() - CASE WHEN s.series_id % 40 = 0 THEN interval '30 hours' ELSE interval '7 hours' END,
                now() - CASE WHEN s.series_id % 40 = 0 THEN interval '26 hours' ELSE interval '0' END,
                make_interval(secs => CASE s.step_s WHEN 0 THEN 7200 ELSE s.step_s END)) g
         WHERE s.domain = '{domain}'
    """


def fill_books(connection: psycopg.Connection, days: int = 366) -> None:
    """Ledger, delays, refusals, alerts, measures, collectors and what people changed."""
    connection.execute(doubled(_LEDGER).encode(), {"days": f"{days} days"})
    connection.execute(_TERRITORIES)
    connection.execute(_FOOTPRINT)
    connection.execute(_SIZES)
    connection.execute(_REFUSALS)
    connection.execute(_ALERTS)
    connection.execute(_MEASURES)
    connection.execute(_EVALUATIONS)
    connection.execute(
        "INSERT INTO city.change (done_at, person, action, sensor_id, since, readings, detail, why)"
        " SELECT now() - sensor_id * interval '1 day', 'a person',"
        "        (ARRAY['new', 'changed', 'moved', 'retired', 'back'])[1 + sensor_id % 5],"
        "        sensor_id, now() - sensor_id * interval '1 day', 0, '', '' FROM city.sensor"
        "  WHERE sensor_id > 0"
    )
    connection.execute(
        "INSERT INTO pipeline.collector (client_id, share_group, broker, host, session_expiry_s,"
        " connected, messages, messages_qos0, broker_dropped)"
        " VALUES ('collector-1', 'beffroi', 'broker:1883', 'one', 604800, true, 8000000, 12, 0),"
        "        ('collector-2', 'beffroi', 'broker:1883', 'two', 604800, true, 7900000, 10, 0)"
    )


# One sensor-hour in 5,000 does not add up.
_LEDGER = """
    INSERT INTO pipeline.sensor_hour (hour, messages_received, messages_qos0, messages_decoded,
           messages_refused, readings_decoded, readings_stored, readings_duplicate,
           readings_refused, sensor_id, delay_readings, delay_sum_ms, delay_max_ms)
    SELECT g, n + bad, 0, n, bad, n * 3,
           n * 3 - again - CASE WHEN odd % 5000 = 0 THEN 1 ELSE 0 END, again, 0, sensor_id,
           CASE sensor_id WHEN 0 THEN 0 ELSE n * 3 END, n * 3 * 4000, 9000 + odd % 60000
      FROM (SELECT sensor_id, g, abs(hashint8extended(sensor_id * 7919::int8 + extract(epoch FROM g)::int8 / 3600, 5)) AS odd,
                   greatest(1, 3600 / greatest(step_s, 60))::bigint AS n
              FROM (SELECT sensor_id, max(step_s) AS step_s FROM city.series GROUP BY 1
                     UNION ALL SELECT 0, 1800) s
              CROSS JOIN LATERAL generate_series(date_trunc('hour', now()) - %(days)s::interval,
                                                 now(), '1 hour') g) h
      CROSS JOIN LATERAL (SELECT CASE WHEN odd % 97 = 0 THEN 1 ELSE 0 END::bigint AS bad,
                                 CASE WHEN odd % 89 = 0 THEN 1 ELSE 0 END::bigint AS again) e
"""
_TERRITORIES = """
    INSERT INTO pipeline.territory_hour
    SELECT h.hour, sum(messages_received), sum(messages_qos0), sum(messages_decoded),
           sum(messages_refused), sum(readings_decoded), sum(readings_stored),
           sum(readings_duplicate), sum(readings_refused), coalesce(i.territory_id, 0)
      FROM pipeline.sensor_hour h
      JOIN city.sensor n USING (sensor_id)
      LEFT JOIN city.site i ON i.site_id = n.site_id
     GROUP BY h.hour, coalesce(i.territory_id, 0)
"""
_FOOTPRINT = """
    INSERT INTO pipeline.footprint
    SELECT g, program, 3600, 400 + extract(hour FROM g) * 10, 90000000,
           CASE program WHEN 'processor' THEN 5e9::bigint + row_number() OVER (ORDER BY g) * 200000 END,
           CASE program WHEN 'processor' THEN 100000000000 END,
           CASE program WHEN 'processor' THEN 70000000000 - row_number() OVER (ORDER BY g) * 200000 END
      FROM (SELECT DISTINCT hour FROM pipeline.sensor_hour) h (g), (VALUES ('collector'), ('processor')) p (program)
"""
_SIZES = """
    INSERT INTO pipeline.relation_size
    SELECT DISTINCT h.hour::date, r, 1000000, 500000000, 200000000
      FROM pipeline.sensor_hour h,
           unnest(ARRAY['air.reading', 'mobility.reading', 'energy.reading', 'energy.figure']) r
"""
_REFUSALS = """
    INSERT INTO pipeline.refusal (received_at, sensor_id, topic, payload, field, reason, detail,
                                  readings, message_id, bytes, masked, messages)
    SELECT now() - k * k * interval '2 seconds',
           CASE WHEN k % 10 = 0 THEN 0 WHEN k % 25 = 1 THEN -1 ELSE 1 + k % (SELECT max(sensor_id) FROM city.sensor) END, 'a/b/c', '',
           CASE WHEN k % 3 = 0 THEN '' ELSE 'pm10' END,
           (ARRAY['unknown_sensor', 'malformed', 'out_of_range', 'time_in_future'])[1 + k % 4], '',
           CASE WHEN k % 3 = 0 THEN 0 ELSE 1 END, k, 120, k % 50 = 0, 1
      FROM generate_series(1, 3000) k
"""
_ALERTS = """
    INSERT INTO pipeline.alert (series_id, kind, since, opened_at, closed_at, value, reference)
    SELECT series_id, 'silence', now() - interval '26 hours', now() - interval '25 hours',
           NULL::timestamptz, 4 * step_s, step_s
      FROM wide_series WHERE series_id % 40 = 0
     UNION ALL
    SELECT series_id, (ARRAY['silence', 'stuck', 'drift', 'jump'])[1 + (series_id + k) % 4],
           now() - k * interval '9 days' - interval '5 hours', now() - k * interval '9 days',
           now() - k * interval '9 days' + interval '7 hours', 2 * middle, middle
      FROM wide_series, generate_series(1, 40) k WHERE series_id % 20 = 3
     UNION ALL
    SELECT series_id, 'stuck', now() - interval '3 days', now() - interval '2 days', NULL, middle, 12
      FROM wide_series WHERE series_id % 160 = 7
"""
_MEASURES = """
    INSERT INTO city.measure (code, version, person, why, retired, title_fr, title_en, title_de,
           objective, territory, in_force, settled, ends, indicator, metric, daily, expected,
           effect, touched_sensors, touched_sites, comparison, comparison_sensors,
           comparison_sites, min_days, decision, decision_date, decision_url, contact)
    SELECT 'M' || k, 1, 'a person', 'decided', false, 'Zone apaisée ' || k, 'Calm zone ' || k,
           'Beruhigte Zone ' || k, 'fewer cars', t.code, current_date - 60 * k,
           current_date - 60 * k + 7, CASE WHEN k = 4 THEN current_date - 20 END, 'day_count',
           'vehicles', NULL, 'down', 'percent', '{}', '{s01,s02}', 'elsewhere', '{}', '{}', 14,
           'Délibération ' || k, current_date - 60 * k - 10, '', 'Mobilités'
      FROM city.territory t, generate_series(1, 4) k WHERE (k % 2 = 0) = (t.code = '08999001')
"""
_EVALUATIONS = """
    INSERT INTO city.evaluation (measure_id, method, verdict, reason, effect, unit, before_from,
           before_to, after_from, after_to, matching, estimate, low, high, basis, touched_before,
           touched_after, comparison_before, comparison_after, touched_sites, touched_series,
           comparison_sites, comparison_series, days_before, days_after, placebo_matching)
    SELECT measure_id, 'difference-1', (ARRAY['expected', 'against', 'not_conclusive'])[1 + measure_id % 3],
           '', effect, '%', in_force - 60, in_force - 1, settled, settled + 50, 'weekdays', -8.5,
           -12, -5, 'days', 4200, 3850, 3900, 3880, 2, 4, 8, 16, 60, 50, 'weekdays'
      FROM city.measure
"""
