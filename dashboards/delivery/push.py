"""Pages, rules and a reader's data source brought to a Grafana: one organisation per territory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psycopg

from dashboards.delivery import access, marks
from dashboards.delivery.errors import GrafanaError, PasswordError, UnreachableError
from dashboards.delivery.server import Organisation, Server, Version
from dashboards.delivery.settings import DeliverySettingError, Settings
from dashboards.delivery.step import Outcome
from dashboards.delivery.territory import Push
from dashboards.delivery.wanted import UID, Territory, code_of


@dataclass(frozen=True, slots=True)
class Options:
    """What a push is to do besides the settings; `territories` by code, none: all."""

    territories: tuple[str, ...] = ()
    dry_run: bool = False
    force: bool = False
    rotate: bool = False


@dataclass(slots=True)
class Pushed:
    """One territory: what was done, or with `dry_run` would be."""

    territory: Territory
    outcomes: list[Outcome] = field(default_factory=list)
    problem: str = ""

    @property
    def well(self) -> bool:
        """Whether the organisation is now as it should be."""
        return not self.problem and all(one.well for one in self.outcomes)


@dataclass(slots=True)
class Report:
    """A whole push; `problem`: why it ended before its end."""

    version: Version
    pushed: list[Pushed] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problem: str = ""

    @property
    def well(self) -> bool:
        """Whether every organisation is as it should be."""
        return not self.problem and all(one.well for one in self.pushed)


def push(
    connection: psycopg.Connection,
    settings: Settings,
    options: Options,
    tell: Callable[[str], None],
) -> Report:
    """Bring every territory's organisation to what is declared; `connection` commits by itself.

    Raises
    ------
    GrafanaError, DeliverySettingError
        Where nothing could be begun.
    """
    territories = access.territories(connection, options.territories)
    if not territories:
        raise DeliverySettingError(
            "no territory is registered; run: beffroi register city.toml, and push again"
        )
    if settings.token and len(territories) > 1:
        raise DeliverySettingError(
            "a token sees one organisation only: name its territory with --territory CODE"
        )
    if not options.dry_run and not access.alone(connection):
        raise GrafanaError(
            "another push from this database is going on: two at once would take each other's"
            " passwords; wait for its end"
        )
    tell(settings.url)
    with Server(settings) as server:
        return _push(connection, server, territories, options, tell)


def _push(
    connection: psycopg.Connection,
    server: Server,
    territories: list[Territory],
    options: Options,
    tell: Callable[[str], None],
) -> Report:
    settings = server.settings
    report = Report(server.version())
    organisations = server.organisations()
    pushing = Push(
        connection=connection,
        server=server,
        organisations=organisations,
        entered=set(organisations) if settings.token else server.memberships(),
        codes=frozenset(one.code for one in territories),
        dry_run=options.dry_run,
        force=options.force,
        rotate=options.rotate,
        tell=tell,
    )
    report.warnings += filter(None, (report.version.warning, *pushing.warnings()))
    for territory in territories:
        one = Pushed(territory)
        report.pushed.append(one)
        try:
            for outcome in pushing.territory(territory):
                one.outcomes.append(outcome)
        except (UnreachableError, PasswordError) as error:
            one.problem = report.problem = str(error)
            return report
        except (GrafanaError, access.AccessError) as error:
            one.problem = str(error)
        except psycopg.OperationalError as error:
            if not connection.broken:
                raise
            one.problem = report.problem = (
                f"the database is gone ({' '.join(str(error).split())}); what was done until then"
                " stays: run the same command again"
            )
            return report
    if not options.territories and not settings.token:
        report.gone = list(_gone(pushing, {one.code for one in territories}))
    return report


def _gone(pushing: Push, known: set[str]) -> Iterator[str]:
    """Organisations of ours whose territory is no longer registered."""
    for number, name in pushing.organisations.items():
        code = code_of(name)
        if code is None or code in known or number not in pushing.entered:
            continue
        with Organisation(pushing.server.settings, number, name) as organisation:
            if marks.source_marks(organisation.source(UID)):
                yield name
