-- registry --
-- Public metrics that have a series, per territory and expected step; the sensors of pollutants by
-- name, and the patterns of those of reference quality, which are no regular expressions.
SELECT s.metric, s.domain, s.unit, s.kind, s.label_fr, s.label_en, s.label_de, s.public_step_s,
       s.territory, s.territory_name, s.timezone, s.step_s, count(*)::int4 AS sensors,
       array_agg(DISTINCT s.sensor)
           FILTER (WHERE s.domain = 'air' AND s.unit IN ('ug/m3', 'mg/m3')) AS instruments,
       (SELECT array_agg(r.pattern) FROM board.reference r) AS reference
  FROM board.series s
 WHERE s.in_service
 GROUP BY s.metric, s.domain, s.unit, s.kind, s.label_fr, s.label_en, s.label_de, s.public_step_s,
          s.territory, s.territory_name, s.timezone, s.step_s
 ORDER BY s.territory_name, s.territory, s.metric, s.step_s;

-- latest --
-- Newest usable reading of every series of the metrics that may be shown as they stand.
SELECT metric, territory, step_s, time, value FROM board.air_now      WHERE metric = ANY($1)
 UNION ALL
SELECT metric, territory, step_s, time, value FROM board.mobility_now WHERE metric = ANY($1)
 UNION ALL
SELECT metric, territory, step_s, time, value FROM board.energy_now   WHERE metric = ANY($1);

-- windows --
-- Windows in [start, end) added up over the sensors of a territory: quarter-hours, and hours of
-- the series too slow for quarter-hours and of the metrics whose quarter-hours are not public.
-- `part` adds means, levels as energy. What was received is told of what was due alone: a counter
-- that sends whenever somebody passes would tell by it how many did.
  WITH w AS (
       SELECT r.metric, r.territory, r.kind, 900 AS width_s, r.start, r.total, r.mean,
              r.received, r.expected, r.good + r.suspect AS usable
         FROM board.air_quarter_hours r
        WHERE r.start >= $1 AND r.start < $2 AND r.metric = ANY($3)
        UNION ALL
       SELECT r.metric, r.territory, r.kind, 900 AS width_s, r.start, r.total, r.mean,
              r.received, r.expected, r.good + r.suspect AS usable
         FROM board.mobility_quarter_hours r
        WHERE r.start >= $1 AND r.start < $2 AND r.metric = ANY($3)
        UNION ALL
       SELECT r.metric, r.territory, r.kind, 900 AS width_s, r.start, r.total, r.mean,
              r.received, r.expected, r.good + r.suspect AS usable
         FROM board.energy_quarter_hours r
        WHERE r.start >= $1 AND r.start < $2 AND r.metric = ANY($3)
        UNION ALL
       SELECT r.metric, r.territory, r.kind, 3600, r.start, r.total, r.mean,
              r.received, r.expected, r.good + r.suspect
         FROM board.air_hours r
        WHERE r.start >= $1 AND r.start < $2 AND r.metric = ANY($3)
          AND (r.step_s > 900 OR r.public_step_s > 900)
        UNION ALL
       SELECT r.metric, r.territory, r.kind, 3600, r.start, r.total, r.mean,
              r.received, r.expected, r.good + r.suspect
         FROM board.mobility_hours r
        WHERE r.start >= $1 AND r.start < $2 AND r.metric = ANY($3)
          AND (r.step_s > 900 OR r.public_step_s > 900)
        UNION ALL
       SELECT r.metric, r.territory, r.kind, 3600, r.start, r.total, r.mean,
              r.received, r.expected, r.good + r.suspect
         FROM board.energy_hours r
        WHERE r.start >= $1 AND r.start < $2 AND r.metric = ANY($3)
          AND (r.step_s > 900 OR r.public_step_s > 900))
SELECT metric, territory, width_s, start,
       sum(total) FILTER (WHERE usable > 0) AS total,
       sum(CASE kind WHEN 'level' THEN power(10, mean::float8 / 10) ELSE mean::float8 END) AS part,
       count(*) FILTER (WHERE usable > 0)::int4 AS sensors,
       sum(least(received, expected))::int8 AS received
  FROM w
 GROUP BY metric, territory, width_s, start
 ORDER BY metric, territory, start;
