-- meters --
-- Series in service by what they measure. Where a sensor says both a register and intervals, it
-- says the same energy twice: its intervals are left out, here and below. What speaks once a day knows
-- no hours.
SELECT s.metric, s.territory, count(*)::int4 AS sensors, count(DISTINCT s.site)::int4 AS sites
  FROM board.series s
 WHERE s.in_service AND s.metric = ANY($1) AND coalesce(s.step_s, 0) <= 3600
   AND NOT (s.metric = 'energy_used'
            AND EXISTS (SELECT FROM board.series r
                         WHERE r.territory = s.territory AND r.sensor = s.sensor
                           AND r.metric = 'energy_import' AND r.in_service))
 GROUP BY s.metric, s.territory
 ORDER BY s.metric, s.territory;

-- hours --
-- What flowed in the hours in [start, end), by territory, and for how many seconds, added over
-- meters, that was measured.
SELECT h.metric, h.territory, h.start, sum(h.total) AS total,
       sum(3600 * least(1, (h.good + h.suspect)::float8 / greatest(h.expected, 1))) AS filled_s
  FROM board.energy_hours h
 WHERE h.start >= $1 AND h.start < $2 AND h.metric = ANY($3) AND h.total IS NOT NULL
   AND coalesce(h.step_s, 0) <= 3600
   AND NOT (h.metric = 'energy_used'
            AND EXISTS (SELECT FROM board.series r
                         WHERE r.territory = h.territory AND r.sensor = h.sensor
                           AND r.metric = 'energy_import' AND r.in_service))
 GROUP BY h.metric, h.territory, h.start
 ORDER BY h.metric, h.territory, h.start;

-- months --
-- Buildings by month, with the mean of their days that are known. [kW.h/d]
  WITH told AS MATERIALIZED (
       SELECT f.indicator, f.territory, f.site, f.start, f.stop, f.value, f.low, f.high, f.words,
              f.indicative
         FROM board.energy_figures f
        WHERE f.indicator = 'building_year_on_year' AND f.start >= $1 AND f.start < $2
        UNION ALL
       SELECT f.indicator, f.territory, f.site, f.start, f.stop, f.value, f.low, f.high, f.words,
              f.indicative
         FROM board.energy_figures f
        WHERE f.indicator = 'building_expected_month' AND f.start >= $1 AND f.start < $2
        UNION ALL
       SELECT f.indicator, f.territory, f.site, f.start, f.stop, f.value, f.low, f.high, f.words,
              f.indicative
         FROM board.energy_figures f
        WHERE f.indicator = 'building_saving' AND f.start >= $1 AND f.start < $2),
       drawn AS MATERIALIZED (
       SELECT f.territory, f.site, date_trunc('month', f.start AT TIME ZONE t.timezone)::date AS month,
              avg(f.value) AS mean_day, count(*)::int4 AS days, max(f.stop) AS until
         FROM board.energy_figures f
         JOIN board.territories t USING (territory)
        WHERE f.indicator = 'building_energy' AND f.start >= $1 AND f.start < $2
          AND f.value IS NOT NULL
        GROUP BY f.territory, f.site, month)
SELECT d.territory, d.site, d.month, d.mean_day, d.days, d.until,
       y.value AS change, 'climate corrected' = ANY (y.words) AS corrected,
       e.value AS expected, s.value AS saving, s.low AS saving_low, s.high AS saving_high,
       coalesce(y.indicative, false) AS indicative
  FROM drawn d
  JOIN board.territories t USING (territory)
  LEFT JOIN told y ON y.indicator = 'building_year_on_year' AND (y.territory, y.site)
       = (d.territory, d.site) AND (y.start AT TIME ZONE t.timezone)::date = d.month
  LEFT JOIN told e ON e.indicator = 'building_expected_month' AND (e.territory, e.site)
       = (d.territory, d.site) AND (e.start AT TIME ZONE t.timezone)::date = d.month
  LEFT JOIN told s ON s.indicator = 'building_saving' AND (s.territory, s.site)
       = (d.territory, d.site) AND (s.start AT TIME ZONE t.timezone)::date = d.month
 ORDER BY d.territory, d.site, d.month;
