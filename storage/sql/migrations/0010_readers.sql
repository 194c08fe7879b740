-- What staff may see through Grafana. Whoever may view a dashboard can send any SQL, so a role
-- reads these views and nothing else, and each view holds the rows of the role's territories
-- only. Row-level security would not do: grants on a hypertable reach its chunks, and its
-- policies do not. Security barriers keep a reader's own functions from seeing other rows.
CREATE TABLE city.reader (
    role         text NOT NULL,
    territory_id int4 REFERENCES city.territory ON DELETE CASCADE,
    UNIQUE NULLS NOT DISTINCT (role, territory_id)
);
COMMENT ON COLUMN city.reader.territory_id IS 'NULL: every territory, and what belongs to none';

-- current_user is the role that asks, also inside views.
CREATE VIEW city.readable AS
SELECT t.territory_id, t.code, t.name, t.timezone
  FROM city.territory t
 WHERE EXISTS (SELECT FROM city.reader r
                WHERE r.role = current_user
                  AND (r.territory_id IS NULL OR r.territory_id = t.territory_id));

CREATE VIEW city.reads_everything AS
SELECT r.role FROM city.reader r WHERE r.role = current_user AND r.territory_id IS NULL;

CREATE SCHEMA reader;
COMMENT ON SCHEMA reader IS 'what the roles of city.reader may see: views only, of their territories only';

CREATE VIEW reader.territories WITH (security_barrier) AS
SELECT code AS territory, name AS territory_name, timezone FROM city.readable;

CREATE VIEW reader.sites WITH (security_barrier) AS
SELECT t.code AS territory, t.name AS territory_name, i.code AS site, i.name AS site_name,
       i.longitude, i.latitude, t.timezone
  FROM city.site i
  JOIN city.readable t USING (territory_id);

CREATE VIEW reader.series WITH (security_barrier) AS
SELECT s.* FROM public.series s WHERE s.territory IN (SELECT code FROM city.readable);

-- Definitions; they are of no territory.
CREATE VIEW reader.metrics WITH (security_barrier) AS
SELECT metric, domain, unit, kind, low, high, label_fr, label_en, label_de FROM city.metric;

CREATE VIEW reader.indicators WITH (security_barrier) AS
SELECT indicator, domain, subject, period, unit, label_fr, label_en, label_de, source, methods,
       words, bits, public, classes
  FROM city.indicator;

CREATE VIEW reader.alerts WITH (security_barrier) AS
SELECT a.* FROM public.alerts a WHERE a.territory IN (SELECT code FROM city.readable);

CREATE VIEW reader.measures WITH (security_barrier) AS
SELECT m.* FROM city.measures m WHERE m.territory IN (SELECT code FROM city.readable);

CREATE VIEW reader.heard WITH (security_barrier) AS
SELECT h.series_id, h.first, h.last, s.domain, s.metric, s.step_s, s.sensor, s.site, s.site_name,
       s.territory, s.territory_name, s.in_service
  FROM pipeline.heard h
  JOIN public.series s USING (series_id)
 WHERE s.territory IN (SELECT code FROM city.readable);

CREATE VIEW reader.delays WITH (security_barrier) AS
SELECT d.hour, d.readings, d.mean_s, d.max_s, n.code AS sensor, i.code AS site,
       i.name AS site_name, t.code AS territory, t.name AS territory_name
  FROM pipeline.delay d
  JOIN city.sensor n USING (sensor_id)
  JOIN city.site i ON i.site_id = n.site_id
  JOIN city.readable t USING (territory_id);

-- Without the names of persons and without their words.
CREATE VIEW reader.changes WITH (security_barrier) AS
SELECT c.done_at, c.action, c.since, c.readings, n.code AS sensor, i.code AS site,
       i.name AS site_name, t.code AS territory, t.name AS territory_name
  FROM city.change c
  JOIN city.sensor n USING (sensor_id)
  JOIN city.site i ON i.site_id = n.site_id
  JOIN city.readable t USING (territory_id);

-- What no registered sensor sent belongs to no territory: only who reads everything sees it.
CREATE VIEW reader.ledger WITH (security_barrier) AS
SELECT l.hour, l.messages_received, l.messages_qos0, l.messages_decoded, l.messages_refused,
       l.readings_decoded, l.readings_stored, l.readings_duplicate, l.readings_refused, l.balanced,
       n.code AS sensor, coalesce(i.code, '') AS site, coalesce(i.name, '') AS site_name,
       coalesce(t.code, '') AS territory, coalesce(t.name, '') AS territory_name
  FROM pipeline.ledger_entry l
  JOIN city.sensor n USING (sensor_id)
  LEFT JOIN city.site i ON i.site_id = n.site_id
  LEFT JOIN city.territory t USING (territory_id)
 WHERE t.territory_id IN (SELECT territory_id FROM city.readable)
    OR (t.territory_id IS NULL AND EXISTS (SELECT FROM city.reads_everything));

-- Why, how much and when; what was sent stays where only the owner reads it.
CREATE VIEW reader.refusals WITH (security_barrier) AS
SELECT r.received_at, r.reason, r.field, r.messages, r.readings, r.bytes, r.masked,
       n.code AS sensor, coalesce(i.code, '') AS site, coalesce(i.name, '') AS site_name,
       coalesce(t.code, '') AS territory, coalesce(t.name, '') AS territory_name
  FROM pipeline.refusal r
  JOIN city.sensor n USING (sensor_id)
  LEFT JOIN city.site i ON i.site_id = n.site_id
  LEFT JOIN city.territory t USING (territory_id)
 WHERE t.territory_id IN (SELECT territory_id FROM city.readable)
    OR (t.territory_id IS NULL AND EXISTS (SELECT FROM city.reads_everything));

CREATE VIEW reader.collectors WITH (security_barrier) AS
SELECT client_id, share_group, started_at, seen_at, left_at, session_expiry_s, connected, messages,
       messages_qos0, broker_dropped
  FROM pipeline.collector
 WHERE EXISTS (SELECT FROM city.reads_everything);

-- Per domain: windows of the three lengths, figures, the newest reading and the readings.
DO $$
DECLARE
    d text;
    v text;
BEGIN
    FOREACH d IN ARRAY ARRAY['air', 'mobility', 'energy'] LOOP
        FOREACH v IN ARRAY ARRAY['quarter_hours', 'hours', 'days'] LOOP
            EXECUTE format($view$
                CREATE VIEW reader.%1$I WITH (security_barrier) AS
                SELECT w.*, e.step_s, e.field
                  FROM %2$I.%3$I w
                  JOIN city.series e USING (series_id)
                 WHERE w.territory IN (SELECT code FROM city.readable)$view$,
                d || '_' || v, d, v);
        END LOOP;
        FOREACH v IN ARRAY ARRAY['now', 'readings', 'figures'] LOOP
            EXECUTE format($view$
                CREATE VIEW reader.%1$I WITH (security_barrier) AS
                SELECT w.* FROM %2$I.%3$I w WHERE w.territory IN (SELECT code FROM city.readable)$view$,
                d || '_' || v, d, v);
        END LOOP;
    END LOOP;
END $$;
