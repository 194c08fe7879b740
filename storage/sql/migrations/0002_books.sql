-- Books that stay small and can be put right: batches fold into sensor-hours, refusals can
-- be replayed and are forgotten in time, what people change is written down, and collectors
-- say that they are there.

-- The ledger -----------------------------------------------------------------

-- Whose transaction it was: a collector that lost the answer to its COMMIT asks by it.
ALTER TABLE pipeline.batch ADD COLUMN attempt uuid;
ALTER TABLE pipeline.batch ADD COLUMN messages_qos0 int4[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN pipeline.batch.messages_qos0 IS 'of those received; nothing protects them';
CREATE INDEX batch_attempt ON pipeline.batch (attempt);

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
    PRIMARY KEY (sensor_id, hour)
);
COMMENT ON TABLE pipeline.sensor_hour IS 'what folded batches said, per sensor and reception hour (UTC)';

DROP VIEW pipeline.ledger;
CREATE VIEW pipeline.ledger AS
SELECT l.sensor_id, l.hour,
       sum(l.received)::bigint AS messages_received, sum(l.qos0)::bigint AS messages_qos0,
       sum(l.decoded)::bigint AS messages_decoded, sum(l.undecoded)::bigint AS messages_refused,
       sum(l.readings)::bigint AS readings_decoded, sum(l.stored)::bigint AS readings_stored,
       sum(l.duplicate)::bigint AS readings_duplicate, sum(l.refused)::bigint AS readings_refused
  FROM (SELECT e.sensor_id, b.hour, e.received, coalesce(e.qos0, 0) AS qos0, e.decoded,
               e.undecoded, e.readings, e.stored, e.duplicate, e.refused
          FROM pipeline.batch b,
               unnest(b.sensor_id, b.messages_received, b.messages_qos0, b.messages_decoded,
                      b.messages_refused, b.readings_decoded, b.readings_stored,
                      b.readings_duplicate, b.readings_refused)
               AS e (sensor_id, received, qos0, decoded, undecoded, readings, stored, duplicate,
                     refused)
        UNION ALL
        SELECT sensor_id, hour, messages_received, messages_qos0, messages_decoded,
               messages_refused, readings_decoded, readings_stored, readings_duplicate,
               readings_refused
          FROM pipeline.sensor_hour) l
 GROUP BY l.sensor_id, l.hour;

-- Refusals -------------------------------------------------------------------

ALTER TABLE pipeline.refusal ADD COLUMN message_id bigint;
ALTER TABLE pipeline.refusal ADD COLUMN bytes int4;
ALTER TABLE pipeline.refusal ADD COLUMN masked bool NOT NULL DEFAULT false;
ALTER TABLE pipeline.refusal ADD COLUMN accepted_sensor int4[];
ALTER TABLE pipeline.refusal ADD COLUMN accepted_readings int4[];
COMMENT ON COLUMN pipeline.refusal.message_id IS 'the same in all rows of one message';
COMMENT ON COLUMN pipeline.refusal.bytes IS
    'length of the payload as it came; more than is kept where it was cut';
COMMENT ON COLUMN pipeline.refusal.masked IS 'personal identifiers in it were made unreadable';
COMMENT ON COLUMN pipeline.refusal.accepted_readings IS
    'in the first row of a message: its readings that were stored or stored before, per '
    'accepted_sensor; NULL where that is not known';

CREATE SEQUENCE pipeline.refused_message;
UPDATE pipeline.refusal r
   SET message_id = m.message_id, bytes = length(r.payload),
       accepted_sensor = CASE WHEN r.field = '' THEN '{}'::int4[] END,
       accepted_readings = CASE WHEN r.field = '' THEN '{}'::int4[] END
  FROM (SELECT refusal_id, min(refusal_id) OVER (PARTITION BY received_at, topic) AS message_id
          FROM pipeline.refusal) m
 WHERE m.refusal_id = r.refusal_id;
SELECT setval('pipeline.refused_message', (SELECT coalesce(max(refusal_id), 0) + 1 FROM pipeline.refusal));
ALTER TABLE pipeline.refusal ALTER COLUMN message_id SET NOT NULL;
ALTER TABLE pipeline.refusal ALTER COLUMN bytes SET NOT NULL;
CREATE INDEX refusal_message ON pipeline.refusal (message_id);

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
    action    text NOT NULL CHECK (action IN ('flag', 'correct', 'delete', 'replay')),
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
COMMENT ON COLUMN pipeline.action.readings IS 'how many were flagged, corrected, deleted or stored';

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
