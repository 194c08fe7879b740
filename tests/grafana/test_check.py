"""`beffroi grafana check` against a strict stub of Grafana and a real TimescaleDB."""

import json

import pytest

from dashboards.grafana.pages import PAGES
from dashboards.grafana.rules import RULES
from tests.grafana.delivering import communes, declare, hands, stub
from tests.grafana.hands import grafana, page, rule

FIXTURES = (communes, hands, stub)


@pytest.fixture
def pushed(stub):
    status, out, err = grafana("push", "--territory", "99981")
    assert status == 0, out + err
    return stub


def findings(*words):
    """Status, and what is not well: (check, found)."""
    status, out, err = grafana("check", "--json", *words)
    assert out, err
    told = json.loads(out)
    return status, [(one["check"], one["found"]) for one in told["findings"] if not one["well"]]


def test_all_is_well_after_a_push(pushed):
    status, out, _ = grafana("check")

    assert status == 0
    assert "beffroi_reader_99981 reads the views of 99981 only" in out
    assert "times are shown in Europe/Paris" in out
    assert "Air: 1 queries answer" in out
    assert "2 alert rules answer" in out
    assert "all well" in out
    assert "slowest" in out


def test_every_shipped_query_answers_on_a_commune_where_nothing_was_measured_yet(stub, monkeypatch):
    declare(monkeypatch, PAGES, RULES)
    grafana("push", "--territory", "99981")

    status, out, _ = grafana("check", "--json")
    told = json.loads(out)

    assert [one for one in told["findings"] if not one["well"]] == []
    assert status == 0
    assert told["queries"] > len(PAGES) + len(RULES)


def test_a_check_changes_nothing(pushed):
    before = len(pushed.written())

    grafana("check")

    assert pushed.written()[before:] == []


def test_a_query_broken_by_hand_is_found_with_its_page_and_panel(pushed, hands):
    org = hands.organisation("99981")
    there = hands.ask("GET", "/dashboards/uid/beffroi-b", org=org)["dashboard"]
    there["panels"][-1]["targets"][0]["rawSql"] = "SELECT nothing FROM reader.nowhere"
    hands.edit_dashboard(org, "beffroi-b", panels=there["panels"])

    status, bad = findings()

    assert status == 1
    ((check, found),) = bad
    assert check == "query"
    assert found.startswith("Bruit, panel “Course”: ") or found.startswith("Bruit, panel “Cours”: ")
    assert 'relation "reader.nowhere" does not exist' in found


def test_variables_are_filled_in_as_the_browser_does(stub, monkeypatch):
    sql = (
        "SELECT now() AS time, site AS metric, 1::float8 AS value FROM reader.sites"
        " WHERE territory IN ($territory) AND site IN (${territory},'x') AND '$__interval' = '15m'"
    )
    declare(monkeypatch, (page("beffroi-a", "Air", sql),))
    grafana("push")

    assert findings() == (0, [])


def test_a_rule_whose_subjects_are_not_apart_is_found(stub, monkeypatch):
    twice = "SELECT 'x' AS scope, n::float8 AS value FROM generate_series(1, 2) n"
    declare(monkeypatch, rules=(rule("beffroi-r1", "Silence", twice),))
    grafana("push", "--territory", "99981")

    status, ((check, found),) = findings()

    assert (status, check) == (1, "query")
    assert "rule “Silence”" in found
    assert "cannot uniquely be identified" in found


def test_a_paused_rule_and_a_missing_page_are_found(pushed, hands):
    org = hands.organisation("99981")
    pushed.organisations[org].rules["beffroi-r1"]["isPaused"] = True
    del pushed.organisations[org].dashboards["beffroi-b"]
    del pushed.organisations[org].rules["beffroi-r2"]

    assert findings() == (1, [
        ("page", "beffroi-b is missing"),
        ("rule", "“Seuil” is missing"),
        ("rule", "“Silence” is paused and calls nobody"),
    ])  # fmt: skip


def test_a_reader_with_a_right_too_many_is_found(pushed, communes):
    communes.execute("GRANT USAGE ON SCHEMA city TO beffroi_reader_99981")
    communes.execute("GRANT SELECT ON city.series TO beffroi_reader_99981")

    status, bad = findings()

    assert status == 1
    assert ("reader", "beffroi_reader_99981 may touch city.series") in bad
    assert ("reader", "beffroi_reader_99981 can read city.series") in bad


def test_a_function_that_drops_chunks_for_everybody_is_found(pushed, communes):
    communes.execute("GRANT EXECUTE ON FUNCTION _timescaledb_functions.drop_chunk TO PUBLIC")

    status, ((check, found),) = findings()

    assert (status, check) == (1, "reader")
    assert found.startswith(
        "beffroi_reader_99981, as everybody in this database, may call drop_chunk: a superuser runs"
    )


def test_a_reader_that_sees_another_commune_is_found(pushed, communes):
    communes.execute(
        "INSERT INTO city.reader SELECT 'beffroi_reader_99981', territory_id FROM city.territory"
        " WHERE code = '99982'"
    )

    status, ((check, found),) = findings()

    assert (status, check) == (1, "reader")
    assert "sees the territories ['99981', '99982'] and not only 99981" in found


def test_a_database_out_of_reach_is_one_finding_with_its_remedy(pushed, hands, communes):
    communes.execute("ALTER ROLE beffroi_reader_99981 PASSWORD 'another'")

    status, out, _ = grafana("check")

    assert status == 1
    assert "bad data source: " in out
    assert "beffroi grafana push --rotate" in out
    assert "1 findings to mend" in out


def test_the_wrong_time_zone_is_found(pushed, hands):
    hands.ask("PATCH", "/org/preferences", {"timezone": "utc"}, hands.organisation("99981"))

    assert findings() == (
        1, [("time zone", "times are shown in utc, the territory lives by Europe/Paris")]
    )  # fmt: skip


def test_a_page_moved_or_without_its_tag_is_not_called_missing(pushed, hands):
    org = hands.organisation("99981")
    hands.edit_dashboard(org, "beffroi-a", tags=["mine"])
    hands.ask("POST", "/folders", {"uid": "other", "title": "Other"}, org)
    pushed.organisations[org].dashboards["beffroi-b"]["folder"] = "other"

    assert findings() == (1, [
        ("page", "beffroi-a was moved or lost its tag “beffroi” by hand"),
        ("page", "beffroi-b was moved or lost its tag “beffroi” by hand"),
    ])  # fmt: skip
    assert grafana("check")[1].count("push --force puts it back") == 2


def test_a_data_source_changed_by_hand_has_force_as_its_remedy(pushed, hands):
    hands.edit_source(hands.organisation("99981"), user="nobody")

    _, out, _ = grafana("check")

    assert "it was changed by hand; beffroi grafana push --force puts it back" in out
    assert "--rotate" not in out


def test_a_reader_that_reads_nothing_is_one_finding_and_not_one_per_query(pushed, communes):
    communes.execute("REVOKE SELECT ON reader.territories FROM beffroi_reader_99981")

    status, ((check, found),) = findings()

    assert (status, check) == (1, "reader")
    assert "beffroi_reader_99981 cannot read its territory" in found
    assert "permission denied for view territories" in found


def test_what_needs_a_variable_that_failed_is_not_asked(stub, hands, monkeypatch):
    asking = "SELECT now() AS time, 'a' AS metric, count(*)::float8 AS value FROM reader.sites"
    needing = f"{asking} WHERE territory IN ($territory)"
    declare(monkeypatch, (page("beffroi-a", "Air", needing), page("beffroi-b", "Bruit", asking)))
    grafana("push", "--territory", "99981")
    org = hands.organisation("99981")
    there = hands.ask("GET", "/dashboards/uid/beffroi-a", org=org)["dashboard"]
    (variable,) = [one for one in there["templating"]["list"] if one["type"] == "query"]
    variable["query"] = {"refId": "A", "rawSql": "SELECT nothing", "format": "table"}
    hands.edit_dashboard(org, "beffroi-a", templating=there["templating"])

    status, ((check, found),) = findings()

    assert (status, check) == (1, "query")
    assert "Air, variable territory: " in found


def test_of_a_rule_that_fails_the_query_is_named_and_not_the_comparison(stub, monkeypatch):
    declare(monkeypatch, rules=(rule("beffroi-r1", "Silence", "SELECT nothing"),))
    grafana("push", "--territory", "99981")

    _, ((_, found),) = findings()

    assert 'column "nothing" does not exist' in found


def test_a_server_without_anything_of_ours_says_to_push(stub):
    status, out, _ = grafana("check")

    assert status == 1
    assert "no organisation holds anything of Beffroi" in out
    status, _, err = grafana("check", "--territory", "99981")
    assert status == 2
    assert "no organisation's name ends with (99981)" in err
