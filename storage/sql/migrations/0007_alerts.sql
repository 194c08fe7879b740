-- What watches over all trades: which series were heard, what is usual in each hour of the
-- week, and alerts on sensors that somebody should look after.

ALTER TABLE city.trade DROP CONSTRAINT trade_domain_check;
ALTER TABLE city.trade
  ADD CONSTRAINT trade_domain_check CHECK (domain IN ('air', 'mobility', 'energy', 'watch'));

-- Brought up to date once an hour: whoever wants the newest reading asks from here on.
CREATE TABLE pipeline.heard (
    series_id int4 PRIMARY KEY,
    first     timestamptz NOT NULL,
    last      timestamptz NOT NULL
);
COMMENT ON TABLE pipeline.heard IS
    'of each series that ever sent something: its oldest and newest reading, as of the last full hour';

-- Arrays of 168 hours from Monday 00:00, local time: 1.7 kB a row, where a row per hour would
-- take ten times as much. Kept for ever, so that a late reading is judged as its week was.
CREATE TABLE pipeline.week_profile (
    series_id int4 NOT NULL,
    week      date NOT NULL,
    floor     float8 NOT NULL,
    stale     bool NOT NULL DEFAULT false,
    median    bytea NOT NULL,
    mad       bytea NOT NULL,
    count     bytea NOT NULL,
    PRIMARY KEY (week, series_id)
);
ALTER TABLE pipeline.week_profile ALTER median SET STORAGE MAIN, ALTER mad SET STORAGE MAIN;
CREATE INDEX week_profile_stale ON pipeline.week_profile (week, series_id) WHERE stale;
COMMENT ON COLUMN pipeline.week_profile.week IS 'the Monday since when it is in force; made of the weeks before';
COMMENT ON COLUMN pipeline.week_profile.floor IS 'no hour is taken to scatter less';
COMMENT ON COLUMN pipeline.week_profile.stale IS 'an hour that it was made of has changed since';
COMMENT ON COLUMN pipeline.week_profile.median IS '168 float4, little-endian; NaN where too little is known';
COMMENT ON COLUMN pipeline.week_profile.mad IS '168 float4, little-endian: median absolute deviation';
COMMENT ON COLUMN pipeline.week_profile.count IS '168 bytes: how many values each is made of';

CREATE TABLE pipeline.alert (
    alert_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    series_id int4 NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('silence', 'stuck', 'drift', 'jump')),
    since     timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    value     float8 NOT NULL,
    reference float8 NOT NULL
);
-- One alert of a kind is open for a series at a time: opening it again changes nothing.
CREATE UNIQUE INDEX alert_open ON pipeline.alert (series_id, kind) WHERE closed_at IS NULL;
CREATE INDEX alert_opened_at ON pipeline.alert (opened_at);
COMMENT ON COLUMN pipeline.alert.since IS
    'silence: the last reading; stuck: the first hour of the value; drift: the first day looked at; jump: the day of the new level';
COMMENT ON COLUMN pipeline.alert.value IS
    'as it was when it opened. silence: the silence allowed [s]; stuck: the value; drift: the change against the neighbours; jump: the new level [unit]';
COMMENT ON COLUMN pipeline.alert.reference IS
    'silence: the expected step [s]; stuck: how long a value may stand [h]; drift: the usual scatter from day to day; jump: the level to be expected, by the days before or by the neighbours [unit]';

CREATE VIEW public.alerts AS
SELECT a.alert_id, a.kind, a.since, a.opened_at, a.closed_at, nullif(a.value, 'NaN') AS value,
       nullif(a.reference, 'NaN') AS reference, s.unit, s.series_id, s.domain, s.metric, s.field,
       s.sensor, s.site, s.site_name, s.territory, s.territory_name, s.timezone, s.label_fr,
       s.label_en, s.label_de, s.in_service
  FROM pipeline.alert a
  JOIN public.series s USING (series_id);
