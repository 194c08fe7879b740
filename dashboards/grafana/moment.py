"""The range that is looked at, as pieces of SQL."""

from __future__ import annotations

from dashboards.grafana.queries import CHOSEN
from dashboards.grafana.text import text

TO = "$__timeTo()::timestamptz"
"""The end of the range: panels that say how things are say it of then, so that a look at last
Tuesday shows last Tuesday."""

OPEN = f"opened_at <= {TO} AND (closed_at IS NULL OR closed_at > {TO}) AND in_service"
"""Alerts that are open then."""

WATCHED = f"coalesce((SELECT sampled_hour > {TO} - interval '3 hours' FROM reader.platform), false)"
"""Whether the processor, which alone opens alerts, was still at work then. Where it was not, that
no alert is open says nothing."""

UNWATCHED = text(
    "Inconnu : le processeur ne tourne pas.",
    "Unknown: the processor is not running.",
    "Unbekannt: der Prozessor läuft nicht.",
)


def unusual_hours(domain: str) -> str:
    """Unusual hours of the last day, NULL where no series is old enough to have a usual."""
    return (
        "SELECT CASE WHEN count(*) > 0 OR EXISTS (\n"
        f"       SELECT FROM reader.heard WHERE domain = '{domain}'\n"
        f"          AND first < {TO} - interval '28 days') THEN count(*) END AS value\n"
        f"  FROM reader.{domain}_figures\n"
        f" WHERE indicator = '{domain}_unusual' AND start <= {TO}\n"
        f"   AND start > {TO} - interval '24 hours' AND {CHOSEN}"
    )


def open_alerts(counted: str, where: str) -> str:
    """How many open alerts, NULL where nobody watched; text of a query with ``value``."""
    return (
        f"SELECT CASE WHEN n > 0 OR {WATCHED} THEN n END AS value FROM (\n"
        f"SELECT {counted} AS n FROM reader.alerts\n WHERE {OPEN} AND {where}) a"
    )
