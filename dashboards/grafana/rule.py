"""The word *rule*: when somebody is called, and what that somebody does."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.grafana.panel import Column
from dashboards.grafana.text import Text


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert rule.

    Attributes
    ----------
    uid
        At most 40 letters, digits and hyphens; never changes.
    group
        Rules of a group are evaluated together, every `every_s`.
    summary, action
        What happened and what to do about it; may name the columns of a row as
        ``{{ $labels.site_name }}`` and its value as ``{{ $values.A.Value }}``; see `rules/rows.py`.
    sql
        One row per subject, already reduced: text columns, which become labels, and one number
        `value`. No row means that all is well. No variables, and no subject twice.
    columns
        Exactly what it returns.
    above
        It fires where `value` is greater.
    for_s
        How long it must stay so before anybody is called. [s]
    page
        Uid of the page to look at.
    """

    uid: str
    group: str
    title: Text
    summary: Text
    action: Text
    sql: str
    columns: dict[str, Column]
    above: float
    page: str
    severity: str = "warning"
    every_s: int = 300
    for_s: int = 0
