"""Every query that a dashboard or a rule asks, taken from its JSON; pure."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

POINTS = 1000
"""Columns of pixels that a panel is given."""

RANGE_MS = 86_400_000
"""How far back a check asks. [ms]"""


@dataclass(frozen=True, slots=True)
class Question:
    """One query of a panel, variable or annotation.

    `of`: what asks; `kind`: panel, variable or annotation.
    """

    of: str
    kind: str
    target: Json

    @property
    def sql(self) -> str:
        """Before variables are filled in."""
        return str(self.target.get("rawSql", ""))


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that asks the database for its values."""

    name: str
    sql: str


def variables(dashboard: Json) -> list[Variable]:
    """In the order in which they may use one another."""
    found = []
    for one in dashboard.get("templating", {}).get("list", []):
        if one.get("type") == "query":
            query = one.get("query")
            sql = query.get("rawSql") or query.get("query") if isinstance(query, dict) else query
            found.append(Variable(str(one["name"]), str(sql)))
    return found


def questions(dashboard: Json) -> Iterator[Question]:
    """Of annotations and of every panel, also those in folded rows."""
    for one in dashboard.get("annotations", {}).get("list", []):
        if (target := one.get("target")) and target.get("rawSql"):
            yield Question(str(one.get("name", "")), "annotation", target)
    yield from _panels(dashboard.get("panels", []))


def asked(target: Json, sql: str, interval_ms: int) -> Json:
    """One query of a panel as it is sent."""
    return {
        "refId": target.get("refId", "A"),
        "datasource": target["datasource"],
        "rawSql": sql,
        "format": target.get("format", "table"),
        "intervalMs": interval_ms,
        "maxDataPoints": POINTS,
    }


def request(target: Json, sql: str, interval_ms: int = 900_000) -> Json:
    """One query over the last day."""
    now = int(time.time() * 1000)
    return {
        "from": str(now - RANGE_MS),
        "to": str(now),
        "queries": [asked(target, sql, interval_ms)],
    }


def rule_request(rule: Json) -> Json:
    """All queries and expressions of a rule, as one request."""
    now = int(time.time())
    parts = rule.get("data", [])
    longest = max((int((one.get("relativeTimeRange") or {}).get("from", 0)) for one in parts),
                  default=0)  # fmt: skip
    return {
        "from": str((now - longest) * 1000),
        "to": str(now * 1000),
        "queries": [one["model"] | {"refId": one["refId"]} for one in parts],
    }


def _panels(panels: list[Json]) -> Iterator[Question]:
    for panel in panels:
        for target in panel.get("targets", []):
            if target.get("rawSql") and not target.get("hide"):
                yield Question(str(panel.get("title", "")), "panel", target)
        yield from _panels(panel.get("panels") or [])
