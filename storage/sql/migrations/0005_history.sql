-- The registry keeps its history. A series is one metric of one sensor at one site with one
-- step, valid in [valid_from, valid_to): a move, another step or a return from retirement
-- begins another series, so that whatever is joined with a series is right without a time.
-- Another unit, scale or stamp is another conversion of the same series, since a time.

ALTER TABLE city.series
    ADD COLUMN site_id         int4 REFERENCES city.site,
    ADD COLUMN valid_from      timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN valid_to        timestamptz NOT NULL DEFAULT 'infinity',
    ADD COLUMN converted_since timestamptz NOT NULL DEFAULT '-infinity',
    ADD CONSTRAINT series_valid CHECK (valid_from <= valid_to);
COMMENT ON COLUMN city.series.valid_from IS 'readings timed earlier belong to another series, or to none';
COMMENT ON COLUMN city.series.valid_to IS 'not included; a series that ends where it begins was taken back';
COMMENT ON COLUMN city.series.converted_since IS 'since when unit, scale, shift and stamp are these';

UPDATE city.series s SET site_id = n.site_id FROM city.sensor n WHERE n.sensor_id = s.sensor_id;

ALTER TABLE city.series DROP CONSTRAINT series_sensor_id_field_key;
CREATE UNIQUE INDEX series_open ON city.series (sensor_id, field) WHERE valid_to = 'infinity';
CREATE INDEX series_sensor ON city.series (sensor_id, field);

-- A series stands where its sensor stands, unless somebody says where.
CREATE FUNCTION city.stand_with_sensor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.site_id := coalesce(NEW.site_id,
        (SELECT n.site_id FROM city.sensor n WHERE n.sensor_id = NEW.sensor_id));
    RETURN NEW;
END $$;
CREATE TRIGGER series_stands BEFORE INSERT ON city.series
   FOR EACH ROW EXECUTE FUNCTION city.stand_with_sensor();

-- How readings were converted before city.series.converted_since; the first of a series since
-- '-infinity', each until the next.
CREATE TABLE city.former_conversion (
    series_id int4 NOT NULL REFERENCES city.series,
    since     timestamptz NOT NULL,
    unit      text NOT NULL,
    scale     float8 NOT NULL,
    shift     float8 NOT NULL,
    stamp     text NOT NULL CHECK (stamp IN ('start', 'end', 'unknown')),
    PRIMARY KEY (series_id, since)
);

CREATE TABLE city.change (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    done_at   timestamptz NOT NULL DEFAULT now(),
    person    text NOT NULL,
    action    text NOT NULL CHECK (action IN ('new', 'changed', 'moved', 'retired', 'back')),
    sensor_id int4 NOT NULL REFERENCES city.sensor,
    since     timestamptz NOT NULL,
    readings  bigint NOT NULL,
    detail    text NOT NULL,
    why       text NOT NULL
);
CREATE INDEX change_sensor ON city.change (sensor_id, change_id);
COMMENT ON TABLE city.change IS 'append-only: who changed a sensor''s registration, since when it holds, and why';
COMMENT ON COLUMN city.change.readings IS 'how many stored readings went to another series with it';

-- The registry's revision, which stays until the caller's transaction ends: a change of the
-- registry takes the lock alone. Volatile, so that it is read after the lock was waited for.
CREATE FUNCTION city.hold_revision() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1919248233, 0);
    RETURN (SELECT r.revision FROM city.revision r);
END $$;

CREATE OR REPLACE VIEW public.series AS
SELECT s.series_id, m.domain, s.metric, m.unit, m.kind, s.field, n.code AS sensor,
       i.code AS site, i.name AS site_name, i.longitude, i.latitude,
       t.code AS territory, t.name AS territory_name, t.timezone, s.step_s, s.stamp,
       m.label_fr, m.label_en, m.label_de,
       nullif(s.valid_from, '-infinity') AS valid_from, nullif(s.valid_to, 'infinity') AS valid_to,
       s.valid_from <= now() AND s.valid_to > now() AS in_service
  FROM city.series s
  JOIN city.metric m USING (metric)
  JOIN city.sensor n USING (sensor_id)
  JOIN city.site i ON i.site_id = s.site_id
  JOIN city.territory t USING (territory_id)
 WHERE s.valid_from < s.valid_to;

-- What a series measured before it ended is no newest value any more.
DO $$
DECLARE
    d text;
BEGIN
    FOREACH d IN ARRAY ARRAY['air', 'mobility', 'energy'] LOOP
        EXECUTE format($view$
            CREATE OR REPLACE VIEW %1$I.now AS
            SELECT s.series_id, s.domain, s.metric, s.unit, s.kind, s.field, s.sensor, s.site,
                   s.site_name, s.longitude, s.latitude, s.territory, s.territory_name, s.timezone,
                   s.step_s, s.stamp, s.label_fr, s.label_en, s.label_de, r.time, r.value, r.flag
              FROM public.series s
              CROSS JOIN LATERAL (
                   SELECT n.time, n.value, coalesce(p.flag, n.flag) AS flag
                     FROM %1$I.reading n
                     LEFT JOIN pipeline.reading_flag p
                            ON p.series_id = n.series_id AND p.time = n.time
                           AND p.origin = 'person'
                    WHERE n.series_id = s.series_id AND n.flag <> 9 AND coalesce(p.flag, n.flag) < 4
                    ORDER BY n.time DESC
                    LIMIT 1) r
             WHERE s.domain = %1$L AND s.in_service$view$, d);
    END LOOP;
END $$;
