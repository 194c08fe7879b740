"""Marks, differences, plans and interpolation of what is brought to a Grafana."""

import datetime
import json

import pytest

from dashboards.delivery import marks
from dashboards.delivery.difference import changes
from dashboards.delivery.found import Found, FoundDashboard
from dashboards.delivery.interpolation import interpolated, interval
from dashboards.delivery.plan import plan
from dashboards.delivery.questions import questions, rule_request, variables
from dashboards.delivery.settings import DeliverySettingError, Settings, host_and_port
from dashboards.delivery.wanted import (
    Database,
    Territory,
    Wanted,
    code_of,
    database,
    source,
    wanted,
)
from dashboards.grafana.pages import PAGES
from tests.grafana import macros

ESSAIBOURG = Territory("99981", "Essaibourg", "Europe/Paris")
NEARBY = Database("127.0.0.1", 5432, "city", "beffroi_reader_99981")
RULE = {
    "uid": "r1", "title": "R", "ruleGroup": "g", "folderUID": "beffroi", "condition": "B",
    "noDataState": "OK", "execErrState": "Error", "for": "5m", "labels": {"a": "b"},
    "annotations": {"summary": "s"},
    "data": [{"refId": "A", "datasourceUid": "beffroi", "model": {"rawSql": "SELECT 1"}}],
}  # fmt: skip


def goal(**fields):
    base = {
        "organisation": "Essaibourg (99981)", "folder": "Beffroi", "source": source(NEARBY),
        "dashboards": {"beffroi-a": {"uid": "beffroi-a", "title": "Air"}}, "rules": {"r1": RULE},
        "intervals": {"g": 60}, "preferences": {"timezone": "Europe/Paris", "language": "fr-FR"},
    }  # fmt: skip
    return Wanted(**(base | fields))


def acting(steps):
    return [(step.kind, step.name, step.action) for step in steps if step.action != "keep"]


def as_stored(rule):
    """A rule as a server gives it back."""
    stored = json.loads(json.dumps(marks.marked_rule(rule)))
    for query in stored["data"]:
        query["model"] |= {"intervalMs": 1000, "maxDataPoints": 43200}
        query |= {"queryType": "", "relativeTimeRange": {"from": 0, "to": 0}}
    return stored | {"id": 4, "orgID": 9, "updated": "2026-03-01", "for": "300s", "isPaused": False,
                     "notification_settings": None, "record": None, "keep_firing_for": "0s"}  # fmt: skip


def as_sent(content):
    return FoundDashboard(content, "beffroi", 1, marks.message(marks.digest(content)))


def test_a_rule_that_came_back_from_a_server_still_has_its_mark():
    stored = as_stored(RULE)

    assert marks.rule_mark(stored) == marks.digest(marks.rule_fields(stored))
    assert marks.rule_fields(stored) == marks.rule_fields(RULE)


@pytest.mark.parametrize(
    "edit", [{"title": "Mine"}, {"isPaused": True}, {"for": "6m"}, {"labels": {}},
             {"annotations": {"summary": "mine"}}, {"noDataState": "Alerting"}],
)  # fmt: skip
def test_whatever_is_changed_of_a_rule_breaks_its_mark(edit):
    stored = as_stored(RULE)

    assert marks.digest(marks.rule_fields(stored | edit)) != marks.rule_mark(stored)


def test_a_copy_of_a_rule_is_none_of_ours():
    assert marks.rule_mark(as_stored(RULE) | {"uid": "other"}) is None


def test_an_empty_organisation_gets_everything_and_a_full_one_nothing():
    wants = goal()
    first = plan(wants, Found(), force=False, fresh="new")
    assert [action for _, _, action in acting(first)] == ["create"] * 5 + ["change"]

    there = Found(
        folder={"title": "Beffroi"}, source=wants.source,
        dashboards={"beffroi-a": as_sent(wants.dashboards["beffroi-a"])},
        rules={"r1": as_stored(RULE)}, groups={"g": {"interval": 60, "rules": []}},
        preferences=wants.preferences,
    )  # fmt: skip
    assert acting(plan(wants, there, force=False)) == []


def test_preferences_that_nobody_chose_are_set_and_the_others_left():
    found = Found(preferences={"timezone": "utc", "language": ""})

    steps = [one for one in plan(goal(), found, force=False) if one.kind == "preferences"]

    assert [(one.action, [c.path for c in one.changes]) for one in steps] == [
        ("change", ["language"]), ("leave", ["timezone"])
    ]  # fmt: skip
    assert steps[0].body == {"language": "fr-FR"}


def test_a_password_is_never_part_of_a_step_that_is_shown():
    (step,) = [
        one for one in plan(goal(), Found(source=source(NEARBY)), force=False, fresh="rotated")
        if one.kind == "data source"
    ]  # fmt: skip

    assert step.secret
    assert [one.lines() for one in step.changes] == [["password: (hidden) → (a fresh one)"]]
    assert "body" not in repr(step)


def test_a_changed_panel_is_named_by_its_title_and_long_sql_by_its_lines():
    before = {"panels": [{"title": "NO₂", "sql": "a\nb\nc"}, {"title": "O₃"}], "tags": ["x"]}
    after = {"panels": [{"title": "O₃"}, {"title": "NO₂", "sql": "a\nB\nc"}], "tags": ["x", "y"]}

    found = changes(before, after)

    assert [one.path for one in found] == ["panels[NO₂].sql", "tags"]
    assert found[0].lines() == [
        "panels[NO₂].sql:", "    @@ -1,3 +1,3 @@", "     a", "    -b", "    +B", "     c"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("host", "ca", "mode", "address"),
    [
        ("127.0.0.1", "", "disable", "127.0.0.1:5432"),
        ("/run/postgresql", "", "disable", "/run/postgresql"),
        ("db.example", "", "require", "db.example:5432"),
        ("db.example", "CERT", "verify-full", "db.example:5432"),
        ("::1", "", "disable", "[::1]:5432"),
    ],
)
def test_the_connection_is_encrypted_wherever_it_leaves_the_machine(host, ca, mode, address):
    made = source(Database(host, 5432, "city", "reader", ca))

    assert (made["jsonData"]["sslmode"], made["url"]) == (mode, address)
    assert made["jsonData"]["database"] == "city"
    assert "database" not in made
    assert "CERT" not in json.dumps(made)


def test_only_the_word_off_sends_what_the_database_says_in_the_clear():
    environment = {
        "BEFFROI_GRAFANA_URL": "http://grafana:3000", "BEFFROI_GRAFANA_USER": "a",
        "BEFFROI_GRAFANA_PASSWORD": "b",
    }  # fmt: skip
    modes = []
    for said in ("", "off"):
        settings = Settings.read({**environment, "BEFFROI_GRAFANA_DATABASE_TLS": said})
        made = source(database(settings, "timescaledb", 5432, "city", "reader"))
        modes.append(made["jsonData"]["sslmode"])

    assert modes == ["require", "disable"]
    with pytest.raises(DeliverySettingError, match="off or empty, got 'no'"):
        Settings.read({**environment, "BEFFROI_GRAFANA_DATABASE_TLS": "no"})


def test_every_page_has_the_zone_of_its_territory():
    made = wanted(Territory("x", "X", "Indian/Reunion"), NEARBY, "fr")

    assert {one["timezone"] for one in made.dashboards.values()} == {"Indian/Reunion"}
    assert set(made.dashboards) == {page.uid for page in PAGES}


def test_the_code_of_a_territory_is_found_in_names_with_parentheses():
    assert code_of(Territory("FR-1", "Lys (Nord)", "Europe/Paris").organisation) == "FR-1"
    assert code_of("Main Org.") is None


def test_variables_become_the_text_that_the_browser_sends():
    sql = "a IN ($site) AND b IN (${site}) AND $__timeFilter(t) AND '$__interval' $sites"
    values = {"site": ["mairie", "O'Brien"]}

    ours = interpolated(sql, values, 900_000)

    assert ours == (
        "a IN ('mairie','O''Brien') AND b IN ('mairie','O''Brien')"
        " AND $__timeFilter(t) AND '15m' $sites"
    )
    plain = "a IN ($site) AND $__timeFilter(t)"
    assert interpolated(plain, {"site": ["x", "y"]}, 1) == macros.interpolate(
        plain, {"site": ["x", "y"]}
    )


@pytest.mark.parametrize(
    ("span_ms", "floor", "interval_ms"),
    [
        (86_400_000, "15m", 900_000),
        (86_400_000, "1m", 60_000),
        (89_999_000, "1s", 60_000),
        (90_000_000, "1s", 120_000),
        (30 * 86_400_000, "15m", 1_800_000),
        (365 * 86_400_000, "15m", 21_600_000),
        (86_400_000, "auto", 60_000),
    ],
)
def test_intervals_are_rounded_as_the_page_rounds_them(span_ms, floor, interval_ms):
    assert interval(span_ms, 1000, floor) == interval_ms


def test_every_query_of_a_page_is_asked_also_in_folded_rows():
    target = {"rawSql": "SELECT 1", "refId": "A"}
    page = {
        "templating": {"list": [{"type": "query", "name": "site", "query": "SELECT 2"},
                                {"type": "query", "name": "s", "query": {"rawSql": "SELECT 3"}},
                                {"type": "custom", "name": "n"}]},
        "annotations": {"list": [{"name": "n", "target": target}, {"builtIn": 1}]},
        "panels": [{"title": "row", "panels": [{"title": "in", "targets": [target]}]},
                   {"title": "out", "targets": [target, {"rawSql": ""}, target | {"hide": True}]}],
    }  # fmt: skip

    assert [(one.kind, one.of) for one in questions(page)] == [
        ("annotation", "n"), ("panel", "in"), ("panel", "out")
    ]  # fmt: skip
    assert [(one.name, one.sql) for one in variables(page)] == [
        ("site", "SELECT 2"), ("s", "SELECT 3")
    ]  # fmt: skip


def test_a_rule_is_asked_over_the_longest_range_of_its_queries():
    parts = [
        {"refId": "A", "model": {"x": 1}, "relativeTimeRange": {"from": 3600, "to": 0}},
        {"refId": "B", "model": {"x": 2}},
    ]

    asked = rule_request({"data": parts})

    assert int(asked["to"]) - int(asked["from"]) == 3_600_000
    assert asked["queries"] == [{"x": 1, "refId": "A"}, {"x": 2, "refId": "B"}]
    now = datetime.datetime.now(datetime.UTC).timestamp()
    assert abs(int(asked["to"]) / 1000 - now) < 60


def test_an_option_wins_over_its_variable():
    environment = {
        "BEFFROI_GRAFANA_URL": "https://one.example/grafana/", "BEFFROI_GRAFANA_TOKEN": "t"
    }  # fmt: skip

    assert Settings.read(environment).url == "https://one.example/grafana"
    assert Settings.read(environment, url="http://two.example").in_clear
    assert not Settings.read(environment, url="http://localhost:3000").in_clear
    assert host_and_port("[::1]:6000") == ("::1", 6000)


def test_an_organisation_is_found_by_a_code_with_parentheses_too():
    for code in ("59350", "FR 59350", "59(3)50", "(a)(b)"):
        assert code_of(Territory(code, "Lys (Nord)", "Europe/Paris").organisation) == code


def test_settings_that_are_printed_show_no_secret():
    printed = repr(Settings("http://g", "admin", "pass-word", "to-ken"))

    assert "pass-word" not in printed
    assert "to-ken" not in printed
