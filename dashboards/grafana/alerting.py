"""A declared alert rule -> what Grafana's alerting takes, in one language; pure.

The same rule has two forms: an entry of a provisioning file, and the object of the HTTP API.
"""

from __future__ import annotations

from functools import cache
from itertools import groupby
from typing import Any

from dashboards.grafana.dashboard import as_json
from dashboards.grafana.page import Page
from dashboards.grafana.pages import PAGES
from dashboards.grafana.render import in_language
from dashboards.grafana.rule import Rule
from dashboards.grafana.target import DATASOURCE, PostgresQuery
from dashboards.grafana.text import LANGUAGES, text

FOLDER = text("Beffroi, alertes", "Beffroi alerts", "Beffroi-Warnungen")
"""Title of the folder that the rules of files are put into. Files name it by its title alone, so
that it would be made twice if it were the one of the pages."""

_ACTION = text("À faire", "To do", "Zu tun")
_EXPRESSION = {"type": "__expr__", "uid": "__expr__"}
_QUERY, _CONDITION = "A", "B"
_PAGE, _PANEL = "__dashboardUid__", "__panelId__"


def as_file(rules: tuple[Rule, ...], language: str) -> dict[str, Any]:
    """Every rule as one provisioning file, for the main organisation."""
    groups = []
    for name, found in groupby(sorted(rules, key=lambda rule: rule.group), lambda rule: rule.group):
        members = tuple(found)
        groups.append(
            {
                "orgId": 1,
                "name": name,
                "folder": FOLDER[language],
                "interval": duration(members[0].every_s),
                "rules": [_entry(rule, language) for rule in members],
            }
        )
    return {"apiVersion": 1, "groups": groups}


def as_object(rule: Rule, language: str, *, folder: str, organisation: int = 1) -> dict[str, Any]:
    """One rule as ``/v1/provisioning/alert-rules`` takes it; `folder`: uid of its folder."""
    return _rule(rule, language) | {
        "orgID": organisation,
        "folderUID": folder,
        "ruleGroup": rule.group,
    }


def duration(seconds: int) -> str:
    """A span of time as Grafana writes it.

    >>> duration(300), duration(5400), duration(0)
    ('5m', '1h30m', '0s')
    """
    found = ""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if count := seconds // length:
            found += f"{count}{unit}"
            seconds %= length
    return found or "0s"


def _entry(rule: Rule, language: str) -> dict[str, Any]:
    """One rule of a file, where the panel to look at is named apart."""
    link = _link(rule)
    found = _rule(rule, language)
    if link:
        found |= {"dashboardUid": link[_PAGE], "panelId": int(link[_PANEL])}
    return found


def _link(rule: Rule) -> dict[str, str]:
    """The page to look at; Grafana wants one of its panels with it, and takes neither alone."""
    panel = _first_panels().get(rule.page)
    return {} if panel is None else {_PAGE: rule.page, _PANEL: str(panel)}


@cache
def _first_panels() -> dict[str, int]:
    """Uid of every page -> number of its first panel, which is the same in every language."""
    return {
        page.uid: next(panel["id"] for panel in _panels(page) if panel["type"] != "row")
        for page in PAGES
    }


def _panels(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = as_json(page, LANGUAGES[0])["panels"]
    return found


def _rule(rule: Rule, language: str) -> dict[str, Any]:
    action = rule.action[language]
    return {
        "uid": rule.uid,
        "title": rule.title[language],
        "condition": _CONDITION,
        "data": [_query(rule, language), _threshold(rule)],
        "noDataState": "OK",
        "execErrState": "Error",
        "for": duration(rule.for_s),
        "isPaused": False,
        "labels": {"severity": rule.severity, "product": "beffroi"},
        "annotations": {
            "summary": rule.summary[language],
            "description": f"{rule.summary[language]} {_ACTION[language]} : {action}"
            if language == "fr"
            else f"{rule.summary[language]} {_ACTION[language]}: {action}",
            **{f"action_{one}": rule.action[one] for one in LANGUAGES},
            **_link(rule),
        },
    }


def _query(rule: Rule, language: str) -> dict[str, Any]:
    query = PostgresQuery(in_language(rule.sql, language), "table", _QUERY).to_json()
    return {
        "refId": _QUERY,
        "datasourceUid": DATASOURCE.uid,
        "queryType": "",
        # The queries look at the clock themselves; Grafana asks for a range all the same.
        "relativeTimeRange": {"from": 3600, "to": 0},
        "model": query
        | {
            "datasource": {"type": DATASOURCE.type_val, "uid": DATASOURCE.uid},
            "intervalMs": 60_000,
            "maxDataPoints": 43_200,
        },
    }


def _threshold(rule: Rule) -> dict[str, Any]:
    return {
        "refId": _CONDITION,
        "datasourceUid": "__expr__",
        "queryType": "",
        "relativeTimeRange": {"from": 0, "to": 0},
        "model": {
            "refId": _CONDITION,
            "datasource": _EXPRESSION,
            "type": "threshold",
            "expression": _QUERY,
            "conditions": [{"evaluator": {"type": "gt", "params": [rule.above]}}],
            "intervalMs": 1_000,
            "maxDataPoints": 43_200,
        },
    }
