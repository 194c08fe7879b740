-- Books that stay small and can be put right: batches fold into sensor-hours, refusals can
-- be replayed and are forgotten in time, what people change is written down, and collectors
-- say that they are there.

-- The ledger -----------------------------------------------------------------

-- Whose transaction it was: a collector that lost the answer to its COMMIT asks by it.
ALTER TABLE pipeline.batch ADD COLUMN attempt uuid;
ALTER TABLE pipeline.batch ADD COLUMN messages_qos0 int4[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN pipeline.batch.messages_qos0 IS 'of those received; nothing protects them';
-- Unique: a second try that overtakes the first one's COMMIT waits for it here.
CREATE UNIQUE INDEX batch_attempt ON pipeline.batch (attempt, hour);

-- What is kept of a folded batch, for a while: the answer to its collector.
CREATE TABLE pipeline.attempt (
    committed_at       timestamptz NOT NULL,
    attempt            uuid NOT NULL,
    messages_received  int4 NOT NULL,
    messages_refused   int4 NOT NULL,
    readings_decoded   int4 NOT NULL,
    readings_stored    int4 NOT NULL,
    readings_duplicate int4 NOT NULL,
    readings_refused   int4 NOT NULL
);
CREATE INDEX attempt_attempt ON pipeline.attempt (attempt);
CREATE INDEX attempt_committed_at ON pipeline.attempt (committed_at);

CREATE TABLE pipeline.sensor_hour (
    hour               timestamptz NOT NULL,
    messages_received  bigint NOT NULL,
    messages_qos0      bigint NOT NULL,
    messages_decoded   bigint NOT NULL,
    messages_refused   bigint NOT NULL,
    readings_decoded   bigint NOT NULL,
    readings_stored    bigint NOT NULL,
    readings_duplicate bigint NOT NULL,
    readings_refused   bigint NOT NULL,
    sensor_id          int4 NOT NULL,
    balanced           bool NOT NULL GENERATED ALWAYS AS (
        messages_received = messages_decoded + messages_refused
        AND readings_decoded = readings_stored + readings_duplicate + readings_refused) STORED,
    PRIMARY KEY (sensor_id, hour)
);
COMMENT ON TABLE pipeline.sensor_hour IS 'what folded batches said, per sensor and reception hour (UTC)';
CREATE INDEX sensor_hour_hour ON pipeline.sensor_hour (hour);
-- Empty as long as the ledger balances, so that looking costs nothing.
CREATE INDEX sensor_hour_unbalanced ON pipeline.sensor_hour (sensor_id, hour) WHERE NOT balanced;

-- Entries add up; whoever wants sums over more than an hour takes them from here.
DROP VIEW pipeline.ledger;
CREATE VIEW pipeline.ledger_entry AS
SELECT e.sensor_id, b.hour, e.received::bigint AS messages_received,
       coalesce(e.qos0, 0)::bigint AS messages_qos0, e.decoded::bigint AS messages_decoded,
       e.undecoded::bigint AS messages_refused, e.readings::bigint AS readings_decoded,
       e.stored::bigint AS readings_stored, e.duplicate::bigint AS readings_duplicate,
       e.refused::bigint AS readings_refused,
       e.received = e.decoded + e.undecoded
       AND e.readings = e.stored + e.duplicate + e.refused AS balanced
  FROM pipeline.batch b,
       unnest(b.sensor_id, b.messages_received, b.messages_qos0, b.messages_decoded,
              b.messages_refused, b.readings_decoded, b.readings_stored, b.readings_duplicate,
              b.readings_refused)
       AS e (sensor_id, received, qos0, decoded, undecoded, readings, stored, duplicate, refused)
UNION ALL
SELECT sensor_id, hour, messages_received, messages_qos0, messages_decoded, messages_refused,
       readings_decoded, readings_stored, readings_duplicate, readings_refused, balanced
  FROM pipeline.sensor_hour;

CREATE VIEW pipeline.ledger AS
SELECT sensor_id, hour,
       sum(messages_received)::bigint AS messages_received,
       sum(messages_qos0)::bigint AS messages_qos0,
       sum(messages_decoded)::bigint AS messages_decoded,
       sum(messages_refused)::bigint AS messages_refused,
       sum(readings_decoded)::bigint AS readings_decoded,
       sum(readings_stored)::bigint AS readings_stored,
       sum(readings_duplicate)::bigint AS readings_duplicate,
       sum(readings_refused)::bigint AS readings_refused
  FROM pipeline.ledger_entry
 GROUP BY sensor_id, hour;

-- Refusals -------------------------------------------------------------------

ALTER TABLE pipeline.refusal ADD COLUMN message_id bigint;
ALTER TABLE pipeline.refusal ADD COLUMN bytes int4;
ALTER TABLE pipeline.refusal ADD COLUMN masked bool NOT NULL DEFAULT false;
ALTER TABLE pipeline.refusal ADD COLUMN accepted_sensor int4[];
ALTER TABLE pipeline.refusal ADD COLUMN accepted_readings int4[];
ALTER TABLE pipeline.refusal ADD COLUMN messages int4 NOT NULL DEFAULT 1;
ALTER TABLE pipeline.refusal ADD COLUMN qos0 bool NOT NULL DEFAULT false;
ALTER TABLE pipeline.refusal ADD COLUMN retained bool NOT NULL DEFAULT false;
COMMENT ON COLUMN pipeline.refusal.message_id IS 'the same in all rows of one message';
COMMENT ON COLUMN pipeline.refusal.messages IS
    'messages that share the row, where one sensor is refused very often; their payloads are not kept';
COMMENT ON COLUMN pipeline.refusal.retained IS
    'the broker had kept it, so its reception says nothing of its time';
COMMENT ON COLUMN pipeline.refusal.bytes IS
    'length of the payload as it came; more than is kept where it was cut';
COMMENT ON COLUMN pipeline.refusal.masked IS 'personal identifiers in it were made unreadable';
COMMENT ON COLUMN pipeline.refusal.accepted_readings IS
    'in the first row of a message: its readings that were stored or stored before, per '
    'accepted_sensor; NULL where that is not known';

CREATE SEQUENCE pipeline.refused_message;
UPDATE pipeline.refusal r
   SET message_id = m.message_id, bytes = length(r.payload),
       retained = r.detail LIKE 'a retained message%',
       accepted_sensor = CASE WHEN r.field = '' THEN '{}'::int4[] END,
       accepted_readings = CASE WHEN r.field = '' THEN '{}'::int4[] END
  FROM (SELECT refusal_id, min(refusal_id) OVER (PARTITION BY received_at, topic) AS message_id
          FROM pipeline.refusal) m
 WHERE m.refusal_id = r.refusal_id;
SELECT setval('pipeline.refused_message',
              (SELECT coalesce(max(refusal_id), 0) + 1 FROM pipeline.refusal), false);
ALTER TABLE pipeline.refusal ALTER COLUMN message_id SET NOT NULL;
ALTER TABLE pipeline.refusal ALTER COLUMN bytes SET NOT NULL;
CREATE INDEX refusal_message ON pipeline.refusal (message_id);
CREATE INDEX refusal_sensor ON pipeline.refusal (sensor_id, received_at);

-- How much room refusals take, so that retention need not count them: what was added since
-- the last look is appended, and folded into a sum per sensor. Never less than the truth.
CREATE TABLE pipeline.refusal_added (
    bytes     bigint NOT NULL,
    sensor_id int4 NOT NULL
);
CREATE TABLE pipeline.refusal_size (
    sensor_id int4 PRIMARY KEY,
    bytes     bigint NOT NULL
);
COMMENT ON COLUMN pipeline.refusal_size.bytes IS 'of payloads, and 200 for each row';
INSERT INTO pipeline.refusal_size (sensor_id, bytes)
SELECT sensor_id, sum(200 + length(payload)) FROM pipeline.refusal GROUP BY sensor_id;

-- Refusals that retention dropped, so that the ledger can still be recounted.
CREATE TABLE pipeline.forgotten (
    sensor_id int4 NOT NULL,
    day       date NOT NULL,
    cause     text NOT NULL CHECK (cause IN ('age', 'size', 'erasure')),
    messages  bigint NOT NULL,
    readings  bigint NOT NULL,
    bytes     bigint NOT NULL,
    PRIMARY KEY (sensor_id, day, cause)
);
COMMENT ON COLUMN pipeline.forgotten.day IS 'when they were dropped (UTC)';
COMMENT ON COLUMN pipeline.forgotten.messages IS 'messages refused as a whole';
COMMENT ON COLUMN pipeline.forgotten.readings IS 'refused readings of decoded messages';

-- What people changed --------------------------------------------------------

CREATE TABLE pipeline.action (
    action_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    done_at   timestamptz NOT NULL DEFAULT now(),
    person    text NOT NULL,
    action    text NOT NULL CHECK (action IN ('flag', 'correct', 'delete', 'replay', 'adjust')),
    series_id int4,
    sensor_id int4,
    start     timestamptz,
    stop      timestamptz,
    readings  bigint NOT NULL,
    detail    text NOT NULL,
    why       text NOT NULL
);
COMMENT ON TABLE pipeline.action IS 'append-only: who changed what, when and why; never a value that was erased';
COMMENT ON COLUMN pipeline.action.stop IS 'end of the span, not included';
COMMENT ON COLUMN pipeline.action.readings IS
    'how many were flagged, corrected, deleted or stored; with adjust: how many a recount missed, '
    'below 0 how many it found too many';

-- The first value wins, also over a correction of it: a redelivery of the original is a duplicate.
CREATE TABLE pipeline.correction (
    series_id int4 NOT NULL,
    time      timestamptz NOT NULL,
    original  float8 NOT NULL,
    action_id bigint NOT NULL REFERENCES pipeline.action,
    PRIMARY KEY (series_id, time)
);
COMMENT ON COLUMN pipeline.correction.original IS 'the value as it was first stored';

-- Who collects ---------------------------------------------------------------

-- One row per MQTT client id. A row without left_at that nobody has refreshed is a session
-- with a backlog and no connection.
CREATE TABLE pipeline.collector (
    client_id        text PRIMARY KEY,
    share_group      text,
    broker           text NOT NULL,
    host             text NOT NULL,
    started_at       timestamptz NOT NULL DEFAULT now(),
    seen_at          timestamptz NOT NULL DEFAULT now(),
    left_at          timestamptz,
    session_expiry_s bigint NOT NULL,
    connected        bool NOT NULL DEFAULT false,
    messages         bigint NOT NULL DEFAULT 0,
    messages_qos0    bigint NOT NULL DEFAULT 0,
    broker_dropped   bigint
);
COMMENT ON COLUMN pipeline.collector.broker IS 'host:port, without credentials';
COMMENT ON COLUMN pipeline.collector.left_at IS 'when its session was ended for good';
COMMENT ON COLUMN pipeline.collector.broker_dropped IS
    'messages that the broker says it dropped from queues since its own start; NULL: it does not say';

-- A person's word on a reading stands for what its source and the tests say, except that a
-- missing value stays missing and one out of range stays failed; and what a person called
-- failed is nobody's newest value.
COMMENT ON TABLE pipeline.reading_flag IS
    'of the tests: only readings that failed one; of persons: every reading they spoke of';

DO $$
DECLARE
    d text;
BEGIN
    FOREACH d IN ARRAY ARRAY['air', 'mobility', 'energy'] LOOP
        EXECUTE format($view$
            CREATE OR REPLACE VIEW %1$I.readings AS
            SELECT r.time, s.territory, s.territory_name, s.site, s.site_name, s.sensor, s.metric,
                   s.unit, s.kind, s.series_id, nullif(r.value, 'NaN') AS value,
                   CASE WHEN r.flag = 9 OR r.value = 'NaN' THEN 9::int2
                        WHEN q.tests & 1 = 1 THEN 4::int2
                        ELSE coalesce(q.person, greatest(r.flag, q.test)) END AS flag
              FROM %1$I.reading r
              JOIN public.series s USING (series_id)
              LEFT JOIN LATERAL (SELECT max(f.flag) FILTER (WHERE f.origin = 'person') AS person,
                                        max(f.flag) FILTER (WHERE f.origin = 'test') AS test,
                                        bit_or(f.tests) AS tests
                                   FROM pipeline.reading_flag f
                                  WHERE f.series_id = r.series_id AND f.time = r.time) q
                     ON true$view$, d);
        EXECUTE format($view$
            CREATE OR REPLACE VIEW %1$I.now AS
            SELECT s.*, r.time, r.value, r.flag
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
             WHERE s.domain = %1$L$view$, d);
    END LOOP;
END $$;
