-- Roles that may only look. Whoever may view a Grafana dashboard can send any SQL through
-- its data source, so the rights are the protection. They reach views only: a grant on a
-- hypertable would reach its chunks, where nothing further can be withheld.
-- Run by psql as the owner, after every migration; it may be run any number of times.

\set ON_ERROR_STOP on
\getenv board_password BEFFROI_BOARD_PASSWORD
\getenv grafana_password BEFFROI_GRAFANA_DB_PASSWORD

SELECT format('CREATE ROLE %I LOGIN NOINHERIT', name)
  FROM (VALUES ('beffroi_board'), ('beffroi_grafana')) r (name)
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

ALTER ROLE beffroi_board NOINHERIT CONNECTION LIMIT 20 PASSWORD :'board_password';
ALTER ROLE beffroi_grafana NOINHERIT CONNECTION LIMIT 20 PASSWORD :'grafana_password';
ALTER ROLE beffroi_board SET default_transaction_read_only = on;
ALTER ROLE beffroi_grafana SET default_transaction_read_only = on;
ALTER ROLE beffroi_board SET statement_timeout = '5s';
ALTER ROLE beffroi_board SET jit = off;
ALTER ROLE beffroi_grafana SET statement_timeout = '30s';
ALTER ROLE beffroi_grafana SET lock_timeout = '5s';
ALTER ROLE beffroi_grafana SET idle_in_transaction_session_timeout = '60s';
-- The functions of TimescaleDB that queries call stand in `public`.
ALTER ROLE beffroi_grafana SET search_path = reader, public;
ALTER ROLE beffroi_grafana SET jit = off;
-- Else whole chunks of figures are read for the few indicators that a page asks for.
ALTER ROLE beffroi_board SET random_page_cost = 1.1;
ALTER ROLE beffroi_grafana SET random_page_cost = 1.1;
SELECT 'ALTER ROLE beffroi_grafana SET temp_file_limit = ''1GB'''
 WHERE has_parameter_privilege('temp_file_limit', 'SET')
\gexec

-- TimescaleDB has functions that drop chunks for whoever calls them. `beffroi migrate` takes them
-- from everybody where it is a superuser; elsewhere nobody may look before a superuser did.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_proc p WHERE p.proname = 'drop_chunk'
                AND has_function_privilege('public', p.oid, 'EXECUTE')) THEN
        RAISE 'everybody may drop chunks in this database: a superuser must run storage/sql/everybody.sql in it first';
    END IF;
END $$;

-- Who makes things in schemas of its own would have a place for functions that others call.
SELECT format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()) \gexec

-- The public board reads the views of the schema `board`, which hold public figures only, and no
-- longer what it was granted before there were these.
REVOKE ALL ON ALL TABLES IN SCHEMA public, city, pipeline, air, mobility, energy, reader
  FROM beffroi_board;
REVOKE ALL ON SCHEMA city, pipeline, air, mobility, energy, reader FROM beffroi_board;
GRANT USAGE ON SCHEMA board TO beffroi_board;
GRANT SELECT ON ALL TABLES IN SCHEMA board TO beffroi_board;

-- Grafana reads the views of the schema `reader`, here those rows of every territory; roles of
-- one territory each are made where organisations of Grafana's are.
REVOKE ALL ON ALL TABLES IN SCHEMA public, city, pipeline, air, mobility, energy
  FROM beffroi_grafana;
REVOKE ALL ON SCHEMA city, pipeline, air, mobility, energy FROM beffroi_grafana;
GRANT USAGE ON SCHEMA reader TO beffroi_grafana;
GRANT SELECT ON ALL TABLES IN SCHEMA reader TO beffroi_grafana;
INSERT INTO city.reader (role, territory_id) VALUES ('beffroi_grafana', NULL)
ON CONFLICT DO NOTHING;
SELECT format('COMMENT ON ROLE beffroi_grafana IS %L',
              'Beffroi: reads the database ' || current_database())
\gexec
