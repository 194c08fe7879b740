"""Whether a data source may really do nothing but read its own territory.

Whoever may view a page can send any SQL through its data source, so this is asked of the data
source itself and not of the database's owner.
"""

from __future__ import annotations

from collections.abc import Generator

from dashboards.delivery import frames, questions
from dashboards.delivery.finding import Finding
from dashboards.delivery.server import Organisation
from dashboards.grafana.target import DATASOURCE

_WHO = """
SELECT current_user::text AS role, (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb
       OR rolreplication)::int AS mighty
  FROM pg_roles WHERE rolname = current_user"""

# Relations of ours outside the schema `reader`, and chunks, that this role may touch.
_TOUCHED = """
SELECT c.oid::regclass::text AS relation
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND (n.nspname IN ('city', 'pipeline', 'public', 'air', 'mobility', 'energy')
        OR (n.nspname = '_timescaledb_internal' AND c.relname ~ '(hyper_[0-9]+_[0-9]+_chunk|_hypertable_[0-9]+)$'))
   AND (has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
        OR has_table_privilege(c.oid, 'DELETE, TRUNCATE, TRIGGER'))
 ORDER BY 1 LIMIT 5"""

_WRITABLE = """
SELECT c.oid::regclass::text AS relation
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'reader' AND has_any_column_privilege(c.oid, 'INSERT, UPDATE')
 ORDER BY 1 LIMIT 5"""

# Functions that ask for no other right, one of each kind: they drop chunks, hold locks, fill the disk.
_CALLED = """
SELECT p.proname::text AS function FROM pg_proc p
 WHERE p.proname IN ('drop_chunk', 'merge_chunks', 'pg_advisory_lock', 'lo_create')
   AND has_function_privilege(p.oid, 'EXECUTE')
 GROUP BY 1 ORDER BY 1"""

_REMEDY = "beffroi grafana push mends its rights; see that nobody granted it others by hand"


def reader_findings(
    organisation: Organisation, code: str | None, role: str
) -> Generator[Finding, None, bool]:
    """One line if all is as it should be, else one for each thing that is not.

    Returns whether it reads anything: else no query can answer.
    """
    name = organisation.name
    who = frames.columns(_ask(organisation, _WHO))
    if who.get("role") != [role]:
        # A session that Grafana has kept outlives its role for a while.
        found = f"reads as {who['role']} and not as {role}" if "role" in who else "is gone"
        yield Finding(name, "reader", False, f"{role} {found}", _REMEDY)
        return False
    bad = []
    if who.get("mighty") != [0]:
        bad.append(f"{role} may do more than read: create roles or databases, or pass by policies")
    for sql in (_TOUCHED, _WRITABLE):
        answer = _ask(organisation, sql)
        if trouble := frames.trouble(answer):
            bad.append(f"the rights of {role} could not be asked: {trouble}")
        if touched := frames.columns(answer).get("relation"):
            bad.append(f"{role} may touch {', '.join(map(str, touched))}")
    called = frames.columns(_ask(organisation, _CALLED)).get("function", [])
    if called:
        bad.append(
            f"{role}, as everybody in this database, may call {', '.join(map(str, called))}: a "
            "superuser runs storage/sql/everybody.sql in it"
        )
    for table in ("city.series", "city.reader"):
        if not frames.trouble(_ask(organisation, f"SELECT count(*) FROM {table}")):
            bad.append(f"{role} can read {table}")
    seen = _ask(organisation, "SELECT territory FROM reader.territories")
    territories = frames.columns(seen).get("territory", [])
    if blind := frames.trouble(seen):
        bad.append(f"{role} cannot read its territory: {blind}")
    elif code is not None and territories != [code]:
        bad.append(f"{role} sees the territories {territories or 'none'} and not only {code}")
    for found in bad:
        yield Finding(name, "reader", False, found, _REMEDY)
    if not bad:
        yield Finding(name, "reader", True, f"{role} reads the views of {code or 'all'} only")
    return not blind


def _ask(organisation: Organisation, sql: str) -> dict[str, object]:
    target = {
        "refId": "A",
        "datasource": {"type": DATASOURCE.type_val, "uid": DATASOURCE.uid},
        "format": "table",
    }
    answer: dict[str, object] = organisation.query(questions.request(target, sql))
    return answer
