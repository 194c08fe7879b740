"""Daily figures of how well sensors speak, of all trades together."""

from __future__ import annotations

from dashboards.grafana.queries import CHOSEN
from storage.catalogue import DOMAINS

DAYS_OF_COURSE = 92
"""Of a longer range the end is drawn: a year of 1,000 series is 365,000 figures."""
DAYS_OF_TABLE = 30

SERIES = (
    "SELECT series_id, territory, site, site_name, sensor, label_@language, unit\n"
    "  FROM reader.series WHERE in_service"
)
"""Series in service, to be materialized: a view that guards its rows is not worth reading once
for every row of another."""


def daily(name: str, columns: str, days: int) -> str:
    """Closed days of one figure in the range, at most its last `days`; text of a subquery.

    `columns` may name ``trade``, the domain.
    """
    return "\nUNION ALL\n".join(
        f"SELECT {columns.replace('trade', _trade(domain))}\n"
        f"  FROM reader.{domain}_figures\n"
        f" WHERE indicator = '{domain}_{name}' AND $__timeFilter(start) AND NOT provisional\n"
        f"   AND start > $__timeTo()::timestamptz - interval '{days} days' AND {CHOSEN}"
        for domain in DOMAINS
    )


def _trade(domain: str) -> str:
    return f"'{domain}' AS trade"


def last_days(name: str, columns: str, days: int = 7) -> str:
    """The last closed days before the end of the range, however short that is."""
    return "\nUNION ALL\n".join(
        f"SELECT {columns}\n  FROM reader.{domain}_figures\n"
        f" WHERE indicator = '{domain}_{name}' AND NOT provisional\n"
        f"   AND start > $__timeTo()::timestamptz - interval '{days} days'\n"
        f"   AND start <= $__timeTo()::timestamptz AND {CHOSEN}"
        for domain in DOMAINS
    )
