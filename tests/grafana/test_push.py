"""`beffroi grafana push` against a strict stub of Grafana and a real TimescaleDB."""

import json

import psycopg
import pytest

from dashboards.delivery import access
from dashboards.delivery.server import Organisation
from dashboards.grafana.pages import PAGES
from dashboards.grafana.rules import RULES
from storage.city import parse
from storage.registry import register
from tests.grafana.delivering import PAGES as SMALL
from tests.grafana.delivering import RULES as FEW
from tests.grafana.delivering import communes, declare, hands, reach, stub
from tests.grafana.hands import CITY, SENSORS, grafana, page, rule, steps
from tests.grafana.stub import TOKEN

FIXTURES = (communes, hands, stub)


def test_each_of_two_communes_gets_an_organisation_with_its_own_reader(stub, hands):
    status, out, _ = grafana("push")

    assert status == 0
    assert [one["name"] for one in hands.ask("GET", "/orgs")] == [
        "Main Org.", "Essaibourg (99981)", "Hautessai (99982)"
    ]  # fmt: skip
    essaibourg, hautessai = hands.organisation("99981"), hands.organisation("99982")
    seen = "SELECT current_user::text AS role, site FROM reader.sites"
    first, second = hands.query(essaibourg, seen), hands.query(hautessai, seen)
    assert first["frames"][0]["data"]["values"] == [["beffroi_reader_99981"], ["mairie"]]
    assert second["frames"][0]["data"]["values"] == [["beffroi_reader_99982"], ["O'Brien"]]
    assert "permission denied" in hands.query(essaibourg, "SELECT * FROM city.series")["error"]
    assert "9 created, 1 changed" in out


def test_the_shipped_pages_and_rules_arrive_as_they_are_declared(stub, hands, monkeypatch):
    declare(monkeypatch, PAGES, RULES)

    status, done = steps("--territory", "99981", "--language", "de")

    assert status == 0, done
    org = hands.organisation("99981")
    for one in PAGES:
        there = hands.ask("GET", f"/dashboards/uid/{one.uid}", org=org)
        assert there["dashboard"]["title"] == one.title["de"]
        assert there["dashboard"]["timezone"] == "Europe/Paris"
        assert there["meta"]["folderUid"] == "beffroi"
    assert len(stub.organisations[org].rules) == len(RULES)
    assert set(stub.organisations[org].intervals.values()) == {one.every_s for one in RULES}
    assert hands.ask("GET", "/org/preferences", org=org)["language"] == "de-DE"


def test_a_second_push_sends_nothing_and_says_so(stub):
    grafana("push")
    before = len(stub.written())

    status, out, _ = grafana("push")

    assert status == 0
    assert stub.written()[before:] == []
    assert out.count("nothing to do") == 2


def test_a_dry_run_changes_neither_grafana_nor_the_database(stub, communes):
    status, out, _ = grafana("push", "--dry-run")

    assert status == 0
    assert stub.written() == []
    assert "to create organisation Essaibourg (99981)" in out
    assert communes.execute("SELECT count(*) FROM city.reader").fetchone() == (0,)
    roles = communes.execute("SELECT FROM pg_roles WHERE rolname LIKE 'beffroi_reader_9998%'")
    assert roles.fetchall() == []


def test_a_dry_run_shows_a_changed_query_line_by_line(stub, monkeypatch):
    grafana("push")
    longer = "SELECT now() AS time, 'a' AS metric,\n       2::float8 AS value"
    shorter = longer.replace("2::", "3::")
    declare(monkeypatch, (page("beffroi-a", "Air", longer), SMALL[1]))
    grafana("push")
    declare(monkeypatch, (page("beffroi-a", "Air", shorter), SMALL[1]))

    status, out, _ = grafana("push", "--dry-run", "--territory", "99981")

    assert status == 0
    assert "panels[Cours].targets[A].rawSql:" in out
    assert "    -       2::float8 AS value" in out
    assert "    +       3::float8 AS value" in out
    assert "1 to change" in out


def test_a_dashboard_changed_by_hand_is_left_until_forced(stub, hands):
    grafana("push")
    org = hands.organisation("99981")
    hands.edit_dashboard(org, "beffroi-a", title="Mine")

    assert steps() == (1, [("dashboard", "beffroi-a", "leave")])
    assert hands.ask("GET", "/dashboards/uid/beffroi-a", org=org)["dashboard"]["title"] == "Mine"
    assert steps("--force") == (0, [("dashboard", "beffroi-a", "change")])
    assert hands.ask("GET", "/dashboards/uid/beffroi-a", org=org)["dashboard"]["title"] == "Air"
    assert steps() == (0, [])


def test_a_dashboard_changed_before_anything_else_was_saved_is_found_by_its_first_version(
    stub, hands, monkeypatch
):
    """The list of versions says "Initial save" of the first, whatever was said."""
    grafana("push")
    declare(monkeypatch, (page("beffroi-a", "Luft"), SMALL[1]))

    assert steps("--territory", "99981") == (0, [("dashboard", "beffroi-a", "change")])


def test_a_data_source_changed_by_hand_is_left_until_forced(stub, hands):
    grafana("push")
    org = hands.organisation("99982")
    there = hands.ask("GET", "/datasources/uid/beffroi", org=org)
    hands.edit_source(org, jsonData=there["jsonData"] | {"maxOpenConns": 2})

    status, left = steps()
    _, out, _ = grafana("push")

    assert (status, left) == (1, [("data source", "beffroi", "leave")])
    assert "jsonData.maxOpenConns: 2 → 8" in out
    assert steps("--force") == (0, [("data source", "beffroi", "change")])
    assert hands.query(org, "SELECT 1 AS one")["status"] == 200


def test_a_rule_changed_by_hand_is_left_and_one_of_somebody_else_is_never_touched(stub, hands):
    grafana("push")
    org = hands.organisation("99981")
    hands.edit_rule(org, "beffroi-r1", title="Mine", isPaused=True)
    copy = stub.organisations[org].rules["beffroi-r2"] | {"uid": "somebody", "title": "Copy"}
    stub.organisations[org].rules["somebody"] = copy

    assert steps() == (1, [("rule", "beffroi-r1", "leave")])
    assert steps("--force") == (0, [("rule", "beffroi-r1", "change")])
    assert stub.organisations[org].rules["somebody"]["title"] == "Copy"
    assert stub.organisations[org].rules["beffroi-r1"]["isPaused"] is False


def test_preferences_are_set_one_by_one_where_nobody_chose_another(stub, hands):
    grafana("push", "--territory", "99981")
    org = hands.organisation("99981")
    hands.ask("PATCH", "/org/preferences", {"homeDashboardUID": "beffroi-b"}, org)

    status, done = steps("--territory", "99981", "--language", "en")

    assert status == 1
    assert ("preferences", "organisation", "change") in done
    assert ("preferences", "organisation", "leave") in done
    told = hands.ask("GET", "/org/preferences", org=org)
    assert (told["language"], told["homeDashboardUID"]) == ("en-US", "beffroi-b")


def test_what_the_catalogue_dropped_is_deleted_unless_changed_by_hand(stub, hands, monkeypatch):
    grafana("push", "--territory", "99981")
    org = hands.organisation("99981")
    own = {"dashboard": {"uid": "own", "title": "Own", "tags": ["beffroi"]}, "folderUid": "beffroi"}
    hands.ask("POST", "/dashboards/db", own, org)
    declare(monkeypatch, SMALL[:1], FEW[:1])

    status, done = steps("--territory", "99981", "--dry-run")

    assert (status, done) == (
        0, [("rule", "beffroi-r2", "delete"), ("dashboard", "beffroi-b", "delete")]
    )  # fmt: skip
    hands.edit_dashboard(org, "beffroi-b", title="Mine")
    assert steps("--territory", "99981") == (
        1, [("rule", "beffroi-r2", "delete"), ("dashboard", "beffroi-b", "leave")]
    )  # fmt: skip
    assert steps("--territory", "99981", "--force") == (0, [("dashboard", "beffroi-b", "delete")])
    assert set(stub.organisations[org].dashboards) == {"beffroi-a", "own"}


def test_a_commune_with_a_new_name_keeps_its_organisation(stub, hands, communes):
    grafana("push")
    before = hands.organisation("99981")
    register(communes, parse(CITY.replace("Essaibourg", "Essaibourg-sur-Lys"), SENSORS))

    assert steps() == (0, [("organisation", "Essaibourg-sur-Lys (99981)", "change")])
    assert hands.organisation("99981") == before
    assert steps() == (0, [])


def test_an_organisation_renamed_by_hand_without_its_code_is_not_made_a_second_time(stub, hands):
    grafana("push")
    org = hands.organisation("99981")
    secret = stub.organisations[org].secrets["beffroi"]["password"]
    hands.ask("PUT", f"/orgs/{org}", {"name": "Our town (new)"})
    before = len(stub.written())

    status, out, _ = grafana("push")

    assert status == 1
    assert "“Our town (new)” has the data source of this territory" in out
    assert "rename it to “Essaibourg (99981)”" in out
    assert stub.written()[before:] == []
    assert stub.organisations[org].secrets["beffroi"]["password"] == secret
    assert hands.query(org, "SELECT 1 AS one")["status"] == 200


def test_a_second_push_at_the_same_time_waits_for_the_end_of_the_first(stub, communes):
    with psycopg.connect(autocommit=True) as first:
        assert access.alone(first)
        status, _, err = grafana("push")
        assert status == 1
        assert "another push from this database is going on" in err
        assert stub.calls == []
        assert grafana("push", "--dry-run")[0] == 0

    assert grafana("push")[0] == 0


def test_what_was_done_is_told_where_the_database_goes_away_in_the_middle(
    stub, communes, monkeypatch
):
    create = Organisation.create_folder

    def lose_the_database(organisation, uid, title):
        create(organisation, uid, title)
        communes.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user"
            "   AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )

    monkeypatch.setattr(Organisation, "create_folder", lose_the_database)
    status, out, _ = grafana("push", "--json")
    monkeypatch.undo()

    told = json.loads(out)
    assert status == 1
    assert "the database is gone (terminating connection" in told["problem"]
    assert [one["territory"] for one in told["organisations"]] == ["99981", "99982"]
    assert ("folder", "create") in [
        (step["kind"], step["action"]) for step in told["organisations"][0]["steps"]
    ]


def test_a_rule_may_take_the_title_of_one_that_is_dropped(stub, monkeypatch):
    grafana("push", "--territory", "99981")
    declare(monkeypatch, rules=(FEW[0], rule("beffroi-r3", "Seuil")))

    assert steps("--territory", "99981") == (
        0, [("rule", "beffroi-r2", "delete"), ("rule", "beffroi-r3", "create")]
    )  # fmt: skip


def test_who_else_has_the_password_is_told_that_it_is_lost(stub, hands):
    _, first, _ = grafana("push", "--territory", "99981")
    hands.ask("DELETE", "/datasources/uid/beffroi", org=hands.organisation("99981"))

    _, second, _ = grafana("push", "--territory", "99981")

    said = "created data source Beffroi (who else has the password of beffroi_reader_99981"
    assert said not in first
    assert said in second


def test_a_data_source_led_astray_by_hand_is_not_blamed_on_the_network(stub, hands):
    grafana("push", "--territory", "99981")
    hands.edit_source(hands.organisation("99981"), user="nobody")

    status, out, _ = grafana("push", "--territory", "99981")

    assert status == 1
    assert "with what was left as it is" in out
    assert "--database-address" not in out


def test_the_organisation_of_a_commune_that_is_gone_is_named_and_kept(stub, communes):
    grafana("push")
    communes.execute("UPDATE city.territory SET valid_to = '2026-01-01' WHERE code = '99982'")

    status, out, _ = grafana("push")

    assert status == 0
    assert "“Hautessai (99982)”: its territory is not registered any more" in out
    assert len(stub.organisations) == 3


def test_a_password_is_fresh_for_a_new_source_or_on_request_and_nowhere_to_be_read(
    stub, communes, hands
):
    _, first, _ = grafana("push", "--territory", "99981")
    org = hands.organisation("99981")
    secrets = stub.organisations[org].secrets["beffroi"]
    one = secrets["password"]
    _, second, _ = grafana("push", "--territory", "99981", "--json")
    two = secrets["password"]
    _, third, _ = grafana("push", "--territory", "99981", "--rotate")

    assert one == two != secrets["password"]
    assert len(one) >= 32
    assert not any(word in said for word in (one, secrets["password"])
                   for said in (first, second, third))  # fmt: skip
    assert "password: (hidden)" not in second
    assert hands.query(org, "SELECT 1 AS one")["status"] == 200


def test_a_password_that_no_longer_works_is_made_anew(stub, communes, hands):
    grafana("push", "--territory", "99981")
    org = hands.organisation("99981")
    communes.execute("ALTER ROLE beffroi_reader_99981 PASSWORD 'another'")

    status, out, _ = grafana("push", "--territory", "99981")

    assert status == 0
    assert "changed data source Beffroi (its password does not work)" in out
    assert hands.query(org, "SELECT 1 AS one")["status"] == 200


def test_rights_granted_by_hand_are_taken_away_again(stub, communes):
    grafana("push", "--territory", "99981")
    communes.execute("GRANT SELECT ON city.series TO beffroi_reader_99981")

    assert steps("--territory", "99981") == (
        0, [("database role", "beffroi_reader_99981", "change")]
    )  # fmt: skip
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        communes.execute("SET ROLE beffroi_reader_99981; SELECT count(*) FROM city.series")


def test_a_push_cut_off_in_the_middle_is_healed_by_the_next(stub, hands):
    stub.fail("POST /dashboards/db", 500, times=1)
    stub.fail("POST /v1/provisioning/alert-rules", 502, "<html>bad gateway</html>", times=1)

    status, done = steps("--territory", "99981")

    failed = [one for one in done if one[2] == "failed"]
    assert status == 1
    assert failed == [("dashboard", "beffroi-a", "failed"), ("rule", "beffroi-r1", "failed"),
                      ("preferences", "organisation", "failed")]  # fmt: skip
    assert ("dashboard", "beffroi-b", "create") in done
    assert steps("--territory", "99981") == (
        0, [("dashboard", "beffroi-a", "create"), ("rule", "beffroi-r1", "create"),
            ("preferences", "organisation", "change")]
    )  # fmt: skip
    assert steps("--territory", "99981") == (0, [])


def test_a_password_that_grafana_never_took_is_made_anew_by_the_next_push(stub, hands):
    stub.fail("POST /datasources", 500, times=1)
    assert steps("--territory", "99981")[0] == 1

    assert steps("--territory", "99981") == (0, [("data source", "beffroi", "create")])
    org = hands.organisation("99981")
    assert hands.query(org, "SELECT 1 AS one")["status"] == 200


def test_a_token_serves_the_one_organisation_it_belongs_to(stub, hands, monkeypatch):
    grafana("push", "--territory", "99981")
    stub.token_organisation = hands.organisation("99981")
    reach(monkeypatch, stub.url, USER="", PASSWORD="", TOKEN=TOKEN)

    assert steps("--territory", "99981") == (0, [])
    status, _, err = grafana("push")
    assert status == 2
    assert "a token sees one organisation only" in err
    status, out, _ = grafana("push", "--territory", "99982")
    assert status == 1
    assert "whose name does not end with (99982)" in out


def test_the_address_at_which_grafana_reaches_the_database_may_be_another(stub, hands):
    status, out, _ = grafana(
        "push", "--territory", "99981", "--database-address", "db.invalid:5433", "--json"
    )

    source = hands.ask("GET", "/datasources/uid/beffroi", org=hands.organisation("99981"))
    assert source["url"] == "db.invalid:5433"
    assert source["jsonData"]["sslmode"] == "require"
    (failed,) = [one for one in json.loads(out)["organisations"][0]["steps"] if one["problem"]]
    assert status == 1
    assert "Grafana does not reach the database" in failed["problem"]


def test_a_group_is_evaluated_as_often_as_its_rules_say(stub, hands, monkeypatch):
    grafana("push", "--territory", "99981")
    org = hands.organisation("99981")
    assert stub.organisations[org].intervals == {("beffroi", "beffroi-test"): 300}
    declare(monkeypatch, rules=(rule("beffroi-r1", "Silence", every_s=60),))

    assert ("rule group", "beffroi-test", "change") in steps("--territory", "99981")[1]
    assert stub.organisations[org].intervals == {("beffroi", "beffroi-test"): 60}
    stub.organisations[org].intervals["beffroi", "beffroi-test"] = 120
    assert steps("--territory", "99981") == (1, [("rule group", "beffroi-test", "leave")])
