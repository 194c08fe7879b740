-- measures --
-- Every public measure as it stands, with the newest evaluation of it.
SELECT m.code, m.title_fr, m.title_en, m.title_de, m.objective, m.territory, m.territory_name,
       t.timezone, m.in_force, m.settled, m.ends, m.indicator, m.metric, m.daily, m.decision,
       m.decision_date, m.decision_url, m.contact, m.computed_at, m.verdict, m.reason, m.effect,
       m.unit, m.before_from, m.before_to, m.after_from, m.after_to, m.matching, m.estimate, m.low,
       m.high, m.touched_before, m.touched_after, m.comparison_before, m.comparison_after,
       m.touched_sites, m.comparison_sites, m.days_before, m.days_after
  FROM board.measures m
  JOIN board.territories t USING (territory)
 ORDER BY m.in_force DESC, m.code;

-- sensors --
-- What the air is measured with.
SELECT DISTINCT metric, sensor FROM board.series WHERE domain = 'air' AND in_service;

-- reference --
-- Names of sensors of reference quality, or patterns of them.
SELECT pattern FROM board.reference;
