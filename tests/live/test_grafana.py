"""The whole of push and check against a real Grafana server, with a real TimescaleDB beside it.

    BEFFROI_GRAFANA_URL=http://127.0.0.1:3000 BEFFROI_GRAFANA_USER=admin \\
    BEFFROI_GRAFANA_PASSWORD=… python -m pytest tests/live

The account must be a server administrator. The server must reach this machine's loopback, where
the database of these tests listens. Organisations named after communes 99981 and 99982 are made
and deleted again; others are not touched.
"""

import os
import shutil
import time
from pathlib import Path

import pytest
import trustme

from dashboards.delivery import territory
from dashboards.grafana.pages import PAGES
from dashboards.grafana.rules import RULES
from storage.city import parse
from storage.registry import register
from tests.grafana.delivering import communes, declare, reach
from tests.grafana.hands import CITY, SENSORS, Hands, grafana, page, rule, steps

FIXTURES = (communes,)
NEEDED = ("BEFFROI_GRAFANA_URL", "BEFFROI_GRAFANA_USER", "BEFFROI_GRAFANA_PASSWORD")
GIVEN = {name: os.environ.get(name, "") for name in NEEDED}
FIRES_WITHIN_S = 180


@pytest.fixture
def live(communes, monkeypatch):
    """Somebody at the real server; our organisations are gone before and after."""
    if not all(GIVEN.values()):
        missing = ", ".join(name for name in NEEDED if not GIVEN[name])
        pytest.skip(f"no real Grafana to test against: set {missing} (a server administrator's)")
    somebody = Hands(*GIVEN.values())
    clean(somebody)
    url, user, password = GIVEN.values()
    reach(monkeypatch, url, USER=user, PASSWORD=password)
    yield somebody
    clean(somebody)
    somebody.http.close()


def clean(somebody):
    for one in somebody.ask("GET", "/orgs"):
        if one["name"].endswith(("(99981)", "(99982)")):
            somebody.ask("DELETE", f"/orgs/{one['id']}")


def test_everything_shipped_arrives_answers_and_stays(live):
    status, done = steps("--dry-run")
    assert status == 0
    assert not [one for one in live.ask("GET", "/orgs") if "99981" in one["name"]]

    status, done = steps()
    assert status == 0, [one for one in done if one[2] == "failed"]
    assert len([one for one in done if one[0] == "dashboard"]) == 2 * len(PAGES)
    assert len([one for one in done if one[0] == "rule"]) == 2 * len(RULES)

    assert steps() == (0, [])
    status, out, err = grafana("check", "--territory", "99981", "--territory", "99982")
    assert status == 0, out + err
    assert "reads the views of 99981 only" in out
    assert "reads the views of 99982 only" in out

    org = live.organisation("99981")
    preferences = live.ask("GET", "/org/preferences", org=org)
    assert (preferences["timezone"], preferences["language"]) == ("Europe/Paris", "fr-FR")
    live.ask("GET", f"/dashboards/uid/{preferences['homeDashboardUID']}", org=org)
    rules = live.ask("GET", "/v1/provisioning/alert-rules", org=org)
    assert {one["provenance"] for one in rules} == {"api"}

    assert steps("--language", "en", "--territory", "99981")[0] == 0
    titles = live.ask("GET", "/search?type=dash-db", org=org)
    assert {one["title"] for one in titles} == {one.title["en"] for one in PAGES}


def test_two_communes_on_one_server_see_nothing_of_each_other(live, monkeypatch):
    declare(monkeypatch)
    assert steps()[0] == 0
    first, second = live.organisation("99981"), live.organisation("99982")

    seen = "SELECT current_user::text AS role, site FROM reader.sites"
    assert values(live.query(first, seen)) == [["beffroi_reader_99981"], ["mairie"]]
    assert values(live.query(second, seen)) == [["beffroi_reader_99982"], ["O'Brien"]]
    for sql in (
        "SELECT * FROM city.series",
        "SET ROLE beffroi_reader_99982; SELECT 1",
        "CREATE TABLE reader.mine (x int)",
        "SELECT pg_read_file('/etc/passwd')",
    ):
        assert "db query error" in live.query(first, sql)["error"]


def test_what_people_change_is_found_left_and_with_force_put_back(live, monkeypatch):
    declare(monkeypatch)
    assert steps()[0] == 0
    org = live.organisation("99981")

    live.edit_dashboard(org, "beffroi-a", title="Mine")
    there = live.ask("GET", "/datasources/uid/beffroi", org=org)
    live.edit_source(org, jsonData=there["jsonData"] | {"maxOpenConns": 3})
    live.edit_rule(org, "beffroi-r1", title="Mine")
    live.ask("PATCH", "/org/preferences", {"timezone": "utc"}, org)
    folder = live.ask("GET", "/folders/beffroi", org=org)
    live.ask("PUT", "/folders/beffroi", {"title": "Mine", "version": folder["version"]}, org)

    left = [
        ("data source", "beffroi", "leave"), ("folder", "beffroi", "leave"),
        ("dashboard", "beffroi-a", "leave"), ("rule", "beffroi-r1", "leave"),
        ("preferences", "organisation", "leave"),
    ]  # fmt: skip
    assert steps() == (1, left)
    assert live.ask("GET", "/dashboards/uid/beffroi-a", org=org)["dashboard"]["title"] == "Mine"
    assert steps("--force") == (0, [(kind, name, "change") for kind, name, _ in left])
    assert steps() == (0, [])
    assert live.ask("GET", "/dashboards/uid/beffroi-a", org=org)["dashboard"]["title"] == "Air"
    assert values(live.query(org, "SELECT 1 AS one")) == [[1]]
    version = live.ask("GET", "/dashboards/uid/beffroi-a", org=org)["meta"]["version"]
    live.ask("POST", "/dashboards/uid/beffroi-a/restore", {"version": version - 1}, org)
    assert steps() == (1, [("dashboard", "beffroi-a", "leave")])


def test_what_is_no_longer_declared_is_deleted_and_changes_arrive(live, monkeypatch):
    declare(monkeypatch)
    assert steps()[0] == 0
    org = live.organisation("99981")
    declare(monkeypatch, (page("beffroi-a", "Luft"),), (rule("beffroi-r1", "Stille", every_s=60),))

    status, done = steps("--territory", "99981")

    assert (status, sorted(done)) == (0, sorted([
        ("dashboard", "beffroi-a", "change"), ("rule", "beffroi-r1", "change"),
        ("rule", "beffroi-r2", "delete"), ("rule group", "beffroi-test", "change"),
        ("dashboard", "beffroi-b", "delete"),
    ]))  # fmt: skip
    found = live.ask("GET", "/search?type=dash-db", org=org)
    assert [one["title"] for one in found] == ["Luft"]
    (one,) = live.ask("GET", "/v1/provisioning/alert-rules", org=org)
    assert one["title"] == "Stille"
    assert steps("--territory", "99981") == (0, [])


def test_passwords_are_rotated_mended_and_a_new_name_is_followed(live, communes, monkeypatch):
    declare(monkeypatch)
    assert steps()[0] == 0
    org = live.organisation("99981")

    communes.execute("ALTER ROLE beffroi_reader_99981 PASSWORD 'another'")
    communes.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = 'beffroi_reader_99981'"
    )
    assert grafana("check", "--territory", "99981")[0] == 1
    assert steps("--territory", "99981") == (0, [("data source", "beffroi", "change")])
    assert steps("--territory", "99981", "--rotate") == (0, [("data source", "beffroi", "change")])
    assert values(live.query(org, "SELECT 1 AS one")) == [[1]]
    register(communes, parse(CITY.replace("Essaibourg", "Essaibourg-sur-Lys"), SENSORS))
    assert steps() == (0, [("organisation", "Essaibourg-sur-Lys (99981)", "change")])
    assert live.organisation("99981") == org
    assert steps() == (0, [])


def test_a_rule_goes_to_firing_with_the_labels_of_its_row(live, monkeypatch):
    firing = "SELECT site AS scope, 1::float8 AS value FROM reader.sites"
    declare(monkeypatch, rules=(rule("beffroi-r1", "Silence", firing, every_s=10),))
    assert steps("--territory", "99981")[0] == 0
    org = live.organisation("99981")

    until, found = time.monotonic() + FIRES_WITHIN_S, []
    while not found and time.monotonic() < until:
        time.sleep(2)
        # Of a new organisation there is no alert manager yet; the server makes it within a minute.
        answer = live.http.get(
            "/alertmanager/grafana/api/v2/alerts", headers={"X-Grafana-Org-Id": str(org)}
        )
        found = answer.json() if answer.status_code == 200 else []

    (alert,) = found
    assert alert["labels"]["alertname"] == "Silence"
    assert alert["labels"]["scope"] == "mairie"
    assert alert["labels"]["severity"] == "warning"
    assert alert["annotations"]["summary"] == "Rien."


@pytest.fixture
def certified(communes, tmp_path):
    """The database answers by TLS; the file of the authority that signed its certificate."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    (folder,) = communes.execute("SHOW data_directory").fetchone()
    issued = authority.issue_cert("localhost")
    for name, blob in (("tls.pem", issued.cert_chain_pems[0]), ("tls.key", issued.private_key_pem)):
        path = Path(folder) / name
        blob.write_to_path(path)
        shutil.chown(path, Path(folder).stat().st_uid, Path(folder).stat().st_gid)
        path.chmod(0o600)
    for setting in ("ssl = on", "ssl_cert_file = 'tls.pem'", "ssl_key_file = 'tls.key'"):
        communes.execute(f"ALTER SYSTEM SET {setting}")
    reload(communes)
    yield tmp_path / "ca.pem"
    for setting in ("ssl", "ssl_cert_file", "ssl_key_file"):
        communes.execute(f"ALTER SYSTEM RESET {setting}")
    reload(communes)


def reload(connection):
    connection.execute("SELECT pg_reload_conf()")
    time.sleep(1)


def test_grafana_asks_by_tls_and_looks_who_answers(live, certified, monkeypatch, tmp_path):
    declare(monkeypatch)
    address = f"localhost:{os.environ['PGPORT']}"
    only = ("--territory", "99981", "--database-address", address)

    assert steps(*only, "--database-ca", str(certified))[0] == 0

    org = live.organisation("99981")
    encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    assert values(live.query(org, encrypted)) == [[True]]
    assert steps(*only, "--database-ca", str(certified)) == (0, [])
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    status, done = steps(*only, "--database-ca", str(tmp_path / "other.pem"))
    assert (status, ("data source", "beffroi", "failed") in done) == (1, True), done
    assert "certificate" in live.query(org, encrypted)["error"]


def test_of_two_pushes_close_upon_each_other_the_later_one_is_told_of(live, monkeypatch):
    declare(monkeypatch)
    monkeypatch.setattr(territory, "SETTLES_WITHIN_S", 0)
    assert steps("--territory", "99981")[0] == 0

    nowhere = ("--territory", "99981", "--database-address", "127.0.0.1:1")
    changed = ("data source", "beffroi", "change")
    assert steps(*nowhere) == (1, [changed, ("data source", "beffroi", "failed")])
    told = live.query(live.organisation("99981"), "SELECT 1 AS one")
    assert "failed to connect" in told["error"]


def test_what_a_wrong_account_is_told(live, monkeypatch):
    declare(monkeypatch)
    url, user, _ = GIVEN.values()
    reach(monkeypatch, url, USER=user, PASSWORD="wrong")
    status, _, err = grafana("push")
    assert (status, "does not take these credentials" in err) == (1, True)

    name = f"beffroi-viewer-{os.getpid()}"
    made = live.ask("POST", "/admin/users", {"login": name, "password": "viewer-only-1"})
    try:
        reach(monkeypatch, url, USER=name, PASSWORD="viewer-only-1")
        status, _, err = grafana("push")
        assert (status, "is no server administrator" in err) == (1, True), err
    finally:
        live.ask("DELETE", f"/admin/users/{made['id']}")


def values(answer):
    """Columns of what came back."""
    assert answer["status"] == 200, answer
    return answer["frames"][0]["data"]["values"]
