-- places --
SELECT territory, name, timezone FROM board.territories;

-- sensors --
-- What measures the pollutants of the index, and where.
SELECT territory, metric, count(*)::int4 AS series, array_agg(DISTINCT site) AS sites
  FROM board.series
 WHERE in_service AND metric = ANY($1)
 GROUP BY territory, metric;

-- hours --
-- The European index of every territory and hour that is over: that of its worst site.
SELECT DISTINCT ON (territory, start)
       territory, start, stop, value, words, site, site_name, indicative,
       count(*) OVER (PARTITION BY territory, start)::int4 AS sites
  FROM board.air_figures
 WHERE indicator = 'eaqi'
   AND start > $1::timestamptz - interval '26 hours' AND start <= $1 AND stop <= $1
   AND value IS NOT NULL
 ORDER BY territory, start, value DESC, site_name;

-- means --
-- Every series' newest hourly mean. Where a series is corrected for humidity it has a row of
-- `pm_corrected`, without a value where none of its hours could be.
SELECT DISTINCT ON (indicator, series_id)
       indicator, series_id, metric, territory, start, stop, value, indicative
  FROM board.air_figures
 WHERE indicator IN ('air_hour_mean', 'pm_corrected')
   AND start > $1::timestamptz - interval '24 hours' AND start <= $1 AND stop <= $1
   AND metric = ANY($2)
 ORDER BY indicator, series_id, (value IS NULL), start DESC;

-- classes --
-- Every series' newest class of the European index.
SELECT DISTINCT ON (series_id) series_id, start, value
  FROM board.air_figures
 WHERE indicator = 'eaqi_sub'
   AND start > $1::timestamptz - interval '24 hours' AND start <= $1 AND stop <= $1
   AND metric = ANY($2) AND value IS NOT NULL
 ORDER BY series_id, start DESC;

-- faults --
-- Hours of low-cost sensors that cannot be true.
SELECT series_id, start
  FROM board.air_figures
 WHERE indicator = 'pm_plausible'
   AND start > $1::timestamptz - interval '24 hours' AND start <= $1 AND stop <= $1 AND value = 0;

-- passed --
-- Thresholds that measurements passed today, as far as the day has come.
SELECT territory, indicator, metric, site_name, value, at, indicative
  FROM board.air_figures
 WHERE indicator IN ('threshold_fr', 'threshold_eu')
   AND start > $1::timestamptz - interval '26 hours' AND start <= $1 AND stop > $1
   AND value >= 1
 ORDER BY value DESC, at, metric, site_name;

-- forecasts --
-- The newest that was relayed of the official forecast.
SELECT DISTINCT ON (territory) territory, time, value
  FROM board.air_now
 WHERE metric = 'air_index_tomorrow'
 ORDER BY territory, time DESC;
