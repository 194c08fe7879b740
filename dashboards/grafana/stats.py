"""Panels of one number."""

from __future__ import annotations

from dashboards.grafana.panel import VALUE, Kind, Panel, Step
from dashboards.grafana.text import Text


def number(
    title: Text,
    description: Text,
    sql: str,
    unit: str,
    steps: tuple[Step, ...],
    *,
    quiet: Text,
    decimals: int = 0,
    span: int = 8,
    height: int = 3,
) -> Panel:
    """What a query says in one row and one column, `value`."""
    return Panel(
        kind=Kind.STAT,
        title=title,
        description=description,
        sql=sql,
        columns={"value": VALUE},
        unit=unit,
        quiet=quiet,
        decimals=decimals,
        steps=steps,
        span=span,
        height=height,
    )
