-- What the city decided, and what became of it. A correction is a new version: rows of
-- city.measure are never changed, so that an evaluation says for ever what it was of.

CREATE TABLE city.measure (
    measure_id         int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code               text NOT NULL,
    version            int4 NOT NULL,
    registered_at      timestamptz NOT NULL DEFAULT now(),
    person             text NOT NULL,
    why                text NOT NULL,
    retired            boolean NOT NULL,
    title_fr           text NOT NULL,
    title_en           text NOT NULL,
    title_de           text NOT NULL,
    objective          text NOT NULL,
    territory          text NOT NULL REFERENCES city.territory (code) ON UPDATE CASCADE,
    in_force           date NOT NULL,
    settled            date,
    ends               date,
    indicator          text NOT NULL,
    metric             text NOT NULL,
    daily              text CHECK (daily IN ('mean', 'total')),
    expected           text NOT NULL CHECK (expected IN ('down', 'up')),
    effect             text NOT NULL CHECK (effect IN ('absolute', 'percent')),
    touched_sensors    text[] NOT NULL,
    touched_sites      text[] NOT NULL,
    comparison         text NOT NULL CHECK (comparison IN ('city', 'territory', 'elsewhere')),
    comparison_sensors text[] NOT NULL,
    comparison_sites   text[] NOT NULL,
    min_days           int4 NOT NULL,
    decision           text NOT NULL,
    decision_date      date,
    decision_url       text NOT NULL,
    contact            text NOT NULL,
    UNIQUE (code, version)
);
COMMENT ON COLUMN city.measure.settled IS 'first day that counts as after; days since in_force are left out';

CREATE TABLE city.evaluation (
    evaluation_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    measure_id         int4 NOT NULL REFERENCES city.measure,
    computed_at        timestamptz NOT NULL DEFAULT now(),
    method             text NOT NULL,
    verdict            text NOT NULL CHECK (verdict IN ('expected', 'against', 'not_conclusive')),
    reason             text NOT NULL,
    effect             text NOT NULL,
    unit               text NOT NULL,
    before_from        date NOT NULL,
    before_to          date NOT NULL,
    after_from         date NOT NULL,
    after_to           date NOT NULL,
    matching           text NOT NULL,
    estimate           float8,
    low                float8,
    high               float8,
    basis              text NOT NULL,
    touched_before     float8,
    touched_after      float8,
    comparison_before  float8,
    comparison_after   float8,
    touched_sites      int4 NOT NULL,
    touched_series     int4 NOT NULL,
    comparison_sites   int4 NOT NULL,
    comparison_series  int4 NOT NULL,
    days_before        int4 NOT NULL,
    days_after         int4 NOT NULL,
    placebo_estimate   float8,
    placebo_low        float8,
    placebo_high       float8,
    placebo_matching   text NOT NULL
);
CREATE INDEX evaluation_measure ON city.evaluation (measure_id, evaluation_id);

-- Every measure as it stands, with the newest evaluation of that version.
CREATE VIEW city.measures AS
SELECT m.measure_id, m.code, m.version, m.registered_at, m.title_fr, m.title_en, m.title_de,
       m.objective, m.territory, t.name AS territory_name, m.in_force, m.settled, m.ends,
       m.indicator, m.metric, m.daily, m.expected, m.decision, m.decision_date, m.decision_url,
       m.contact, e.computed_at, e.method, e.verdict, e.reason, e.effect, e.unit, e.before_from,
       e.before_to, e.after_from, e.after_to, e.matching, e.estimate, e.low, e.high, e.basis,
       e.touched_before, e.touched_after, e.comparison_before, e.comparison_after,
       e.touched_sites, e.touched_series, e.comparison_sites, e.comparison_series, e.days_before,
       e.days_after, e.placebo_estimate, e.placebo_low, e.placebo_high
  FROM (SELECT DISTINCT ON (code) * FROM city.measure ORDER BY code, version DESC) m
  JOIN city.territory t ON t.code = m.territory
  LEFT JOIN LATERAL (SELECT * FROM city.evaluation e
                      WHERE e.measure_id = m.measure_id
                      ORDER BY e.evaluation_id DESC
                      LIMIT 1) e ON true
 WHERE NOT m.retired;
