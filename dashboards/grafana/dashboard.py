"""A page -> Grafana's classic dashboard, in one language; pure.

Classic v1 JSON: Grafana 13.0's file provisioning rejects its own v2 format.
"""

from __future__ import annotations

import json
from typing import Any

from grafana_foundation_sdk.builders import dashboard as builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard

from dashboards.grafana.page import Choice, Marks, Page, Section
from dashboards.grafana.render import in_language, panel
from dashboards.grafana.target import DATASOURCE, target
from dashboards.grafana.text import text

_PAGES = text("Pages Beffroi", "Beffroi pages", "Beffroi-Seiten")


def as_json(page: Page, language: str, timezone: str = "") -> dict[str, Any]:
    """One page as Grafana stores it; `timezone` empty: that of the organisation or server."""
    built = (
        builder.Dashboard(page.title[language])
        .uid(page.uid)
        .description(page.description[language])
        .tags(["beffroi", *page.tags])
        .timezone(timezone)
        .time(page.since, "now")
        .refresh(page.refresh)
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(
            builder.DashboardLink(_PAGES[language])
            .type(dashboard.DashboardLinkType.DASHBOARDS)
            .tags(["beffroi"])
            .as_dropdown(True)
            .include_vars(True)
            .keep_time(True)
        )
    )
    for choice in page.choices:
        built.with_variable(_choice(choice, language))
    for marks in page.marks:
        built.annotation(_marks(marks, language))
    for section in page.sections:
        _add(built, section, language)
    text_of_it = json.dumps(built.build(), cls=JSONEncoder, ensure_ascii=False)
    found: dict[str, Any] = json.loads(text_of_it)
    _number(found["panels"])
    for link in found["links"]:
        # The SDK would put the way to the other pages into a menu that nobody opens.
        del link["placement"]
    return found


def _number(panels: list[dict[str, Any]]) -> None:
    """Number rows and panels in the order they stand in: links and alert rules name panels so."""
    everything = [one for row in panels for one in (row, *row.get("panels", ()))]
    for number, one in enumerate(everything, start=1):
        one["id"] = number


def _add(built: builder.Dashboard, section: Section, language: str) -> None:
    row = builder.Row(section.title[language])
    if section.folded:
        for declared in section.panels:
            row.with_panel(panel(declared, language))
        built.with_row(row.collapsed(True))
        return
    built.with_row(row)
    for declared in section.panels:
        built.with_panel(panel(declared, language))


def _choice(choice: Choice, language: str) -> builder.QueryVariable:
    sql = _never_empty(in_language(choice.sql, language))
    current = dashboard.VariableOption(
        selected=True,
        text=[choice.first or "All"],
        value=[choice.first or "$__all"],
    )
    return (
        builder.QueryVariable(choice.name)
        .label(choice.label[language])
        .datasource(DATASOURCE)
        .query(sql)
        .definition(sql)
        .multi(True)
        .include_all(not choice.first)
        .current(current)
        .refresh(dashboard.VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(dashboard.VariableSort.DISABLED)
    )


def _never_empty(sql: str) -> str:
    """A choice that has something to choose: ``IN ()`` of a city without any is no SQL."""
    return (
        f"WITH found AS (\n{sql}\n)\n"
        "SELECT __text, __value FROM found\n"
        "UNION ALL SELECT '—', '' WHERE NOT EXISTS (SELECT FROM found)\n"
        "ORDER BY 1"
    )


def _marks(marks: Marks, language: str) -> builder.AnnotationQuery:
    return (
        builder.AnnotationQuery()
        .name(marks.name[language])
        .datasource(DATASOURCE)
        .enable(True)
        .icon_color(marks.color)
        .target(target(in_language(marks.sql, language), "table"))
    )
