"""What can go wrong with a Grafana server, each as one sentence with its remedy."""

from __future__ import annotations

from typing import Any

from grafana_client.client import GrafanaException, GrafanaTimeoutError
from niquests.exceptions import (
    ConnectionError as NoConnection,
)
from niquests.exceptions import (
    JSONDecodeError,
    RequestException,
    SSLError,
    Timeout,
)

_MANY = 300


class GrafanaError(Exception):
    """Something that a user can mend; the message says how."""


class UnreachableError(GrafanaError):
    """The server does not answer: there is no use in trying what is left."""


class RefusedError(GrafanaError):
    """The server refused one request.

    Attributes
    ----------
    status
        Of the answer.
    said
        The server's own words.
    """

    def __init__(self, message: str, status: int, said: str) -> None:
        super().__init__(message)
        self.status = status
        self.said = said


class PasswordError(GrafanaError):
    """Nobody is let in with these credentials."""


def explained(error: Exception, address: str, asked: str) -> GrafanaError:
    """The sentence for what a request ran into; `asked`: method and path."""
    if isinstance(error, GrafanaTimeoutError | Timeout):
        return UnreachableError(
            f"Grafana at {address} did not answer {asked} in time; what was done until then"
            " stays: run the same command again, and see the load of the server if it happens anew"
        )
    if "wrong_version_number" in str(error).lower() or "record layer" in str(error).lower():
        return UnreachableError(
            f"{address} does not speak TLS; write http:// in --url or BEFFROI_GRAFANA_URL, or see"
            " that Grafana is given a certificate"
        )
    if isinstance(error, SSLError) or _is_about_trust(error):
        return UnreachableError(
            f"the certificate of {address} is not trusted: {_short(error)}; name the authority"
            " that signed it with --ca FILE or BEFFROI_GRAFANA_CA"
        )
    if isinstance(error, NoConnection):
        return UnreachableError(
            f"no Grafana answers at {address}: {_short(error)}; see that it runs, and that"
            " BEFFROI_GRAFANA_URL or --url is right"
        )
    if isinstance(error, JSONDecodeError):
        return GrafanaError(
            f"{address} answered {asked} with something that is not JSON: it is not a Grafana, or"
            " a proxy stands before it; --url must be the address a browser uses, with its path"
        )
    if isinstance(error, GrafanaException):
        return _refused(error, address, asked)
    return UnreachableError(f"{asked} of {address} failed: {_short(error)}")


def said(response: Any) -> str:
    """The server's own words in one line."""
    words = response
    if isinstance(response, dict):
        words = response.get("message") or response.get("error") or response
    text = " ".join(str(words).split())
    return text[:_MANY] + ("…" if len(text) > _MANY else "")


def _refused(error: GrafanaException, address: str, asked: str) -> GrafanaError:
    status, words = int(error.status_code), said(error.response)
    if status == 401:
        return PasswordError(
            f"Grafana at {address} does not take these credentials ({words}); see"
            " BEFFROI_GRAFANA_USER and BEFFROI_GRAFANA_PASSWORD, or BEFFROI_GRAFANA_TOKEN"
        )
    if status == 403 and "quota" in words.lower():
        remedy = "a quota of the organisation is reached; raise it in Grafana's settings [quota]"
    elif status == 403:
        remedy = (
            "a right is missing; take an account that is server administrator and Admin of the"
            " organisation, or for one organisation a service account with the role Admin"
        )
    elif status == 404 and not isinstance(error.response, dict):
        return GrafanaError(
            f"{address} knows no {asked}: it is not a Grafana, or the path in --url is wrong"
        )
    elif status == 412:
        remedy = "somebody saved it at the same moment; run the same command again"
    elif status == 413:
        remedy = (
            "a proxy before Grafana takes no bodies of this size; raise its limit"
            " (client_max_body_size in nginx) to 2 MB"
        )
    elif status == 429:
        remedy = "too many requests; wait a minute and run the same command again"
    elif status >= 500:
        remedy = "see Grafana's log; what was done until then stays, and the next push goes on"
    else:
        remedy = "see Grafana's log"
    return RefusedError(f"{asked} was refused ({status}: {words}); {remedy}", status, words)


def _is_about_trust(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, RequestException) and (
        "certificate" in text or "ssl" in text or "tls" in text
    )


def _short(error: Exception) -> str:
    """The innermost words of an exception that wraps others."""
    text = str(error)
    for mark in ("[Errno", "Caused by", "certificate verify failed"):
        if mark in text:
            text = text[text.rindex(mark) :]
            break
    return " ".join(text.rstrip("')\"").split())[:200]


REQUESTING = (GrafanaException, RequestException)
"""What a request may raise."""
