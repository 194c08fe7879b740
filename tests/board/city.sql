-- A small city of three communes, statement by statement; {braces} are filled in by city.py.

-- shapes --
-- A quarter-hour of a series: busy by day, quiet at night, a little more in the last day.
CREATE TEMP TABLE shape ON COMMIT DROP AS
SELECT metric, hour, number, lately, (CASE metric
       WHEN 'bikes'           THEN round((CASE WHEN mod(number, 2) = 0 THEN 1 ELSE 3 END) + 55 * busy * week)
       WHEN 'pedestrians'     THEN round(90 * busy * week)
       WHEN 'vehicles'        THEN round(8 + 140 * busy)
       WHEN 'energy_import'   THEN 2 + 9 * busy / week
       WHEN 'energy_export'   THEN 4 * busy
       WHEN 'heat_import'     THEN 5 + 6 * (1 - busy)
       WHEN 'no2'             THEN 12 + 22 * busy
       WHEN 'o3'              THEN 40 + 45 * busy
       WHEN 'pm10'            THEN 14 + 8 * busy + mod(number, 3)
       WHEN 'pm25'            THEN 7 + 5 * busy + mod(number, 3)
       WHEN 'temperature'     THEN 6 + 9 * busy
       WHEN 'noise_level'     THEN 46 + 18 * busy
       WHEN 'parking_free'    THEN round(110 - 80 * busy)
       ELSE 8 + 30 * busy END)::float8 AS value
  FROM (SELECT DISTINCT metric FROM public.series) m
 CROSS JOIN generate_series(0, 5) number
 CROSS JOIN (VALUES (false, 1.0), (true, 1.1)) w (lately, week)
 CROSS JOIN (SELECT h::int4 AS hour, greatest(0, sin(pi() * (h - 5) / 16)) AS busy
               FROM generate_series(0, 23) h) h;

-- readings --
-- The newest three hours; `until` is the time of the newest reading.
INSERT INTO {domain}.reading (time, value, series_id, flag)
SELECT at, h.value, s.series_id, 1
  FROM public.series s
 CROSS JOIN LATERAL generate_series(%(until)s - interval '3 hours', %(until)s,
                                    make_interval(secs => s.step_s)) at
  JOIN shape h ON h.metric = s.metric AND h.number = mod(s.series_id, 6) AND h.lately
              AND h.hour = extract(hour FROM at AT TIME ZONE 'Europe/Paris')
 WHERE s.domain = %(domain)s;

-- windows --
-- Closed windows only. One low-cost sensor was silent for three hours of the last day.
INSERT INTO {domain}.{table} (start, sum, min, max, m2, first, last, x, y, series_id, expected,
                              received, good, suspect, provisional, sketch)
SELECT start, CASE WHEN kind IN ('count', 'index') THEN value * %(width_s)s / 900
                   WHEN kind = 'level' THEN n * power(10, value / 10) ELSE value * n END,
       value, value, 0, value, value, 'NaN', 'NaN', series_id, n, n, n, 0, false, ''
  FROM (SELECT s.series_id, s.kind, s.sensor, start, h.value,
               greatest(%(width_s)s / s.step_s, 1) AS n
          FROM public.series s
         CROSS JOIN generate_series(
               date_bin(make_interval(secs => %(width_s)s), %(until)s, '2000-01-01Z') - %(back)s,
               date_bin(make_interval(secs => %(width_s)s), %(until)s, '2000-01-01Z')
                   - make_interval(secs => %(width_s)s),
               make_interval(secs => %(width_s)s)) start
          JOIN shape h ON h.metric = s.metric AND h.number = mod(s.series_id, 6)
                      AND h.hour = extract(hour FROM start AT TIME ZONE 'Europe/Paris')
                      AND h.lately = (start >= %(until)s - interval '1 day')
         WHERE s.domain = %(domain)s) w
 WHERE NOT (sensor = 'box-001' AND start >= %(until)s - interval '9 hours'
            AND start < %(until)s - interval '6 hours');

-- days --
-- Whole local days, added up from their hours.
INSERT INTO {domain}.rollup_1d (start, sum, min, max, m2, first, last, x, y, series_id, expected,
                                received, good, suspect, provisional, sketch)
SELECT date_trunc('day', h.start AT TIME ZONE s.timezone) AT TIME ZONE s.timezone,
       sum(h.sum), min(h.min), max(h.max), 0, min(h.first), max(h.last), 'NaN', 'NaN', h.series_id,
       sum(expected), sum(received), sum(good), 0, false, ''
  FROM {domain}.rollup_1h h
  JOIN public.series s USING (series_id)
 GROUP BY 1, h.series_id
HAVING count(*) >= 23;

-- figures --
-- Figures of one indicator, a row per period; `code` and `value` are functions of the period.
INSERT INTO {domain}.figure (start, stop, at, value, low, high, subject_id, n, due, code,
                             indicator_id, status, method, provisional, indicative)
SELECT f.start, f.stop, '-infinity', f.value, f.low, f.high, f.subject_id, f.n, f.n, f.code,
       i.indicator_id, 1, least(%(method)s, cardinality(i.methods) - 1), f.stop > %(until)s, f.indicative
  FROM ({rows}) f
  JOIN city.indicator i ON i.indicator = %(indicator)s
    ON CONFLICT DO NOTHING;

-- measures --
INSERT INTO city.measure (code, version, person, why, retired, title_fr, title_en, title_de,
       objective, territory, in_force, settled, ends, indicator, metric, daily, expected,
       effect, touched_sensors, touched_sites, comparison, comparison_sensors,
       comparison_sites, min_days, decision, decision_date, decision_url, contact)
VALUES ('rue-apaisee', 1, 'a person', 'decided', false, 'Rue de la Gare apaisée', 'Calmer Station Street',
        'Beruhigte Bahnhofstraße', 'Moins de voitures devant l’école', '99001',
        (%(until)s)::date - 70, NULL, NULL, 'day_count', 'vehicles', NULL, 'down', 'percent', '{{}}',
        '{{gare}}', 'elsewhere', '{{}}', '{{}}', 14, 'Délibération 2026-12', (%(until)s)::date - 120,
        'https://example.org/deliberation-2026-12', 'mobilite@valbrume.example'),
       ('zone-30', 1, 'a person', 'decided', false, 'Zone 30 au Verger', '30 km/h in the Orchard quarter',
        'Tempo 30 im Obstgarten', 'Un air plus propre', '99002', (%(until)s)::date - 30, NULL, NULL,
        'air_day_mean', 'no2', 'mean', 'down', 'absolute', '{{}}', '{{ecole}}', 'elsewhere', '{{}}', '{{}}',
        14, 'Arrêté 2026-31', (%(until)s)::date - 45, '', ''),
       ('piste', 1, 'a person', 'decided', false, 'Piste cyclable du canal', 'Cycle path along the canal',
        'Radweg am Kanal', 'Plus de vélos', '99001', (%(until)s)::date + 20, NULL, NULL, 'day_count',
        'bikes', NULL, 'up', 'percent', '{{}}', '{{gare}}', 'elsewhere', '{{}}', '{{}}', 14, '', NULL, '', '');
INSERT INTO city.evaluation (measure_id, method, verdict, reason, effect, unit, before_from,
       before_to, after_from, after_to, matching, estimate, low, high, basis, touched_before,
       touched_after, comparison_before, comparison_after, touched_sites, touched_series,
       comparison_sites, comparison_series, days_before, days_after, placebo_estimate, placebo_low,
       placebo_high, placebo_matching)
SELECT measure_id, 'difference-1', v.verdict, v.reason, m.effect, v.unit, m.in_force - 60,
       m.in_force - 1, m.in_force, (%(until)s)::date - 1, 'weekdays_before', v.estimate, v.low, v.high,
       'sites_and_time', v.a, v.b, v.c, v.d, 1, 2, 8, 16, 60, 29, 0.4, -2.1, 2.9, 'weekdays_before'
  FROM city.measure m
  JOIN (VALUES ('rue-apaisee', 'expected', 'clear', '%%', -8.5, -12.0, -5.0, 100.0, 91.0, 100.0, 99.5),
               ('zone-30', 'not_conclusive', 'interval_covers_0', 'ug/m3', -0.8, -2.6, 1.0, 21.4, 20.1, 18.9, 18.4))
       v (code, verdict, reason, unit, estimate, low, high, a, b, c, d) USING (code);

-- platform --
INSERT INTO pipeline.footprint
SELECT hour, program, 3600, CASE program WHEN 'collector' THEN 40 ELSE 95 END
                            + 12 * sin(extract(hour FROM hour)), 150000000,
       CASE program WHEN 'processor' THEN 2100000000 + 40000 * row_number() OVER (ORDER BY hour) END,
       CASE program WHEN 'processor' THEN 100000000000 END, CASE program WHEN 'processor' THEN 61000000000 END
  FROM generate_series(date_trunc('hour', %(until)s) - interval '30 days',
                       date_trunc('hour', %(until)s) - interval '1 hour', interval '1 hour') hour
 CROSS JOIN (VALUES ('collector'), ('processor')) p (program);
INSERT INTO pipeline.territory_hour
SELECT hour, 5000, 0, 4990, 10, 21000, 20950, 50, 0, territory_id
  FROM generate_series(date_trunc('hour', %(until)s) - interval '30 days',
                       date_trunc('hour', %(until)s) - interval '1 hour', interval '1 hour') hour
 CROSS JOIN city.territory;
INSERT INTO pipeline.batch (committed_at, hour, sensor_id, messages_received, messages_decoded,
       messages_refused, readings_decoded, readings_stored, readings_duplicate, readings_refused)
SELECT %(until)s, date_trunc('hour', %(until)s), ARRAY[min(sensor_id)], '{{1}}', '{{1}}', '{{0}}', '{{1}}',
       '{{1}}', '{{0}}', '{{0}}' FROM city.sensor WHERE sensor_id > 0;
