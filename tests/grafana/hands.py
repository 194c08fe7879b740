"""A Grafana as somebody with a browser meets it: for the stub and for a real server."""

import json

import httpx
from typer.testing import CliRunner

from beffroi.cli import app
from dashboards.grafana.page import Page, Section
from dashboards.grafana.panel import COURSE, Column, Kind, Panel, Type
from dashboards.grafana.queries import TERRITORY
from dashboards.grafana.rule import Rule
from dashboards.grafana.text import text

CITY = """
[city]
name = "Essai"
timezone = "Europe/Paris"
[[territory]]
code = "99981"
name = "Essaibourg"
[[territory]]
code = "99982"
name = "Hautessai"
[[binding]]
topic = "city/{territory}/{site}/{sensor}"
"""
SENSORS = """territory,site,sensor,metric,field,unit,step_s,stamp
99981,mairie,air-1,no2,,,60,start
99982,O'Brien,air-2,no2,,,60,start
"""
QUIET = text("Rien.", "Nothing.", "Nichts.")


def page(uid, title, sql="SELECT now() AS time, 'a' AS metric, 1::float8 AS value"):
    """A page with one panel."""
    panel = Panel(
        kind=Kind.COURSE, title=text("Cours", "Course", "Verlauf"), description=QUIET, sql=sql,
        columns=COURSE, unit="none", quiet=QUIET,
    )  # fmt: skip
    return Page(
        uid, text(title, title, title), QUIET, ("test",), (TERRITORY,), (Section(QUIET, (panel,)),)
    )


def rule(uid, title, sql="SELECT 'x' AS scope, 1::float8 AS value WHERE false", every_s=300):
    """A rule that fires where its query returns more than 0."""
    return Rule(
        uid, "beffroi-test", text(title, title, title), QUIET, QUIET, sql,
        {"scope": Column(Type.TEXT), "value": Column(Type.NUMBER)}, 0, "beffroi-a", every_s=every_s,
    )  # fmt: skip


class Hands:
    """Somebody at the server, and the commands beside it."""

    def __init__(self, url, user, password):
        self.url = url
        self.http = httpx.Client(base_url=f"{url}/api", auth=(user, password), timeout=60)

    def ask(self, method, path, body=None, org=None):
        headers = {"X-Grafana-Org-Id": str(org)} if org else {}
        answer = self.http.request(method, path, json=body, headers=headers)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def organisation(self, code):
        (found,) = [one["id"] for one in self.ask("GET", "/orgs") if f"({code})" in one["name"]]
        return found

    def edit_dashboard(self, org, uid, **fields):
        there = self.ask("GET", f"/dashboards/uid/{uid}", org=org)
        body = {"dashboard": there["dashboard"] | fields, "folderUid": there["meta"]["folderUid"]}
        self.ask("POST", "/dashboards/db", body | {"message": "mine"}, org)

    def edit_source(self, org, **fields):
        there = self.ask("GET", "/datasources/uid/beffroi", org=org)
        kept = ("name", "type", "access", "url", "user", "isDefault", "jsonData")
        body = {key: there[key] for key in kept} | fields
        self.ask("PUT", "/datasources/uid/beffroi", body, org)

    def edit_rule(self, org, uid, **fields):
        there = self.ask("GET", f"/v1/provisioning/alert-rules/{uid}", org=org)
        kept = {key: value for key, value in there.items() if value is not None}
        self.ask("PUT", f"/v1/provisioning/alert-rules/{uid}", kept | fields, org)

    def query(self, org, sql):
        """Any SQL, as whoever may view a page can send it."""
        source = {"type": "grafana-postgresql-datasource", "uid": "beffroi"}
        query = {"refId": "A", "datasource": source, "rawSql": sql, "format": "table"}
        answer = self.http.post(
            "/ds/query",
            json={"from": "1767225600000", "to": "1767229200000", "queries": [query]},
            headers={"X-Grafana-Org-Id": str(org)},
        )
        return answer.json()["results"]["A"]


def grafana(*words):
    """`beffroi grafana WORDS`: status, standard output and standard error."""
    result = CliRunner().invoke(app, ["grafana", *words], catch_exceptions=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def steps(*words, kind=None, but="keep"):
    """What a push did, or left: (kind, name, action) of every organisation."""
    status, out, err = grafana("push", "--json", *words)
    assert out, err
    told = json.loads(out)
    found = [
        (step["kind"], step["name"], "failed" if step["problem"] else step["action"])
        for one in told["organisations"]
        for step in one["steps"]
        if step["action"] != but or step["problem"]
    ]
    return status, [one for one in found if kind in (None, one[0])]
