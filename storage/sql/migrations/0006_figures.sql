-- Indicators: the catalogue of what the trades make of rollups, and one hypertable of figures
-- per domain. What the trades must know beside readings is kept as the city wrote it.

CREATE TABLE city.indicator (
    indicator_id int2 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    indicator    text NOT NULL UNIQUE,
    domain       text NOT NULL CHECK (domain IN ('air', 'mobility', 'energy')),
    subject      text NOT NULL CHECK (subject IN ('series', 'site', 'territory')),
    period       text NOT NULL,
    unit         text NOT NULL,
    label_fr     text NOT NULL,
    label_en     text NOT NULL,
    label_de     text NOT NULL,
    source       text NOT NULL,
    methods      text[] NOT NULL,
    words        text[] NOT NULL,
    bits         boolean NOT NULL,
    public       boolean NOT NULL,
    classes      text[] NOT NULL
);
COMMENT ON COLUMN city.indicator.unit IS 'UCUM; empty: that of the series'' metric';
COMMENT ON COLUMN city.indicator.classes IS 'what the values 1, 2, 3 … of an index are called';
COMMENT ON COLUMN city.indicator.words IS 'meaning of a figure''s code: by position from 0, or by bit';

-- The tables [air], [mobility] and [energy] of city.toml.
CREATE TABLE city.trade (
    domain text PRIMARY KEY CHECK (domain IN ('air', 'mobility', 'energy')),
    facts  jsonb NOT NULL
);

-- Append-only: "the rollups of these series changed in the closed window that starts here".
CREATE TABLE pipeline.changed (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    level     text NOT NULL CHECK (level IN ('rollup_1h', 'rollup_1d')),
    start     timestamptz NOT NULL,
    series_id int4[] NOT NULL
);

DO $$
DECLARE
    d text;
BEGIN
    FOREACH d IN ARRAY ARRAY['air', 'mobility', 'energy'] LOOP
        EXECUTE format('CREATE TABLE %I.figure (
            start        timestamptz NOT NULL,
            stop         timestamptz NOT NULL,
            at           timestamptz NOT NULL,
            value        float8 NOT NULL,
            low          float8 NOT NULL,
            high         float8 NOT NULL,
            subject_id   int4 NOT NULL,
            n            int4 NOT NULL,
            due          int4 NOT NULL,
            code         int4 NOT NULL,
            indicator_id int2 NOT NULL,
            status       int2 NOT NULL,
            method       int2 NOT NULL,
            provisional  boolean NOT NULL,
            indicative   boolean NOT NULL,
            PRIMARY KEY (indicator_id, subject_id, start))', d);
        PERFORM create_hypertable(format('%I.figure', d)::regclass,
                                  by_range('start', interval '112 days'), create_default_indexes => false);
        EXECUTE format('CREATE INDEX ON %I.figure (start)', d);
        EXECUTE format('CREATE INDEX ON %I.figure (stop) WHERE provisional', d);
        EXECUTE format($view$
            CREATE VIEW %1$I.figures AS
            SELECT c.indicator, c.subject, c.period, f.start, f.stop, nullif(f.at, '-infinity') AS at,
                   nullif(f.value, 'NaN') AS value,
                   coalesce(nullif(c.unit, ''), s.unit, '') AS unit,
                   nullif(f.low, 'NaN') AS low, nullif(f.high, 'NaN') AS high, f.n, f.due,
                   (ARRAY['complete', 'partial', 'insufficient'])[f.status] AS status,
                   c.methods[f.method + 1] AS method,
                   CASE WHEN c.bits
                        THEN ARRAY(SELECT w.word FROM unnest(c.words) WITH ORDINALITY w (word, bit)
                                    WHERE f.code >> (w.bit::int - 1) & 1 = 1 ORDER BY w.bit)
                        ELSE c.words[f.code + 1:f.code + 1] END AS words,
                   CASE WHEN cardinality(c.classes) > 0 AND f.value <> 'NaN'
                        THEN c.classes[f.value::int] END AS class,
                   f.provisional, f.indicative, f.subject_id,
                   s.series_id, s.sensor, s.metric,
                   coalesce(s.site, i.code) AS site, coalesce(s.site_name, i.name) AS site_name,
                   coalesce(s.territory, t.code) AS territory,
                   coalesce(s.territory_name, t.name) AS territory_name,
                   c.label_fr, c.label_en, c.label_de
              FROM %1$I.figure f
              JOIN city.indicator c USING (indicator_id)
              LEFT JOIN public.series s ON c.subject = 'series' AND s.series_id = f.subject_id
              LEFT JOIN city.site i ON c.subject = 'site' AND i.site_id = f.subject_id
              LEFT JOIN city.territory t
                     ON t.territory_id = CASE c.subject WHEN 'territory' THEN f.subject_id
                                                        WHEN 'site' THEN i.territory_id END$view$, d);
    END LOOP;
END $$;
