-- How late readings come, which the collector alone knows; and days on which a sensor said
-- nothing, which nothing in the database asks to be told.

-- Position k speaks of the sensor at position k; empty in rows that say nothing of it.
ALTER TABLE pipeline.batch ADD COLUMN delay_readings int4[] NOT NULL DEFAULT '{}';
ALTER TABLE pipeline.batch ADD COLUMN delay_sum_ms int8[] NOT NULL DEFAULT '{}';
ALTER TABLE pipeline.batch ADD COLUMN delay_max_ms int8[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN pipeline.batch.delay_readings IS
    'of those stored: how many have a time stamp of their own, so that their delay is known';
COMMENT ON COLUMN pipeline.batch.delay_sum_ms IS
    'from each reading''s time stamp, as it was sent, to its reception';

ALTER TABLE pipeline.sensor_hour ADD COLUMN delay_readings bigint NOT NULL DEFAULT 0;
ALTER TABLE pipeline.sensor_hour ADD COLUMN delay_sum_ms bigint NOT NULL DEFAULT 0;
ALTER TABLE pipeline.sensor_hour ADD COLUMN delay_max_ms bigint NOT NULL DEFAULT 0;

CREATE VIEW pipeline.delay AS
SELECT sensor_id, hour, sum(readings)::bigint AS readings,
       (sum(sum_ms) / sum(readings) / 1000)::float8 AS mean_s, max(max_ms) / 1000.0::float8 AS max_s
  FROM (SELECT e.sensor_id, b.hour, e.readings, e.sum_ms, e.max_ms
          FROM pipeline.batch b,
               unnest(b.sensor_id, b.delay_readings, b.delay_sum_ms, b.delay_max_ms)
               AS e (sensor_id, readings, sum_ms, max_ms)
        UNION ALL
        SELECT sensor_id, hour, delay_readings, delay_sum_ms, delay_max_ms
          FROM pipeline.sensor_hour) d
 WHERE readings > 0
 GROUP BY sensor_id, hour;
COMMENT ON VIEW pipeline.delay IS
    'of readings with a time stamp of their own, per sensor and reception hour (UTC): how long after it they were received';

ALTER TABLE pipeline.heard ADD COLUMN told_until date;
COMMENT ON COLUMN pipeline.heard.told_until IS
    'up to which local day, not included, days of silence were asked for; NULL: since the first reading they are to be';
UPDATE pipeline.heard SET told_until = current_date;
