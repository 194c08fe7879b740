-- What the platform itself uses, sampled once an hour; the ledger summed up per territory, so
-- that a year of it can be looked at; and since when marks wait.

CREATE TABLE pipeline.footprint (
    hour            timestamptz NOT NULL,
    program         text NOT NULL,
    seconds         float8 NOT NULL,
    cpu_s           float8 NOT NULL,
    memory_bytes    bigint NOT NULL,
    database_bytes  bigint,
    disk_bytes      bigint,
    disk_free_bytes bigint,
    PRIMARY KEY (hour, program)
);
COMMENT ON COLUMN pipeline.footprint.program IS 'collector or processor; several of one kind share a row';
COMMENT ON COLUMN pipeline.footprint.seconds IS 'how long the programs of the row ran, added up';
COMMENT ON COLUMN pipeline.footprint.memory_bytes IS 'the most that one process held since its start';
COMMENT ON COLUMN pipeline.footprint.disk_bytes IS
    'the file system that holds the database; NULL where no program sees it';

CREATE TABLE pipeline.relation_size (
    day         date NOT NULL,
    relation    text NOT NULL,
    rows        bigint NOT NULL,
    table_bytes bigint NOT NULL,
    index_bytes bigint NOT NULL,
    PRIMARY KEY (day, relation)
);
COMMENT ON TABLE pipeline.relation_size IS
    'hypertables with their chunks, and tables, as they were at the end of the day (UTC)';
COMMENT ON COLUMN pipeline.relation_size.rows IS 'as the planner estimates';

CREATE TABLE pipeline.territory_hour (
    hour               timestamptz NOT NULL,
    messages_received  bigint NOT NULL,
    messages_qos0      bigint NOT NULL,
    messages_decoded   bigint NOT NULL,
    messages_refused   bigint NOT NULL,
    readings_decoded   bigint NOT NULL,
    readings_stored    bigint NOT NULL,
    readings_duplicate bigint NOT NULL,
    readings_refused   bigint NOT NULL,
    territory_id       int4 NOT NULL,
    PRIMARY KEY (territory_id, hour)
);
COMMENT ON TABLE pipeline.territory_hour IS
    'the ledger per territory and reception hour (UTC), summed up once an hour';
COMMENT ON COLUMN pipeline.territory_hour.territory_id IS '0: of devices that nobody registered';

-- The age of a backlog; marks that wait already count from now on.
ALTER TABLE pipeline.dirty ADD COLUMN marked_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE pipeline.changed ADD COLUMN marked_at timestamptz NOT NULL DEFAULT now();

-- Numbers of the whole platform hold no row of any territory: every reader may see them. They
-- are read from tables, never by functions, which would run with the rights of whoever asks.
CREATE VIEW reader.platform WITH (security_barrier) AS
SELECT greatest(
           (SELECT committed_at FROM pipeline.batch ORDER BY batch_id DESC LIMIT 1),
           (SELECT max(committed_at) FROM pipeline.attempt),
           (SELECT max(hour) FROM pipeline.sensor_hour)) AS newest_commit,
       d.marks AS marks_waiting, d.oldest AS oldest_mark,
       c.marks AS changes_waiting, c.oldest AS oldest_change,
       (SELECT count(*) FROM pipeline.sensor_hour WHERE NOT balanced)
       + (SELECT count(*) FROM pipeline.batch b
           WHERE EXISTS (SELECT FROM unnest(b.messages_received, b.messages_decoded,
                                            b.messages_refused, b.readings_decoded,
                                            b.readings_stored, b.readings_duplicate,
                                            b.readings_refused)
                           AS e (received, decoded, undecoded, readings, stored, duplicate, refused)
                          WHERE e.received <> e.decoded + e.undecoded
                             OR e.readings <> e.stored + e.duplicate + e.refused)) AS unbalanced,
       (SELECT coalesce(sum(bytes), 0)::bigint
          FROM (SELECT bytes FROM pipeline.refusal_size
                UNION ALL SELECT bytes FROM pipeline.refusal_added) r) AS refusal_bytes,
       l.collectors, l.connected AS collectors_connected, l.seen AS collector_seen,
       f.hour AS sampled_hour, f.database_bytes, f.disk_bytes, f.disk_free_bytes
  FROM (SELECT count(*) AS marks, min(marked_at) AS oldest FROM pipeline.dirty) d
 CROSS JOIN (SELECT count(*) AS marks, min(marked_at) AS oldest FROM pipeline.changed) c
 CROSS JOIN (SELECT count(*) AS collectors,
                    count(*) FILTER (WHERE connected
                                       AND seen_at > now() - interval '2 minutes') AS connected,
                    max(seen_at) AS seen
               FROM pipeline.collector WHERE left_at IS NULL) l
  LEFT JOIN (SELECT hour, database_bytes, disk_bytes, disk_free_bytes
               FROM pipeline.footprint
              WHERE program = 'processor' AND database_bytes IS NOT NULL
              ORDER BY hour DESC LIMIT 1) f ON true;

CREATE VIEW reader.footprint WITH (security_barrier) AS
SELECT hour, program, seconds, cpu_s, memory_bytes, database_bytes, disk_bytes, disk_free_bytes
  FROM pipeline.footprint;

CREATE VIEW reader.relation_sizes WITH (security_barrier) AS
SELECT day, relation, rows, table_bytes, index_bytes FROM pipeline.relation_size;

CREATE VIEW reader.ledger_hours WITH (security_barrier) AS
SELECT h.hour, h.messages_received, h.messages_qos0, h.messages_decoded, h.messages_refused,
       h.readings_decoded, h.readings_stored, h.readings_duplicate, h.readings_refused,
       coalesce(t.code, '') AS territory, coalesce(t.name, '') AS territory_name
  FROM pipeline.territory_hour h
  LEFT JOIN city.territory t USING (territory_id)
 WHERE h.territory_id IN (SELECT territory_id FROM city.readable)
    OR (t.territory_id IS NULL AND EXISTS (SELECT FROM city.reads_everything));
