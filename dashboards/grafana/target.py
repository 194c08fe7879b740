"""A query of the PostgreSQL data source, which the SDK does not know."""

from __future__ import annotations

from dataclasses import dataclass

from grafana_foundation_sdk.cog import builder as cog
from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.models import common

DATASOURCE = common.DataSourceRef(type_val="grafana-postgresql-datasource", uid="beffroi")


@dataclass
class PostgresQuery(variants.Dataquery):
    """One target. `shape`: ``time_series`` (a column `time`, ordered by it) or ``table``."""

    sql: str
    shape: str
    ref_id: str = "A"

    def to_json(self) -> dict[str, object]:
        """As Grafana stores it; `editorMode: code` keeps the query builder from rewriting it."""
        return {
            "datasource": DATASOURCE,
            "editorMode": "code",
            "format": self.shape,
            "rawQuery": True,
            "rawSql": self.sql,
            "refId": self.ref_id,
        }


@dataclass
class Target(cog.Builder[variants.Dataquery]):
    """What the SDK's panels take."""

    query: PostgresQuery

    def build(self) -> variants.Dataquery:
        """The query itself."""
        return self.query


def target(sql: str, shape: str) -> Target:
    """A panel's one query."""
    return Target(PostgresQuery(sql, shape))
