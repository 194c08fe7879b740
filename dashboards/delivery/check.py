"""A live Grafana looked over: server, data sources, every query of every page and rule."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dashboards.delivery import frames, marks, questions
from dashboards.delivery.check_reader import reader_findings
from dashboards.delivery.errors import GrafanaError, PasswordError, UnreachableError
from dashboards.delivery.finding import Finding, Timing
from dashboards.delivery.interpolation import interpolated, interval, used
from dashboards.delivery.server import Organisation, Server, Version
from dashboards.delivery.settings import DeliverySettingError, Settings
from dashboards.delivery.wanted import FOLDER, PREFIX, TAG, UID, code_of
from dashboards.grafana.pages import PAGES
from dashboards.grafana.rules import RULES
from dashboards.grafana.target import DATASOURCE

Json = dict[str, Any]

_PUSH = "run: beffroi grafana push"
_FORCE = "beffroi grafana push --force puts it back"


@dataclass(slots=True)
class Report:
    """Everything that was looked at."""

    version: Version
    findings: list[Finding] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)
    queries: int = 0

    @property
    def well(self) -> bool:
        """Whether nobody needs to do anything."""
        return all(one.well for one in self.findings)


Tell = Callable[[str], None]


def check(settings: Settings, territories: tuple[str, ...], tell: Tell) -> Report:
    """Look over every organisation of ours, or those of some territories.

    Raises
    ------
    GrafanaError
        Where the server cannot be asked at all.
    """
    tell(settings.url)
    with Server(settings) as server:
        return _server(server, territories, tell)


def _server(server: Server, territories: tuple[str, ...], tell: Tell) -> Report:
    settings, version = server.settings, server.version()
    report = Report(version)
    report.findings.append(
        Finding("", "server", not version.warning, version.warning or f"Grafana {version.text}")
    )
    organisations = server.organisations()
    entered = set(organisations) if settings.token else server.memberships()
    for number, name in _chosen(organisations, territories).items():
        if number not in entered:
            if code_of(name) in territories:
                report.findings.append(
                    Finding(name, "organisation", False, f"{settings.user} is not in it",
                            "add that account to it as Admin")
                )  # fmt: skip
            continue
        try:
            with Organisation(settings, number, name) as organisation:
                report.findings += _organisation(organisation, report, bool(territories), tell)
        except (UnreachableError, PasswordError):
            raise
        except GrafanaError as error:
            report.findings.append(Finding(name, "organisation", False, str(error)))
    if not any(one.organisation for one in report.findings):
        report.findings.append(
            Finding("", "organisations", False, "no organisation holds anything of Beffroi", _PUSH)
        )
    return report


def _chosen(organisations: dict[int, str], territories: tuple[str, ...]) -> dict[int, str]:
    """Those of the territories that are asked for, or all that may be one's."""
    coded = {number: name for number, name in organisations.items() if code_of(name)}
    if not territories:
        return organisations
    found = {number: name for number, name in coded.items() if code_of(name) in territories}
    missing = [code for code in territories if code not in map(code_of, found.values())]
    if missing:
        raise DeliverySettingError(
            f"--territory: no organisation's name ends with ({missing[0]}); {_PUSH}"
        )
    return found


def _organisation(
    organisation: Organisation, report: Report, asked: bool, tell: Tell
) -> Iterator[Finding]:
    name, code = organisation.name, code_of(organisation.name)
    tell(name)
    source = organisation.source(UID)
    if source is None:
        # A stranger's organisation may end with a word in parentheses too.
        if asked or (code is not None and organisation.folder(FOLDER) is not None):
            yield Finding(name, "data source", False, "there is none", _PUSH)
        return
    trouble = organisation.source_health(UID)
    if trouble:
        yield Finding(
            name, "data source", False, trouble,
            "beffroi grafana push --rotate gives it a fresh password, --database-address another"
            " address" if marks.source_as_sent(source) else f"it was changed by hand; {_FORCE}",
        )  # fmt: skip
        return
    yield Finding(name, "data source", True, f"reaches {source.get('url')} as {source.get('user')}")
    if not (yield from reader_findings(organisation, code, str(source.get("user")))):
        return
    yield from _time_zone(organisation)
    dashboards = {one["uid"] for one in organisation.dashboards(FOLDER, TAG)}
    declared = {page.uid for page in PAGES}
    for uid in sorted(declared - dashboards):
        if organisation.dashboard(uid) is None:
            yield Finding(name, "page", False, f"{uid} is missing", _PUSH)
        else:
            found = f"{uid} was moved or lost its tag “{TAG}” by hand"
            yield Finding(name, "page", False, found, _FORCE)
    floor = str((source.get("jsonData") or {}).get("timeInterval", "1m"))
    for uid in sorted(one for one in dashboards if one.startswith(PREFIX)):
        yield from _dashboard(organisation, uid, floor, report, tell)
    yield from _rules(organisation, report, tell)


def _dashboard(
    organisation: Organisation, uid: str, floor: str, report: Report, tell: Tell
) -> Iterator[Finding]:
    told = organisation.dashboard(uid)
    if told is None:
        return
    dashboard: Json = told["dashboard"]
    title = str(dashboard.get("title", uid))
    tell(f"{organisation.name}: {title}")
    step = interval(questions.RANGE_MS, questions.POINTS, floor)
    chosen: dict[str, list[str]] = {}
    # What needs a variable without values could only fail as well.
    failed: set[str] = set()
    bad = 0
    for variable in questions.variables(dashboard):
        if failed & used(variable.sql):
            failed.add(variable.name)
            continue
        target = {"refId": "A", "datasource": _source(), "format": "table"}
        sql = interpolated(variable.sql, chosen, step)
        answer = _ask(organisation, target, sql, step, report, title, f"${variable.name}")
        if trouble := frames.trouble(answer):
            bad += 1
            failed.add(variable.name)
            yield _failed(organisation, title, f"variable {variable.name}", trouble)
        found = frames.columns(answer)
        values = found.get("__value") or next(iter(found.values()), [])
        chosen[variable.name] = [str(value) for value in values]
    number = 0
    for question in questions.questions(dashboard):
        if failed & used(question.sql):
            continue
        number += 1
        ref = str(question.target.get("refId", "A"))
        sql = interpolated(question.sql, chosen, step)
        answer = _ask(organisation, question.target, sql, step, report, title, question.of)
        if trouble := frames.trouble(answer, ref):
            bad += 1
            yield _failed(organisation, title, f"{question.kind} “{question.of}”", trouble)
    if not bad:
        yield Finding(organisation.name, "page", True, f"{title}: {number} queries answer")


def _rules(organisation: Organisation, report: Report, tell: Tell) -> Iterator[Finding]:
    name = organisation.name
    tell(f"{name}: rules")
    rules = {one["uid"]: one for one in organisation.rules() if one.get("folderUID") == FOLDER}
    for declared in RULES:
        if declared.uid not in rules:
            yield Finding(name, "rule", False, f"“{declared.title['en']}” is missing", _PUSH)
    bad = 0
    for rule in rules.values():
        title = str(rule.get("title"))
        begun = time.perf_counter()
        answer = organisation.query(questions.rule_request(rule))
        report.queries += 1
        report.timings.append(Timing(name, "alert rules", title, time.perf_counter() - begun))
        if trouble := frames.trouble(answer, str(rule.get("condition"))):
            bad += 1
            yield _failed(organisation, "alert rules", f"rule “{title}”", trouble)
        elif rule.get("isPaused"):
            bad += 1
            yield Finding(name, "rule", False, f"“{title}” is paused and calls nobody",
                          "resume it, or push with --force")  # fmt: skip
    if rules and not bad:
        yield Finding(name, "rule", True, f"{len(rules)} alert rules answer")


def _time_zone(organisation: Organisation) -> Iterator[Finding]:
    shown = organisation.preferences().get("timezone") or "the browser's"
    target = {"refId": "A", "datasource": _source(), "format": "table"}
    asked = questions.request(target, "SELECT DISTINCT timezone FROM reader.territories ORDER BY 1")
    answer = organisation.query(asked)
    zones = frames.columns(answer).get("timezone", [])
    well = zones == [shown]
    found = f"times are shown in {shown}"
    if not well:
        found += f", the territory lives by {', '.join(map(str, zones)) or 'no zone'}"
    remedy = f"{_PUSH}; where somebody chose it by hand, with --force"
    yield Finding(organisation.name, "time zone", well, found, "" if well else remedy)


def _ask(
    organisation: Organisation,
    target: Json,
    sql: str,
    step: int,
    report: Report,
    page: str,
    of: str,
) -> Json:
    """One query, with its time taken."""
    asked = questions.request(target, sql, step)
    begun = time.perf_counter()
    answer = organisation.query(asked)
    report.timings.append(Timing(organisation.name, page, of, time.perf_counter() - begun))
    report.queries += 1
    return answer


def _source() -> Json:
    return {"type": DATASOURCE.type_val, "uid": DATASOURCE.uid}


def _failed(organisation: Organisation, page: str, what: str, trouble: str) -> Finding:
    return Finding(
        organisation.name, "query", False, f"{page}, {what}: {trouble}",
        "beffroi migrate brings the views up to date, beffroi grafana push the queries and the"
        " reader's rights; a page changed by hand is overwritten with --force",
    )  # fmt: skip
