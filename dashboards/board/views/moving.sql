-- registry --
-- What is counted and what stands in car parks and stations, per territory and expected step.
SELECT s.metric, s.domain, s.unit, s.kind, s.label_fr, s.label_en, s.label_de, s.public_step_s,
       s.territory, s.territory_name, s.timezone, s.step_s, count(*)::int4 AS sensors
  FROM board.series s
 WHERE s.in_service AND s.metric = ANY($1) AND s.public_step_s <= 3600
 GROUP BY s.metric, s.domain, s.unit, s.kind, s.label_fr, s.label_en, s.label_de, s.public_step_s,
          s.territory, s.territory_name, s.timezone, s.step_s
 ORDER BY s.territory_name, s.territory, s.metric, s.step_s;

-- latest --
-- Newest usable reading of every car park and station.
SELECT metric, territory, step_s, time, value FROM board.mobility_now WHERE metric = ANY($1);

-- windows --
-- Counts in [start, end) added up over the sensors of a territory: quarter-hours, and hours where
-- quarter-hours are not to be had. The same cells as everywhere on the board: other ones would
-- give back by subtraction what these hide. What was received is told of what was due alone: a
-- counter that sends whenever somebody passes would tell by it how many did.
  WITH w AS (
       SELECT r.metric, r.territory, 900 AS width_s, r.start, r.total,
              least(r.received, r.expected) AS received, r.good + r.suspect AS usable
         FROM board.mobility_quarter_hours r
        WHERE r.start >= $1 AND r.start < $2 AND r.metric = ANY($3)
        UNION ALL
       SELECT r.metric, r.territory, 3600, r.start, r.total,
              least(r.received, r.expected), r.good + r.suspect
         FROM board.mobility_hours r
        WHERE r.start >= $1 AND r.start < $2 AND r.metric = ANY($3)
          AND (r.step_s > 900 OR r.public_step_s > 900))
SELECT metric, territory, width_s, start,
       sum(total) FILTER (WHERE usable > 0) AS total,
       NULL::float8 AS part,
       count(*) FILTER (WHERE usable > 0)::int4 AS sensors, sum(received)::int8 AS received
  FROM w
 GROUP BY metric, territory, width_s, start;
