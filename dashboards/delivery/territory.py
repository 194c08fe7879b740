"""One territory's organisation, database role and data source, and all that lies in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg

from dashboards.delivery import access, marks
from dashboards.delivery.apply import applied, remember
from dashboards.delivery.difference import Change
from dashboards.delivery.errors import GrafanaError
from dashboards.delivery.found import Found, found
from dashboards.delivery.marks import Json
from dashboards.delivery.plan import BY_HAND, plan
from dashboards.delivery.server import Organisation, Server
from dashboards.delivery.settings import LOOPBACK
from dashboards.delivery.step import Action, Kind, Outcome, Step
from dashboards.delivery.wanted import (
    UID,
    Database,
    Territory,
    Wanted,
    code_of,
    database,
    wanted,
)

# What PostgreSQL says where a fresh password is the remedy; other troubles have others.
_PASSWORD_TROUBLES = (
    "password authentication failed", "28p01", "28000", "no password", "empty password",
    "permitted to log in",
)  # fmt: skip


TOLD_APART_S = 1.0
"""Grafana knows by the second of its last change whether a data source is another than the one it
holds connections for: of two changes within one second it never notices the later one."""

KNOWN_FOR_S = 5.5
"""A server of several that share one database goes on with the data source and the secrets it knew
for 5 s after another one was asked to change them."""

SETTLES_WITHIN_S = 10.0
"""For how long a database that does not answer is asked again."""


@dataclass(frozen=True, slots=True)
class Push:
    """What holds for all territories of one push."""

    connection: psycopg.Connection
    server: Server
    organisations: dict[int, str]
    entered: set[int]
    codes: frozenset[str]
    dry_run: bool
    force: bool
    rotate: bool
    tell: Callable[[str], None]

    def warnings(self) -> Iterator[str]:
        """What may be meant and probably is not."""
        settings, host = self.server.settings, self._database("").host
        if settings.in_clear:
            yield f"passwords travel unencrypted to {settings.url}; use https://"
        its_own = host in LOOPBACK or host.startswith("/")
        if its_own and urlsplit(settings.url).hostname not in LOOPBACK:
            yield (
                f"Grafana looks for the database at {host}, which is its own machine; give the"
                " address it reaches the database at with --database-address"
            )

    def territory(self, territory: Territory) -> Iterator[Outcome]:
        """All of one territory: what was done, or would be.

        Raises
        ------
        GrafanaError, AccessError
            Where its organisation or its database role is out of reach.
        """
        role = access.role(territory.code)
        goal = wanted(territory, self._database(role), self.server.settings.language)
        with ExitStack() as stack:
            organisation = self._find(territory.code)
            if organisation is None:
                self._refuse_a_second(goal)
            there = Found()
            if organisation is not None:
                stack.enter_context(organisation)
                there = found(
                    organisation, goal, lambda what: self.tell(f"{goal.organisation}: {what}")
                )
            head = self._organisation(goal, organisation, there)
            fresh = self._fresh(role, there)
            role_step = self._role(role, territory)
            steps = plan(goal, there, force=self.force, fresh=fresh)
            if self.dry_run:
                yield from map(Outcome, (head, role_step, *steps))
                source = next(one for one in steps if one.kind is Kind.SOURCE)
                yield from _out_of_reach("" if fresh and source.acts else there.trouble, source)
                return
            if organisation is None:
                organisation = stack.enter_context(self._create(goal))
            yield from self._apply(organisation, territory, role, goal, there,
                                   head, role_step, steps)  # fmt: skip

    def _apply(
        self, organisation: Organisation, territory: Territory, role: str, goal: Wanted,
        there: Found, head: Step, role_step: Step, steps: list[Step],
    ) -> Iterator[Outcome]:  # fmt: skip
        if head.action is Action.CHANGE:
            self.server.rename_organisation(organisation.number, goal.organisation)
        outcomes = [Outcome(head)]
        yield outcomes[0]
        access.ensure(self.connection, role, territory)
        yield Outcome(role_step)
        changed_at = None
        if any(step.kind is Kind.SOURCE and step.action is Action.CHANGE for step in steps):
            time.sleep(TOLD_APART_S)
        for outcome in applied(
            organisation, steps,
            lambda: access.fresh_password(self.connection, role, territory), goal.ca,
        ):  # fmt: skip
            self.tell(f"{goal.organisation}: {outcome.step.title or outcome.step.name}")
            outcomes.append(outcome)
            if outcome.step.kind is Kind.SOURCE and outcome.step.action is Action.CHANGE:
                changed_at = time.monotonic()
            yield outcome
        remember(organisation, goal, outcomes)
        source = next(one for one in outcomes if one.step.kind is Kind.SOURCE)
        if source.step.acts and not source.problem:
            if changed_at is not None:
                time.sleep(max(0.0, changed_at + KNOWN_FOR_S - time.monotonic()))
            yield from _out_of_reach(_settled(organisation))
        elif not source.step.acts:
            yield from _out_of_reach(there.trouble, source.step)

    def _database(self, role: str) -> Database:
        info = self.connection.info
        return database(self.server.settings, info.host, info.port, info.dbname, role)

    def _find(self, code: str) -> Organisation | None:
        """The organisation of a territory, by the code in its name."""
        settings = self.server.settings
        found = [number for number, name in self.organisations.items() if code_of(name) == code]
        if len(found) > 1:
            names = ", ".join(f"“{self.organisations[number]}”" for number in found)
            raise GrafanaError(
                f"{names} all have the code {code} in their name; rename those that are not meant"
            )
        if not found and settings.token:
            own = next(iter(self.organisations.values()))
            raise GrafanaError(
                f"the token belongs to the organisation “{own}”, whose name does not end with"
                f" ({code}); take a token of the right one, rename it, or push as a server"
                " administrator, who may create it"
            )
        if not found:
            return None
        (number,) = found
        if number not in self.entered:
            raise GrafanaError(
                f"{settings.user} is not in the organisation “{self.organisations[number]}”;"
                " add that account to it as Admin"
            )
        return Organisation(settings, number, self.organisations[number])

    def _refuse_a_second(self, goal: Wanted) -> None:
        """Where people gave the organisation a name without the code.

        A second one would leave them in the first, whose password no longer works.
        """
        if not access.exists(self.connection, goal.source["user"]):
            return
        for number, name in self.organisations.items():
            if number not in self.entered or code_of(name) in self.codes:
                continue
            with Organisation(self.server.settings, number, name) as other:
                if _same_rows(other.source(UID), goal.source):
                    raise GrafanaError(
                        f"the organisation “{name}” has the data source of this territory, but its"
                        f" name does not end with the code; rename it to “{goal.organisation}”, or"
                        " delete its data source if another is to take its place"
                    )

    def _create(self, goal: Wanted) -> Organisation:
        number = self.server.create_organisation(goal.organisation)
        self.organisations[number] = goal.organisation
        self.entered.add(number)
        return Organisation(self.server.settings, number, goal.organisation)

    def _organisation(self, goal: Wanted, organisation: Organisation | None, there: Found) -> Step:
        name = goal.organisation
        if organisation is None:
            return Step(Kind.ORGANISATION, name, Action.CREATE, name)
        if organisation.name == name:
            return Step(Kind.ORGANISATION, name, Action.KEEP, name)
        differs = (Change("name", organisation.name, name),)
        if self.server.settings.token:
            why = "its name is not what is registered; only a server administrator may rename it"
            return Step(Kind.ORGANISATION, name, Action.KEEP, name, differs, why)
        sent = marks.source_marks(there.source).get("organisation")
        if self.force or sent in (None, organisation.name):
            return Step(Kind.ORGANISATION, name, Action.CHANGE, name, differs)
        return Step(Kind.ORGANISATION, name, Action.LEAVE, name, differs, BY_HAND)

    def _fresh(self, role: str, there: Found) -> str:
        """Why a fresh password is needed; empty: it is not."""
        if there.source is None:
            known = access.exists(self.connection, role)
            return f"who else has the password of {role} has lost it" if known else ""
        if self.rotate:
            return "asked for with --rotate"
        if not access.exists(self.connection, role):
            return "its database role is gone"
        if there.source.get("user") != role:
            return "its database role is another"
        if not (there.source.get("secureJsonFields") or {}).get("password"):
            return "it has no password"
        if any(words in there.trouble.lower() for words in _PASSWORD_TROUBLES):
            return "its password does not work"
        return ""

    def _role(self, role: str, territory: Territory) -> Step:
        said = access.planned(self.connection, role, territory)
        if not access.exists(self.connection, role):
            return Step(Kind.ROLE, role, Action.CREATE, role)
        if not said:
            return Step(Kind.ROLE, role, Action.KEEP, role)
        return Step(Kind.ROLE, role, Action.CHANGE, role, why="; ".join(said))


def _settled(organisation: Organisation) -> str:
    """What keeps a data source that was just made or changed from its database."""
    until = time.monotonic() + SETTLES_WITHIN_S
    while (trouble := organisation.source_health(UID)) and time.monotonic() < until:
        time.sleep(1)
    return trouble


def _same_rows(source: Json | None, wanted: Json) -> bool:
    """Whether a data source reads the same database as the same role."""
    names = ("type", "url", "user")
    return (
        source is not None
        and all(source.get(name) == wanted[name] for name in names)
        and (source.get("jsonData") or {}).get("database") == wanted["jsonData"]["database"]
    )


def _out_of_reach(trouble: str, left: Step | None = None) -> Iterator[Outcome]:
    """A data source that does not reach its database, where no step of this push mends it."""
    if trouble and left is not None and left.action is Action.LEAVE:
        found = f"Grafana does not reach the database ({trouble}) with what was left as it is"
        yield Outcome(left, found)
    elif trouble:
        yield Outcome(
            Step(Kind.SOURCE, UID, Action.KEEP, "Beffroi"),
            f"Grafana does not reach the database ({trouble}); see that it may connect to it, and"
            " give the address it reaches it at with --database-address",
        )
