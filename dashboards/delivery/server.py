"""A Grafana server, and one organisation of it, behind methods that say what they do.

Every request goes through grafana-client. Where it has no method, or one that sends what the
API does not describe, its plain methods are used.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeVar
from urllib.parse import quote, urlsplit

from grafana_client.api import GrafanaApi

from dashboards.delivery.errors import (
    REQUESTING,
    GrafanaError,
    RefusedError,
    explained,
)
from dashboards.delivery.settings import Settings

OLDEST, NEWEST = (11, 4), (13, 0)
Json = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Version:
    """What a server says it is."""

    text: str
    number: tuple[int, int]

    @property
    def warning(self) -> str:
        """What to know before going on; empty where there is nothing."""
        if self.number > NEWEST:
            return (
                f"Grafana {self.text} is newer than the newest this was made for"
                f" ({NEWEST[0]}.{NEWEST[1]}); going on, look at the pages afterwards"
            )
        return ""


class _Asking:
    """Requests of one account, in one organisation or in none."""

    def __init__(self, settings: Settings, organisation: int | None = None) -> None:
        parts = urlsplit(settings.url)
        path = parts.path.strip("/")
        self.settings = settings
        # The client ships no types for most of its methods.
        self.api: Any = GrafanaApi(
            auth=settings.token or (settings.user, settings.password),
            host=f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname,
            port=parts.port,
            protocol=parts.scheme,
            url_path_prefix=f"{path}/" if path else "",
            verify=settings.ca or True,
            timeout=settings.timeout_s,
            organization_id=organisation,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self.api.client.s.close()

    def ask(self, asked: str, request: Callable[[], T]) -> T:
        """One request; whatever it runs into becomes a sentence."""
        try:
            return request()
        except REQUESTING as error:
            raise explained(error, self.settings.url, asked) from error

    def get(self, path: str, **params: Any) -> Any:
        return self.ask(f"GET {path}", lambda: self.api.client.GET(path, params=params or None))

    def found(self, path: str, **params: Any) -> Json | None:
        """What is there; ``None`` where the server knows no such thing."""
        try:
            answer: Json = self.get(path, **params)
        except RefusedError as error:
            if error.status == 404:
                return None
            raise
        return answer


class Server(_Asking):
    """The whole server: who asks, its version, its organisations."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)

    def version(self) -> Version:
        """Of a server that is new enough.

        Raises
        ------
        GrafanaError
            Where it is too old, unwell, or no Grafana at all.
        """
        url = self.settings.url
        try:
            told = self.get("/health")
        except RefusedError as error:
            if error.status == 503:
                raise GrafanaError(
                    f"Grafana at {url} has lost its own database ({error.said}); see its log"
                ) from error
            raise
        number = (
            re.match(r"(\d+)\.(\d+)", str(told.get("version", ""))) if _is_object(told) else None
        )
        if number is None:
            if _is_object(told) and "database" in told:
                # `[auth.anonymous] hide_version` hides it from everybody who asks.
                return Version("of unknown version", NEWEST)
            raise GrafanaError(f"{url} answers, but it is not a Grafana; see --url")
        version = Version(str(told["version"]), (int(number[1]), int(number[2])))
        if version.number < OLDEST:
            raise GrafanaError(
                f"Grafana {version.text} at {url} is too old; this needs"
                f" {OLDEST[0]}.{OLDEST[1]} or newer"
            )
        return version

    def organisations(self) -> dict[int, str]:
        """Id -> name of every organisation; of the one a token belongs to."""
        if self.settings.token:
            own = self.get("/org")
            return {int(own["id"]): str(own["name"])}
        try:
            listed = self.ask("GET /orgs", self.api.organizations.list_organization)
        except RefusedError as error:
            if error.status == 403:
                raise GrafanaError(
                    f"{self.settings.user} is no server administrator of Grafana, and organisations"
                    " can be listed and created by one only; give the account that right, or use"
                    " BEFFROI_GRAFANA_TOKEN of a service account for one organisation"
                ) from error
            raise
        return {int(one["id"]): str(one["name"]) for one in listed}

    def memberships(self) -> set[int]:
        """Organisations that the account may enter."""
        return {int(one["orgId"]) for one in self.get("/user/orgs")}

    def create_organisation(self, name: str) -> int:
        """A new one, whose Admin is who asks; returns its id."""
        made = self.ask("POST /orgs", lambda: self.api.organization.create_organization(name))
        return int(made["orgId"])

    def rename_organisation(self, number: int, name: str) -> None:
        self.ask(
            f"PUT /orgs/{number}",
            lambda: self.api.organizations.update_organization(number, {"name": name}),
        )


class Organisation(_Asking):
    """One organisation of a server."""

    def __init__(self, settings: Settings, number: int, name: str) -> None:
        super().__init__(settings, number)
        self.number = number
        self.name = name

    def folder(self, uid: str) -> Json | None:
        return self.found(f"/folders/{uid}")

    def create_folder(self, uid: str, title: str) -> None:
        self.ask("POST /folders", lambda: self.api.folder.create_folder(title, uid))

    def rename_folder(self, uid: str, title: str, version: int) -> None:
        self.ask(
            f"PUT /folders/{uid}",
            lambda: self.api.folder.update_folder(uid, title, version=version, overwrite=True),
        )

    def source(self, uid: str) -> Json | None:
        return self.found(f"/datasources/uid/{uid}")

    def create_source(self, source: Json) -> None:
        self.ask("POST /datasources", lambda: self.api.datasource.create_datasource(source))

    def change_source(self, uid: str, source: Json) -> None:
        self.ask(
            f"PUT /datasources/uid/{uid}",
            lambda: self.api.datasource.update_datasource_by_uid(uid, source),
        )

    def source_health(self, uid: str) -> str:
        """What keeps a data source from its database; empty where nothing does.

        It is asked of the data source as it is now, not of the one the server knew 5 s ago.
        A connection that Grafana kept and the database closed fails once and is opened anew: what
        fails is asked again.
        """
        return self._source_health(uid) and self._source_health(uid)

    def _source_health(self, uid: str) -> str:
        try:
            told = self.ask(
                f"GET /datasources/uid/{uid}/health",
                lambda: self.api.client.GET(
                    f"/datasources/uid/{uid}/health", headers={"X-Grafana-NoCache": "true"}
                ),
            )
        except RefusedError as error:
            if error.status in (400, 500):
                return error.said or "no answer"
            raise
        return "" if told.get("status") == "OK" else str(told.get("message", told))

    def dashboard(self, uid: str) -> Json | None:
        """Its JSON and, beside it, `meta`."""
        return self.found(f"/dashboards/uid/{uid}")

    def dashboard_message(self, uid: str, version: int) -> str:
        """What was said when a version was saved.

        Read from the version itself: the list of versions says "Initial save" of the first,
        whatever its message is.
        """
        told = self.found(f"/dashboards/uid/{uid}/versions/{version}")
        return str(told.get("message", "")) if told else ""

    def dashboards(self, folder: str, tag: str) -> list[Json]:
        """Dashboards of a folder that carry a tag: uid, title, tags."""
        found: list[Json] = self.ask(
            "GET /search",
            lambda: self.api.search.search_dashboards(
                tag=tag, type_="dash-db", folder_uids=folder, limit=1000
            ),
        )
        return [one for one in found if one.get("folderUid") == folder]

    def save_dashboard(self, body: Json) -> None:
        self.ask("POST /dashboards/db", lambda: self.api.dashboard.update_dashboard(body))

    def delete_dashboard(self, uid: str) -> None:
        self.ask(f"DELETE /dashboards/uid/{uid}", lambda: self.api.dashboard.delete_dashboard(uid))

    def rules(self) -> list[Json]:
        listed: list[Json] = self.ask(
            "GET /v1/provisioning/alert-rules", self.api.alertingprovisioning.get_alertrules_all
        )
        return listed

    def create_rule(self, rule: Json) -> None:
        self.ask(
            "POST /v1/provisioning/alert-rules",
            lambda: self.api.alertingprovisioning.create_alertrule(rule),
        )

    def change_rule(self, uid: str, rule: Json) -> None:
        self.ask(
            f"PUT /v1/provisioning/alert-rules/{uid}",
            lambda: self.api.alertingprovisioning.update_alertrule(uid, rule),
        )

    def delete_rule(self, uid: str) -> None:
        self.ask(
            f"DELETE /v1/provisioning/alert-rules/{uid}",
            lambda: self.api.alertingprovisioning.delete_alertrule(uid),
        )

    def rule_group(self, folder: str, group: str) -> Json | None:
        return self.found(f"/v1/provisioning/folder/{folder}/rule-groups/{quote(group, safe='')}")

    def change_rule_group(self, folder: str, group: str, body: Json) -> None:
        name = quote(group, safe="")
        self.ask(
            f"PUT /v1/provisioning/folder/{folder}/rule-groups/{name}",
            lambda: self.api.alertingprovisioning.update_rule_group(folder, name, body),
        )

    def preferences(self) -> Json:
        found: Json = self.ask("GET /org/preferences", self.api.organization.get_preferences)
        return found

    def change_preferences(self, preferences: Json) -> None:
        """Only what is named; grafana-client's own method knows no language."""
        self.ask(
            "PATCH /org/preferences",
            lambda: self.api.client.PATCH("/org/preferences", json=preferences),
        )

    def query(self, body: Json) -> Json:
        """Whatever a query comes to: frames or, as `error`, why there are none."""
        try:
            answer: Json = self.get_results(body)
        except RefusedError as error:
            cause = error.__cause__
            response = getattr(cause, "response", None)
            if isinstance(response, dict) and "results" in response:
                return response
            raise
        return answer

    def get_results(self, body: Json) -> Json:
        answer: Json = self.ask(
            "POST /ds/query", lambda: self.api.client.POST("/ds/query", json=body)
        )
        return answer


def _is_object(value: object) -> bool:
    return isinstance(value, dict)
