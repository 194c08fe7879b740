"""A stub of Grafana, a city of two communes, and two small pages to bring there."""

import psycopg
import pytest

from dashboards.delivery import check, territory, wanted
from storage.city import parse
from storage.registry import register
from tests.grafana.hands import CITY, SENSORS, Hands, page, rule
from tests.grafana.stub import PASSWORD, USER, Stub

PAGES = (page("beffroi-a", "Air"), page("beffroi-b", "Bruit"))
RULES = (rule("beffroi-r1", "Silence"), rule("beffroi-r2", "Seuil"))


def declare(monkeypatch, pages=PAGES, rules=RULES):
    """Small pages and rules instead of the shipped ones."""
    for module in (wanted, check):
        monkeypatch.setattr(module, "PAGES", pages)
        monkeypatch.setattr(module, "RULES", rules)


def forget_roles(conninfo):
    """Roles are the server's and would outlive the database of a test."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        names = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'beffroi\\_reader\\_9998_'"
        ).fetchall()
        for (name,) in names:
            connection.execute(f'DROP OWNED BY "{name}"'.encode())
            connection.execute(f'DROP ROLE "{name}"'.encode())


@pytest.fixture
def communes(connection, database):
    """Essaibourg (99981) and Hautessai (99982), each with one site and one sensor."""
    register(connection, parse(CITY, SENSORS))
    yield connection
    forget_roles(database)


@pytest.fixture
def stub(communes, monkeypatch):
    declare(monkeypatch)
    for waiting in ("TOLD_APART_S", "KNOWN_FOR_S", "SETTLES_WITHIN_S"):
        monkeypatch.setattr(territory, waiting, 0)
    with Stub() as running:
        reach(monkeypatch, running.url)
        yield running
    assert running.violations == [], running.violations


@pytest.fixture
def hands(stub):
    somebody = Hands(stub.url, USER, PASSWORD)
    yield somebody
    somebody.http.close()


def reach(monkeypatch, url, **more):
    """BEFFROI_GRAFANA_* variables that lead there, and no other."""
    given = {"URL": url, "USER": USER, "PASSWORD": PASSWORD, **more}
    for name in ("URL", "USER", "PASSWORD", "TOKEN", "CA", "DATABASE_ADDRESS", "DATABASE_CA",
                 "LANGUAGE"):  # fmt: skip
        monkeypatch.delenv(f"BEFFROI_GRAFANA_{name}", raising=False)
        if given.get(name):
            monkeypatch.setenv(f"BEFFROI_GRAFANA_{name}", given[name])
