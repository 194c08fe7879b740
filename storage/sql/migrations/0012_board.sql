-- What everybody may see. The public role enters the schema `board` alone: views of public metrics
-- and indicators only, each no finer than its public step. Security barriers, so that a condition
-- is told of no row that the view leaves out.

-- The tables [board] and [[screen]] of city.toml, as the city wrote them.
CREATE TABLE city.board (
    only_row bool PRIMARY KEY DEFAULT true CHECK (only_row),
    said     jsonb NOT NULL
);

CREATE TABLE city.outline (
    territory_id int4 PRIMARY KEY REFERENCES city.territory ON DELETE CASCADE,
    geometry     jsonb NOT NULL
);
COMMENT ON COLUMN city.outline.geometry IS 'GeoJSON, Polygon or MultiPolygon, WGS84';

-- The ledger of all territories together is asked for by hours.
CREATE INDEX territory_hour_hour ON pipeline.territory_hour (hour);

CREATE SCHEMA board;
COMMENT ON SCHEMA board IS 'what everybody may see: views of public figures only';

CREATE VIEW board.territories WITH (security_barrier) AS
SELECT t.code AS territory, t.name, t.timezone, o.geometry AS outline
  FROM city.territory t
  LEFT JOIN city.outline o USING (territory_id);

CREATE VIEW board.series WITH (security_barrier) AS
SELECT s.*, m.public_step_s
  FROM public.series s
  JOIN city.metric m ON m.metric = s.metric
 WHERE m.public_step_s IS NOT NULL;

-- Where nothing public is measured, nobody needs to know that there is a sensor.
CREATE VIEW board.sites WITH (security_barrier) AS
SELECT DISTINCT s.territory, s.site, s.site_name, s.longitude, s.latitude
  FROM board.series s
 WHERE s.in_service;

CREATE VIEW board.indicators WITH (security_barrier) AS
SELECT indicator, domain, subject, period, unit, label_fr, label_en, label_de, source, methods,
       words, bits, classes
  FROM city.indicator
 WHERE public;

-- A measure is public, what it was judged by need not be.
CREATE VIEW board.measures WITH (security_barrier) AS
SELECT m.*
  FROM city.measures m
 WHERE (m.metric = '' OR m.metric IN (SELECT c.metric FROM city.metric c
                                       WHERE c.public_step_s IS NOT NULL))
   AND (m.indicator = '' OR m.indicator IN (SELECT c.indicator FROM city.indicator c
                                             WHERE c.public));

CREATE VIEW board.footprint WITH (security_barrier) AS
SELECT hour, program, seconds, cpu_s, memory_bytes, database_bytes, disk_bytes, disk_free_bytes
  FROM pipeline.footprint;

CREATE VIEW board.ledger_hours WITH (security_barrier) AS
SELECT hour,
       sum(messages_received)::bigint AS messages_received,
       sum(messages_qos0)::bigint AS messages_qos0,
       sum(messages_decoded)::bigint AS messages_decoded,
       sum(messages_refused)::bigint AS messages_refused,
       sum(readings_decoded)::bigint AS readings_decoded,
       sum(readings_stored)::bigint AS readings_stored,
       sum(readings_duplicate)::bigint AS readings_duplicate,
       sum(readings_refused)::bigint AS readings_refused
  FROM pipeline.territory_hour
 GROUP BY hour;

CREATE VIEW board.platform WITH (security_barrier) AS
SELECT greatest(
           (SELECT committed_at FROM pipeline.batch ORDER BY batch_id DESC LIMIT 1),
           (SELECT max(committed_at) FROM pipeline.attempt),
           (SELECT max(hour) FROM pipeline.sensor_hour)) AS newest_commit,
       f.hour AS sampled_hour, f.database_bytes, f.disk_bytes, f.disk_free_bytes
  FROM (SELECT) one
  LEFT JOIN (SELECT hour, database_bytes, disk_bytes, disk_free_bytes
               FROM pipeline.footprint
              WHERE program = 'processor' AND database_bytes IS NOT NULL
              ORDER BY hour DESC LIMIT 1) f ON true;

CREATE VIEW board.said WITH (security_barrier) AS
SELECT said FROM city.board;

-- One probe of an index, so that it can be asked for several times a second; NULL before the first
-- batch, and when all were folded.
CREATE VIEW board.newest WITH (security_barrier) AS
SELECT (SELECT batch_id FROM pipeline.batch ORDER BY batch_id DESC LIMIT 1) AS batch_id;

-- Names of sensors, or patterns of names; all other figures of air are indicative.
CREATE VIEW board.reference WITH (security_barrier) AS
SELECT DISTINCT p.pattern
  FROM city.trade t,
       jsonb_array_elements_text(coalesce(t.facts -> 'reference', '[]')) p (pattern)
 WHERE t.domain = 'air';

-- Per domain. These rows are of single series. Small counts are not hidden here, since what is
-- published is a cell of a territory, which the board adds up before it judges how small it is: to
-- hide them per series would hide most of what may be told, and to add published parts up would
-- tell something else. So the board's program is trusted with them, and nobody else has its role.
DO $$
DECLARE
    d text;
    w record;
BEGIN
    FOREACH d IN ARRAY ARRAY['air', 'mobility', 'energy'] LOOP
        -- What adds up over time could tell of one person or household at its newest.
        EXECUTE format($view$
            CREATE VIEW board.%1$I WITH (security_barrier) AS
            SELECT n.*
              FROM %2$I.now n
              JOIN city.metric m ON m.metric = n.metric
             WHERE m.kind IN ('gauge', 'angle', 'level', 'state') AND m.public_step_s <= 900$view$,
            d || '_now', d);

        FOR w IN SELECT * FROM (VALUES ('quarter_hours', 900), ('hours', 3600),
                                       ('days', 86400)) v (name, step_s) LOOP
            EXECUTE format($view$
                CREATE VIEW board.%1$I WITH (security_barrier) AS
                SELECT w.*, e.step_s, m.public_step_s
                  FROM %2$I.%3$I w
                  JOIN city.series e ON e.series_id = w.series_id
                  JOIN city.metric m ON m.metric = w.metric
                 WHERE m.public_step_s <= %4$s$view$,
                d || '_' || w.name, d, w.name, w.step_s);
        END LOOP;

        EXECUTE format($view$
            CREATE VIEW board.%1$I WITH (security_barrier) AS
            SELECT f.*
              FROM %2$I.figures f
              JOIN city.indicator c ON c.indicator = f.indicator
             WHERE c.public
               AND (f.subject <> 'series'
                    OR f.metric IN (SELECT metric FROM city.metric WHERE public_step_s <= 3600)
                    OR (f.period IN ('day', 'air_day', 'week', 'month', 'year', 'air_year')
                        AND f.metric IN (SELECT metric FROM city.metric
                                          WHERE public_step_s <= 86400)))$view$,
            d || '_figures', d);
    END LOOP;
END $$;
