"""What an organisation of Grafana is to hold for a territory; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from dashboards.delivery import marks
from dashboards.delivery.settings import LOOPBACK, Settings, host_and_port
from dashboards.grafana import alerting
from dashboards.grafana.dashboard import as_json
from dashboards.grafana.pages import PAGES
from dashboards.grafana.rules import RULES
from dashboards.grafana.target import DATASOURCE

Json = dict[str, Any]

UID = str(DATASOURCE.uid)
"""Of the data source, which every query names."""
FOLDER = "beffroi"
TAG = "beffroi"
PREFIX = "beffroi-"
"""Uids of pages begin with it; other dashboards of the folder are somebody's own."""
HOME = "beffroi-city"
_TITLE = "Beffroi"
_LOCALES = {"fr": "fr-FR", "en": "en-US", "de": "de-DE"}
# A code may have parentheses of its own, as long as they pair.
_CODE = re.compile(r"\(((?:[^()]|\([^()]*\))+)\)$")


@dataclass(frozen=True, slots=True)
class Territory:
    """A commune or a group of them, as it is registered."""

    code: str
    name: str
    timezone: str

    @property
    def organisation(self) -> str:
        """Name of its organisation; the code finds it when the name has changed.

        >>> Territory("59350", "Lille", "Europe/Paris").organisation
        'Lille (59350)'
        """
        return f"{self.name} ({self.code})"


def code_of(organisation: str) -> str | None:
    """The territory's code in the name of an organisation.

    >>> code_of("Lille (59350)"), code_of("Main Org."), code_of("Lys (a) (59(3)50)")
    ('59350', None, '59(3)50')
    """
    match = _CODE.search(organisation)
    return match[1] if match else None


@dataclass(frozen=True, slots=True)
class Database:
    """Where Grafana finds the database, and as whom.

    `ca`: text of the authority's certificate; empty: who answers is not looked at. `plain`: nobody
    else is on the network between the two.
    """

    host: str
    port: int
    name: str
    role: str
    ca: str = ""
    plain: bool = False

    @property
    def nearby(self) -> bool:
        """Whether what goes between Grafana and the database is out of others' reach."""
        return self.plain or self.host in LOOPBACK or self.host.startswith("/")

    @property
    def address(self) -> str:
        """As a data source writes it."""
        if self.host.startswith("/"):
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that a push brings to one organisation; no password is in it."""

    organisation: str
    folder: str
    source: Json
    dashboards: dict[str, Json]
    rules: dict[str, Json]
    intervals: dict[str, int]
    preferences: Json
    ca: str = ""


def database(settings: Settings, host: str, port: int, name: str, role: str) -> Database:
    """Where Grafana finds what we reach at `host` and `port`."""
    if settings.database_address:
        host, port = host_and_port(settings.database_address)
    ca = ""
    if settings.database_ca:
        with open(settings.database_ca, encoding="utf-8") as file:
            ca = file.read()
    return Database(host, port, name, role, ca, settings.database_tls == "off")


def wanted(territory: Territory, where: Database, language: str) -> Wanted:
    """For one territory, in one language."""
    pages = {page.uid: as_json(page, language, territory.timezone) for page in PAGES}
    home = HOME if HOME in pages else next(iter(pages))
    return Wanted(
        organisation=territory.organisation,
        folder=_TITLE,
        source=source(where),
        dashboards=pages,
        rules={rule.uid: alerting.as_object(rule, language, folder=FOLDER) for rule in RULES},
        intervals={rule.group: rule.every_s for rule in RULES},
        preferences={
            "homeDashboardUID": home,
            "timezone": territory.timezone,
            "language": _LOCALES[language],
        },
        ca=where.ca,
    )


def source(where: Database) -> Json:
    """The data source; `database` inside jsonData, where Grafana 12.2 and later look for it."""
    tls: Json = {"sslmode": "disable" if where.nearby else "require"}
    if where.ca:
        tls = {"sslmode": "verify-full", "tlsConfigurationMethod": "file-content",
               "beffroiCa": marks.digest(where.ca)}  # fmt: skip
    return {
        "uid": UID,
        "name": "Beffroi",
        "type": DATASOURCE.type_val,
        "access": "proxy",
        "url": where.address,
        "user": where.role,
        "isDefault": True,
        "jsonData": {
            "database": where.name,
            **tls,
            "postgresVersion": 1700,
            "timescaledb": True,
            "timeInterval": "15m",
            "maxOpenConns": 8,
            "maxIdleConns": 2,
            "connMaxLifetime": 14400,
        },
    }
