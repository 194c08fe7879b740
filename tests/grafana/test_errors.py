"""What `beffroi grafana` says when Grafana, the network or the database is not as it should be."""

import json
import socket

import psycopg
import pytest
import trustme

from dashboards.delivery.settings import Settings
from tests.grafana.delivering import communes, hands, reach, stub
from tests.grafana.hands import grafana, steps
from tests.grafana.stub import PASSWORD, USER, Stub

FIXTURES = (communes, hands, stub)


def one_line(err):
    """An error is one sentence, with no traceback and no password in it."""
    assert "Traceback" not in err
    assert PASSWORD not in err
    (line,) = err.strip().splitlines()
    return line


@pytest.mark.parametrize("command", ["push", "check"])
def test_an_address_where_nothing_listens(stub, monkeypatch, command):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        reach(monkeypatch, f"http://127.0.0.1:{taken.getsockname()[1]}")

        status, _, err = grafana(command)

    assert status == 1
    assert "no Grafana answers at http://127.0.0.1:" in one_line(err)
    assert "refused" in err
    assert "--url" in err


def test_an_address_with_https_where_only_http_is_spoken(stub, monkeypatch):
    reach(monkeypatch, stub.url.replace("http://", "https://"))

    status, _, err = grafana("check")

    assert status == 1
    assert "does not speak TLS; write http://" in one_line(err)
    assert "--ca" not in err


def test_a_certificate_that_nobody_here_trusts_and_its_authority(communes, monkeypatch, tmp_path):
    authority = trustme.CA()
    with Stub(tls=authority.issue_cert("127.0.0.1")) as running:
        reach(monkeypatch, running.url)
        status, _, err = grafana("check")
        assert status == 1
        assert "is not trusted" in one_line(err)
        assert "--ca FILE" in err

        file = tmp_path / "ca.pem"
        authority.cert_pem.write_to_path(str(file))
        status, out, _ = grafana("check", "--ca", str(file))
        assert (status, "no organisation holds anything" in out) == (1, True)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<html>hello</html>", "it is not a Grafana"),
        ({"status": "UP"}, "it is not a Grafana"),
        ({"version": "10.4.2", "database": "ok"}, "Grafana 10.4.2 at http"),
        ({"version": "11.3.9", "database": "ok"}, "is too old; this needs 11.4 or newer"),
    ],
)
def test_a_server_that_is_none_or_too_old(stub, body, words):
    stub.fail("GET /health", 200, body)

    status, _, err = grafana("push")

    assert status == 1
    assert words in one_line(err)


def test_a_server_newer_than_known_is_warned_of_and_gone_on_with(stub):
    stub.version = "14.1.0"

    status, out, err = grafana("push", "--territory", "99981")

    assert status == 0
    assert "Grafana 14.1.0 is newer than the newest this was made for" in err
    assert "created" in out


def test_a_wrong_password(stub, monkeypatch):
    reach(monkeypatch, stub.url, PASSWORD="wrong")

    status, _, err = grafana("push")

    assert status == 1
    assert "does not take these credentials" in one_line(err)


def test_an_account_that_is_no_server_administrator(stub):
    stub.server_administrator = False

    status, _, err = grafana("push")

    assert status == 1
    assert "is no server administrator" in one_line(err)
    assert "BEFFROI_GRAFANA_TOKEN" in err


def test_an_organisation_the_account_is_not_in_keeps_only_itself_back(stub, hands):
    hands.ask("POST", "/orgs", {"name": "Essaibourg (99981)"})
    stub.entered.discard(2)

    status, out, _ = grafana("push")

    assert status == 1
    assert "admin is not in the organisation “Essaibourg (99981)”; add that account" in out
    assert "created organisation Hautessai (99982)" in out


def test_two_organisations_with_the_same_code(stub, hands):
    for name in ("Essaibourg (99981)", "Old Essaibourg (99981)"):
        hands.ask("POST", "/orgs", {"name": name})

    status, out, _ = grafana("push", "--territory", "99981")

    assert status == 1
    assert "both" not in out
    assert "“Essaibourg (99981)”, “Old Essaibourg (99981)” all have the code 99981" in out


@pytest.mark.parametrize(
    ("asked", "status", "body", "words"),
    [
        ("POST /datasources", 404, {"message": "Plugin not registered"},
         "Grafana has no PostgreSQL data source plugin"),
        ("POST /dashboards/db", 413, "<html>too large</html>", "client_max_body_size"),
        ("POST /dashboards/db", 403, {"message": "Quota reached"}, "a quota"),
        ("POST /v1/provisioning/alert-rules", 403, {"message": "no"}, "a right is missing"),
        ("POST /dashboards/db", 503, "<html>away</html>", "the next push goes on"),
        ("POST /dashboards/db", 412, {"message": "version-mismatch"}, "at the same moment"),
        ("PATCH /org/preferences", 429, {"message": "slow down"}, "wait a minute"),
    ],
)  # fmt: skip
def test_what_one_request_meets_keeps_nothing_else_back(stub, asked, status, body, words):
    stub.fail(asked, status, body)

    exit_status, out, err = grafana("push", "--territory", "99981")

    assert exit_status == 1
    assert "Traceback" not in out + err
    assert words in out
    assert "created rule Seuil" in out
    assert steps("--territory", "99981")[0] == 0
    assert steps("--territory", "99981") == (0, [])


def test_a_server_that_falls_silent_in_the_middle(stub, monkeypatch):
    quick = Settings.read.__func__

    def read(cls, environment, **options):
        settings = quick(cls, environment, **options)
        return Settings(settings.url, settings.user, settings.password, timeout_s=0.5)

    monkeypatch.setattr(Settings, "read", classmethod(read))
    stub.fail("POST /dashboards/db", 0, 2.0)

    status, out, err = grafana("push")

    assert status == 1
    assert "did not answer POST /dashboards/db in time" in out
    assert "created data source Beffroi" in out
    assert "Hautessai" not in out
    assert "Traceback" not in out + err
    assert steps()[0] == 0
    assert steps() == (0, [])


def test_a_uid_that_a_dashboard_has_taken(stub, hands):
    hands.ask("POST", "/orgs", {"name": "Essaibourg (99981)"})
    hands.ask("POST", "/dashboards/db", {"dashboard": {"uid": "beffroi", "title": "Mine"}}, 2)

    status, out, _ = grafana("push", "--territory", "99981")

    assert status == 1
    assert "the uid 'beffroi' is taken by something that is not a folder" in out
    assert "not tried: without its folder it has no place" in out


def test_a_folder_of_somebody_else_is_not_taken_over_unasked(stub, hands):
    hands.ask("POST", "/orgs", {"name": "Essaibourg (99981)"})
    hands.ask("POST", "/folders", {"uid": "beffroi", "title": "Belfries of Flanders"}, 2)

    status, out, _ = grafana("push", "--territory", "99981")

    assert status == 1
    assert "its uid is taken by the folder “Belfries of Flanders”" in out
    assert stub.organisations[2].dashboards == {}
    assert steps("--territory", "99981", "--force")[0] == 0
    assert stub.organisations[2].folders["beffroi"]["title"] == "Beffroi"


def test_what_comes_from_files_of_the_server_is_left_even_by_force(stub, hands):
    grafana("push", "--territory", "99981")
    org = stub.organisations[hands.organisation("99981")]
    org.sources["beffroi"] |= {"readOnly": True, "url": "elsewhere:5432"}
    hands.edit_dashboard(org.number, "beffroi-a", title="Mine")
    org.dashboards["beffroi-a"]["provisioned"] = True
    org.rules["beffroi-r1"] |= {"provenance": "file", "title": "Mine"}

    status, out, _ = grafana("push", "--territory", "99981", "--force")

    assert status == 1
    assert out.count("it comes from a provisioning file of the server") == 3


def test_no_territory_and_one_that_is_unknown(stub, communes):
    status, _, err = grafana("push", "--territory", "99989")
    assert status == 2
    assert "'99989' is not registered" in one_line(err)

    communes.execute("UPDATE city.territory SET valid_to = '2026-01-01'")
    status, _, err = grafana("push")
    assert status == 2
    assert "no territory is registered; run: beffroi register" in one_line(err)


def test_a_database_without_our_schema(stub, communes):
    communes.execute("ALTER TABLE city.territory RENAME TO elsewhere")

    with pytest.raises(psycopg.errors.UndefinedTable):
        grafana("push")


def test_a_role_of_the_same_name_that_is_not_ours(stub, communes):
    communes.execute("CREATE ROLE beffroi_reader_99981")

    status, out, _ = grafana("push", "--territory", "99981")

    assert status == 1
    assert "exists and was not made by Beffroi" in out


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"URL": ""}, "where is Grafana?"),
        ({"URL": "grafana.example"}, "must begin with http:// or https://"),
        ({"URL": "http://grafana.example:99999"}, "Port out of range"),
        ({"URL": "http://grafana.example:x"}, "the address of Grafana, 'http://grafana.example:x'"),
        ({"URL": "http://[::1"}, "Invalid IPv6 URL"),
        ({"URL": "http://me:secret@grafana.example"}, "BEFFROI_GRAFANA_PASSWORD"),
        ({"PASSWORD": ""}, "who asks?"),
        ({"CA": "/nowhere.pem"}, "there is no file '/nowhere.pem'"),
        ({"LANGUAGE": "nl"}, "must be fr, en or de, got 'nl'"),
        ({"DATABASE_ADDRESS": "host:port:x"}, "must be HOST or HOST:PORT"),
    ],
)
def test_settings_that_cannot_be_meant(stub, monkeypatch, given, words):
    reach(monkeypatch, given.pop("URL", stub.url), **given)

    status, _, err = grafana("push")

    assert status == 2
    assert words in one_line(err)
    assert "secret" not in err


def test_the_json_of_a_push_that_broke_off_says_why(stub):
    stub.fail("GET /folders/beffroi", 401, {"message": "session expired"})
    grafana("push")
    stub.fail("GET /folders/beffroi", 401, {"message": "session expired"})

    status, out, _ = grafana("push", "--json")

    told = json.loads(out)
    assert (status, told["well"]) == (1, False)
    assert "does not take these credentials (session expired)" in told["problem"]


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("GET", "/nowhere", None, "is in no description"),
        ("POST", "/dashboards/calculate-diff", {}, "is gone in 13.0"),
        ("GET", "/search?colour=red", None, "unknown query parameter colour"),
        ("POST", "/folders", {"title": "x", "uid": "x", "colour": 1}, "colour"),
        ("POST", "/folders", {"title": 7, "uid": "x"}, "is not of type 'string'"),
        ("GET", "/folders/x", {"a": 1}, "takes no body"),
    ],
)
def test_the_stub_refuses_what_is_not_described(stub, hands, method, path, body, words):
    answer = hands.http.request(method, path, json=body, headers={"X-Grafana-Org-Id": "1"})

    assert answer.status_code == 400
    assert words in answer.text
    assert len(stub.violations) == 1
    stub.violations.clear()


def test_the_stub_asks_for_the_organisation_and_for_who_asks(stub, hands):
    assert "without X-Grafana-Org-Id" in hands.http.get("/folders/x").text
    stub.violations.clear()
    assert hands.http.get("/orgs", auth=(USER, "x")).status_code == 401
