-- territories --
SELECT territory, name, timezone, outline FROM board.territories ORDER BY name, territory;

-- sites --
SELECT territory, site, min(site_name), max(longitude), max(latitude)
  FROM board.sites
 GROUP BY territory, site
 ORDER BY territory, min(site_name), site;

-- heard --
-- Sensors per site, those that speak, and readings received and due in the hours of [$1, $2). A
-- sensor speaks while its newest hour with readings is at most six steps, or two hours, past. What
-- sends only on change owes nothing, and more than was due is no more than all.
  WITH hours AS (
       SELECT series_id, start, received FROM board.air_hours WHERE start >= $1 AND start < $3
        UNION ALL
       SELECT series_id, start, received FROM board.mobility_hours WHERE start >= $1 AND start < $3
        UNION ALL
       SELECT series_id, start, received FROM board.energy_hours WHERE start >= $1 AND start < $3),
       known AS (
       SELECT s.series_id, s.territory, s.site, s.sensor, s.domain, s.step_s,
              max(h.start) FILTER (WHERE h.received > 0) AS last,
              coalesce(sum(least(h.received, greatest(3600.0 / nullif(s.step_s, 0), 1.0)))
                       FILTER (WHERE h.start < $2), 0) AS received
         FROM board.series s
         LEFT JOIN hours h USING (series_id)
        WHERE s.in_service AND s.public_step_s <= 3600
        GROUP BY s.series_id, s.territory, s.site, s.sensor, s.domain, s.step_s),
       sensors AS (
       SELECT territory, site, sensor,
              bool_or(last + interval '1 hour' + make_interval(
                  secs => CASE step_s WHEN 0 THEN 86400 ELSE greatest(6 * step_s, 7200) END)
                  >= $3) AS speaks,
              sum(received) FILTER (WHERE step_s > 0) AS received,
              sum(extract(epoch FROM $2::timestamptz - $1::timestamptz) / nullif(step_s, 0)) AS due,
              bool_or(domain = 'air') AS air, bool_or(domain = 'mobility') AS mobility,
              bool_or(domain = 'energy') AS energy
         FROM known
        GROUP BY territory, site, sensor)
SELECT territory, site, count(*)::int4, count(*) FILTER (WHERE speaks)::int4,
       coalesce(floor(sum(received)), 0)::int8, coalesce(floor(sum(due)), 0)::int8,
       bool_or(air), bool_or(mobility), bool_or(energy)
  FROM sensors
 GROUP BY territory, site;
