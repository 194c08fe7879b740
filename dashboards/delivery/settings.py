"""Where Grafana is and who asks: BEFFROI_GRAFANA_* variables, and options before them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from dashboards.grafana.text import LANGUAGES

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class DeliverySettingError(Exception):
    """A setting that cannot be meant; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a Grafana is reached.

    Attributes
    ----------
    url
        What a browser opens, with its path.
    user, password
        Of a server administrator; or
    token
        of a service account, which sees one organisation only.
    ca
        File of the authority that signed Grafana's certificate; empty: the system's.
    database_address
        HOST:PORT where Grafana reaches the database; empty: where we do.
    database_ca
        File of the authority that signed the database's certificate; empty: the connection is
        encrypted without looking who answers, or plain on this very machine.
    database_tls
        `off`: Grafana reaches the database by a network that nobody else is on, without TLS.
    language
        Of pages, rules and Grafana itself.
    timeout_s
        Of one request. [s]
    """

    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    ca: str = ""
    database_address: str = ""
    database_ca: str = ""
    language: str = "fr"
    timeout_s: float = 60.0
    database_tls: str = ""

    @classmethod
    def read(cls, environment: Mapping[str, str], **options: str | None) -> Self:
        """From BEFFROI_GRAFANA_* variables; an option that is given wins.

        Raises
        ------
        DeliverySettingError
            With the sentence to print.
        """
        given = {
            name: options.get(name) or environment.get(f"BEFFROI_GRAFANA_{name.upper()}", "")
            for name in ("url", "user", "password", "token", "ca", "database_address",
                         "database_ca", "database_tls", "language")
        }  # fmt: skip
        language = given.pop("language") or "fr"
        if language not in LANGUAGES:
            raise DeliverySettingError(f"--language must be fr, en or de, got {language!r}")
        url = given.pop("url").rstrip("/")
        if not url:
            raise DeliverySettingError(
                "where is Grafana? Set BEFFROI_GRAFANA_URL or --url, like https://grafana.example"
            )
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError as error:
            raise DeliverySettingError(f"the address of Grafana, {url!r}: {error}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise DeliverySettingError(
                f"the address of Grafana must begin with http:// or https://, got {url!r}"
            )
        if parts.username or parts.password:
            raise DeliverySettingError(
                "write the password into BEFFROI_GRAFANA_PASSWORD and not into the address,"
                " where everybody on this machine can read it"
            )
        if not given["token"] and not (given["user"] and given["password"]):
            raise DeliverySettingError(
                "who asks? Set BEFFROI_GRAFANA_USER and BEFFROI_GRAFANA_PASSWORD of a server"
                " administrator, or BEFFROI_GRAFANA_TOKEN for one organisation"
            )
        for name in ("ca", "database_ca"):
            if given[name] and not Path(given[name]).is_file():
                option = "--" + name.replace("_", "-")
                raise DeliverySettingError(f"{option}: there is no file {given[name]!r}")
        if given["database_tls"] not in ("", "off"):
            raise DeliverySettingError(
                f"BEFFROI_GRAFANA_DATABASE_TLS must be off or empty, got {given['database_tls']!r}"
            )
        if given["database_address"]:
            host_and_port(given["database_address"])
        return cls(
            url, given["user"], given["password"], given["token"], given["ca"],
            given["database_address"], given["database_ca"], language,
            database_tls=given["database_tls"],
        )  # fmt: skip

    @property
    def in_clear(self) -> bool:
        """Whether passwords would travel unencrypted over a network."""
        parts = urlsplit(self.url)
        return parts.scheme == "http" and parts.hostname not in LOOPBACK


def host_and_port(address: str) -> tuple[str, int]:
    """HOST:PORT or HOST, of IPv6 in brackets; the port is 5432 unless said.

    >>> host_and_port("db.example:5433"), host_and_port("[::1]"), host_and_port("db")
    (('db.example', 5433), ('::1', 5432), ('db', 5432))
    """
    try:
        parts = urlsplit(f"//{address}")
        if not parts.hostname or parts.path or parts.username:
            raise ValueError
        return parts.hostname, parts.port or 5432
    except ValueError:
        raise DeliverySettingError(
            f"--database-address must be HOST or HOST:PORT, got {address!r}"
        ) from None
