-- Roles that may only look. Whoever may view a Grafana dashboard can send any SQL through
-- its data source, so the grants are the protection. They reach views only: a grant on a
-- hypertable would reach its chunks, where nothing further can be withheld.
-- Run by psql as the owner, after every migration; it may be run any number of times.

\set ON_ERROR_STOP on
\getenv board_password BEFFROI_BOARD_PASSWORD
\getenv grafana_password BEFFROI_GRAFANA_DB_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', name)
  FROM (VALUES ('beffroi_board'), ('beffroi_grafana')) r (name)
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

ALTER ROLE beffroi_board PASSWORD :'board_password';
ALTER ROLE beffroi_grafana PASSWORD :'grafana_password';
ALTER ROLE beffroi_board SET default_transaction_read_only = on;
ALTER ROLE beffroi_grafana SET default_transaction_read_only = on;
ALTER ROLE beffroi_board SET statement_timeout = '5s';
ALTER ROLE beffroi_grafana SET statement_timeout = '30s';

GRANT USAGE ON SCHEMA air, mobility, energy TO beffroi_board, beffroi_grafana;
GRANT SELECT ON public.series,
      air.now, air.quarter_hours, air.hours, air.days,
      mobility.now, mobility.quarter_hours, mobility.hours, mobility.days,
      energy.now, energy.quarter_hours, energy.hours, energy.days
   TO beffroi_board, beffroi_grafana;

-- The board asks the catalogue what the public may see.
GRANT USAGE ON SCHEMA city TO beffroi_board;
GRANT SELECT ON city.metric TO beffroi_board;

-- Figures, alerts and the register of measures are for staff; what of them is public, the
-- catalogue of indicators says.
GRANT USAGE ON SCHEMA city TO beffroi_grafana;
GRANT SELECT ON air.figures, mobility.figures, energy.figures, public.alerts, city.measures
   TO beffroi_grafana;
