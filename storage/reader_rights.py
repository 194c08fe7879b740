"""What a reader may do in the database, held against what it should."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Any

import psycopg
from psycopg import sql

EVERYBODY = (resources.files("storage.sql") / "everybody.sql").read_text("utf-8")
"""Takes from everybody what a reader must not do; does nothing unless a superuser runs it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One statement, and what it does in words."""

    said: str
    statement: sql.Composed


_WORDS = {
    "pg_class": "TABLE",
    "pg_proc": "ROUTINE",
    "pg_namespace": "SCHEMA",
    "pg_database": "DATABASE",
    "pg_type": "TYPE",
    "pg_language": "LANGUAGE",
    "pg_foreign_data_wrapper": "FOREIGN DATA WRAPPER",
    "pg_foreign_server": "FOREIGN SERVER",
    "pg_tablespace": "TABLESPACE",
    "pg_largeobject": "LARGE OBJECT",
    "pg_parameter_acl": "PARAMETER",
}

# Everything whose list of rights names the role, here or on the server, wherever it stands;
# hypertables before their chunks, which follow them.
_NAMED = """
    SELECT c.relname, i.identity, coalesce(n.relkind, '') AS relkind,
           coalesce(n.relnamespace = 'reader'::regnamespace AND n.relkind = 'v', false)
           OR (d.classid = 'pg_namespace'::regclass AND d.objid = 'reader'::regnamespace) AS ours,
           array(SELECT a.privilege_type || CASE WHEN a.is_grantable THEN ' and on' ELSE '' END
                   FROM aclexplode(coalesce(n.relacl, s.nspacl)) a
                  WHERE a.grantee = d.refobjid ORDER BY 1)
           || array(SELECT 'column ' || t.attname FROM pg_attribute t, aclexplode(t.attacl) a
                     WHERE t.attrelid = n.oid AND a.grantee = d.refobjid) AS rights
      FROM pg_shdepend d
      JOIN pg_class c ON c.oid = d.classid
      CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) i
      LEFT JOIN pg_class n ON d.classid = 'pg_class'::regclass AND n.oid = d.objid
      LEFT JOIN pg_namespace s ON d.classid = 'pg_namespace'::regclass AND s.oid = d.objid
     WHERE d.refclassid = 'pg_authid'::regclass
       AND d.refobjid = (SELECT oid FROM pg_roles WHERE rolname = %(role)s)
       AND d.deptype = 'a'
       AND d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
     GROUP BY d.classid, d.objid, d.refobjid, c.relname, i.identity, n.oid, n.relkind,
              n.relnamespace, n.relacl, s.nspacl
     ORDER BY i.identity LIKE '\\_timescaledb\\_internal.%%', i.identity
"""
_MEMBER = """
    SELECT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
     WHERE m.member = (SELECT oid FROM pg_roles WHERE rolname = %(role)s)
     ORDER BY 1
"""
_LACKING = """
    SELECT format('%%I.%%I', v.schemaname, v.viewname), v.viewname FROM pg_views v
     WHERE v.schemaname = 'reader'
       AND NOT EXISTS (SELECT FROM pg_class c, aclexplode(c.relacl) a
                        WHERE c.oid = format('%%I.%%I', v.schemaname, v.viewname)::regclass
                          AND a.grantee = (SELECT oid FROM pg_roles WHERE rolname = %(role)s)
                          AND a.privilege_type = 'SELECT')
     ORDER BY 2
"""
_MAY_ENTER = """
    SELECT 1 FROM pg_namespace s, aclexplode(s.nspacl) a
     WHERE s.nspname = 'reader' AND a.privilege_type = 'USAGE'
       AND a.grantee = (SELECT oid FROM pg_roles WHERE rolname = %(role)s)
"""
_TEMPORARY = """
    SELECT 1 FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
     WHERE d.datname = current_database() AND a.grantee = 0 AND a.privilege_type = 'TEMPORARY'
"""
# One of each kind that EVERYBODY takes away.
_OPEN = """
    SELECT 1 FROM pg_proc p
     WHERE (p.proname IN ('drop_chunk', 'merge_chunks', 'pg_advisory_lock', 'lo_create',
                          'pg_logical_emit_message')
            AND has_function_privilege('public', p.oid, 'EXECUTE'))
        OR (p.oid = 'float8lt'::regproc AND p.proleakproof)
    UNION ALL
    SELECT 1 FROM pg_language l, aclexplode(coalesce(l.lanacl, acldefault('l', l.lanowner))) a
     WHERE l.lanname = 'plpgsql' AND a.grantee = 0
"""
_OWNER_WITHOUT = """
    SELECT r.rolname FROM pg_namespace s JOIN pg_roles r ON r.oid = s.nspowner, pg_database d
     WHERE s.nspname = 'reader' AND d.datname = current_database()
       AND NOT r.rolsuper AND r.oid <> d.datdba
"""


def rights_beyond(
    connection: psycopg.Connection[Any], role: str, *, readers_own: bool = True
) -> list[Change]:
    """Rights and memberships to take away: all but looking at the views of the schema `reader`.

    Without `readers_own` those too. What everybody may do counts as the role's as well: temporary
    tables and functions would be a place to make things in, and some functions of TimescaleDB
    drop chunks for whoever calls them.
    """
    name, given = sql.Identifier(role), {"role": role}
    changes = [
        Change(
            f"{role}: no member of {group}",
            sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(group), name),
        )
        for (group,) in connection.execute(_MEMBER, given)
    ]
    for catalog, identity, kind, ours, rights in connection.execute(_NAMED, given).fetchall():
        allowed = ["USAGE"] if catalog == "pg_namespace" else ["SELECT"]
        if readers_own and ours and rights == allowed:
            continue
        if catalog in _WORDS:
            what = sql.SQL("SEQUENCE" if kind == "S" else _WORDS[catalog])
            taken = sql.SQL("REVOKE ALL ON {} {} FROM {} CASCADE").format(
                what, sql.SQL(identity), name
            )
        else:
            # Of a role that owns nothing, this takes the rights alone.
            taken = sql.SQL("DROP OWNED BY {}").format(name)
        changes.append(Change(f"{role}: no right on {identity}", taken))
    if readers_own and connection.execute(_OPEN).fetchone():
        changes.append(
            Change(
                "everybody: nothing that drops, locks or runs code "
                "(storage/sql/everybody.sql, run by a superuser in this database)",
                sql.Composed([sql.SQL(EVERYBODY)]),
            )
        )
    if readers_own and connection.execute(_TEMPORARY).fetchone():
        database = sql.Identifier(connection.info.dbname)
        # Programs make some while they store.
        changes.extend(
            Change(
                f"{owner}: temporary tables in this database",
                sql.SQL("GRANT TEMPORARY ON DATABASE {} TO {}").format(
                    database, sql.Identifier(owner)
                ),
            )
            for (owner,) in connection.execute(_OWNER_WITHOUT)
        )
        changes.append(
            Change(
                "everybody: no temporary tables in this database",
                sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(database),
            )
        )
    return changes


def grants_lacking(connection: psycopg.Connection[Any], role: str) -> list[Change]:
    """Views of the schema `reader` that the role may not look at yet."""
    name, given = sql.Identifier(role), {"role": role}
    changes = []
    if not connection.execute(_MAY_ENTER, given).fetchone():
        changes.append(
            Change(
                f"{role}: enters the schema reader",
                sql.SQL("GRANT USAGE ON SCHEMA reader TO {}").format(name),
            )
        )
    changes.extend(
        Change(
            f"{role}: looks at reader.{view}",
            sql.SQL("GRANT SELECT ON {} TO {}").format(sql.SQL(identity), name),
        )
        for identity, view in connection.execute(_LACKING, given).fetchall()
    )
    return changes
