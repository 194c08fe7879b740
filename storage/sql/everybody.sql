-- What everybody may do in a new database, and a role that may only look must not. Run at every
-- migration, since an update of TimescaleDB brings functions that everybody may call again; it
-- changes nothing where all is shut. A superuser alone can do this: for others it does nothing,
-- and a superuser runs this file once in that database.
DO $$
DECLARE
    one    text;
    -- Who migrates, who owns the database and whose programs store: they go on as before.
    owners text := (SELECT string_agg(quote_ident(rolname), ', ')
                      FROM pg_roles r
                     WHERE r.oid IN (current_user::regrole,
                                     (SELECT datdba FROM pg_database
                                       WHERE datname = current_database()),
                                     (SELECT nspowner FROM pg_namespace WHERE nspname = 'city')));
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RETURN;
    END IF;

    -- Locks that programs of ours wait for; large objects and messages that fill the disk; and
    -- whatever of TimescaleDB changes something: some of it asks for no right at all, drops a
    -- chunk even in a read-only transaction, or brings the server down. Letting locks go stays
    -- free, as drivers do that whenever a connection is handed back; placeholders that the
    -- planner replaces stay too.
    FOR one IN
        SELECT p.oid::regprocedure::text FROM pg_proc p
         WHERE has_function_privilege('public', p.oid, 'EXECUTE')
           AND ((p.pronamespace = 'pg_catalog'::regnamespace
                 AND (p.proname ~ '^pg_(try_)?advisory_(xact_)?lock'
                      OR p.proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put',
                                       'lo_open', 'lowrite', 'lo_truncate', 'lo_truncate64',
                                       'lo_unlink', 'pg_logical_emit_message')))
                OR (p.provolatile = 'v' AND p.prokind IN ('f', 'p')
                    AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
                    AND p.proname NOT IN ('time_bucket_gapfill', 'locf', 'interpolate')
                    AND EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                                 WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                                   AND d.refclassid = 'pg_extension'::regclass
                                   AND d.deptype = 'e' AND e.extname = 'timescaledb')))
    LOOP
        EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %s', one, owners);
        EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', one);
    END LOOP;

    -- Code of its own.
    IF EXISTS (SELECT FROM pg_language l, aclexplode(coalesce(l.lanacl, acldefault('l', l.lanowner))) a
                WHERE l.lanname = 'plpgsql' AND a.grantee = 0) THEN
        EXECUTE format('GRANT USAGE ON LANGUAGE plpgsql TO %s', owners);
        REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
    END IF;

    -- A comparison that is trusted to tell nothing is tried on rows below a security barrier, and
    -- EXPLAIN ANALYZE counts the rows it fits: by halving, a reader of one territory would learn
    -- the values of another. What finds rows by an index stays trusted: equality, the order of times.
    FOR one IN
        SELECT p.oid::regprocedure::text FROM pg_proc p
         WHERE p.proleakproof AND p.pronargs = 2 AND p.pronamespace = 'pg_catalog'::regnamespace
           AND (p.proname !~ '(eq|ne)$' OR p.proname ~ '^float')
           AND p.proname !~ '^(timestamp|timestamptz|date)_'
    LOOP
        EXECUTE format('ALTER FUNCTION %s NOT LEAKPROOF', one);
    END LOOP;
END $$;
