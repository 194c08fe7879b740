"""Steps done on a server, one after the other; what fails does not keep the others from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dashboards.delivery import marks
from dashboards.delivery.errors import GrafanaError, PasswordError, RefusedError, UnreachableError
from dashboards.delivery.found import Found
from dashboards.delivery.marks import Json
from dashboards.delivery.server import Organisation
from dashboards.delivery.step import Action, Kind, Outcome, Step
from dashboards.delivery.wanted import FOLDER, Wanted

NO_FOLDER = "not tried: without its folder it has no place"


def applied(
    organisation: Organisation, steps: Iterable[Step], password: Callable[[], str], ca: str
) -> Iterator[Outcome]:
    """Do each step and say what came of it; `password` makes a fresh one where it is needed.

    Raises
    ------
    UnreachableError, PasswordError
        Where there is no use in going on; what was done until then stays.
    """
    placeless = False
    for step in steps:
        if placeless and step.acts and step.kind in (Kind.DASHBOARD, Kind.RULE, Kind.GROUP):
            yield Outcome(step, NO_FOLDER)
            continue
        try:
            if step.acts:
                _do(organisation, step, password, ca)
        except (UnreachableError, PasswordError):
            raise
        except GrafanaError as error:
            problem = _problem(step, error)
            placeless = placeless or step.kind is Kind.FOLDER
            yield Outcome(step, problem)
            continue
        placeless = placeless or (step.kind is Kind.FOLDER and _taken(step))
        yield Outcome(step)


def remember(organisation: Organisation, wanted: Wanted, outcomes: Iterable[Outcome]) -> None:
    """Write down, in the data source, what was sent of objects without a mark of their own.

    Nothing is written of what was left or failed, nor into a data source that is not as wanted.
    """
    source = organisation.source(wanted.source["uid"])
    if source is None or source.get("readOnly"):
        return
    fields = marks.source_fields(source)
    if fields != marks.source_fields(wanted.source):
        return
    before = marks.source_marks(source)
    after = sent_marks(wanted, before, outcomes)
    if after != before:
        organisation.change_source(
            wanted.source["uid"],
            _source_body(wanted.source, after) | {"version": source.get("version")},
        )


def sent_marks(wanted: Wanted, before: Json, outcomes: Iterable[Outcome]) -> Json:
    """The marks after a push; pure."""
    after: Json = {**before, "digest": marks.digest(marks.source_fields(wanted.source))}
    preferences, intervals = dict(before.get("preferences", {})), dict(before.get("intervals", {}))
    for outcome in outcomes:
        step, done = outcome.step, not outcome.problem and outcome.step.action is not Action.LEAVE
        if not done:
            continue
        match step.kind:
            case Kind.ORGANISATION:
                after["organisation"] = wanted.organisation
            case Kind.FOLDER:
                after["folder"] = wanted.folder
            case Kind.GROUP:
                intervals[step.name] = wanted.intervals[step.name]
            case Kind.PREFERENCES if step.action is Action.KEEP:
                preferences = dict(wanted.preferences)
            case Kind.PREFERENCES:
                preferences |= step.body
    return after | {"preferences": preferences, "intervals": intervals}


def _do(organisation: Organisation, step: Step, password: Callable[[], str], ca: str) -> None:
    _DOING[step.kind](organisation, step, password, ca)


def _source(organisation: Organisation, step: Step, password: Callable[[], str], ca: str) -> None:
    secrets: Json = {}
    if step.secret:
        secrets["password"] = password()
    if ca:
        secrets["tlsCACert"] = ca
    there = None if step.action is Action.CREATE else organisation.source(step.name)
    kept = marks.source_marks(there) | {"digest": marks.digest(marks.source_fields(step.body))}
    body = _source_body(step.body, kept) | ({"secureJsonData": secrets} if secrets else {})
    if there is None:
        organisation.create_source(body)
    else:
        organisation.change_source(step.name, body | {"version": there.get("version")})


def _source_body(source: Json, kept: Json) -> Json:
    return source | {"jsonData": source["jsonData"] | {marks.MARK: kept}}


def _folder(organisation: Organisation, step: Step, *_: Any) -> None:
    if step.action is Action.CREATE:
        organisation.create_folder(FOLDER, step.title)
    else:
        organisation.rename_folder(FOLDER, step.title, int(step.body.get("version") or 0))


def _dashboard(organisation: Organisation, step: Step, *_: Any) -> None:
    if step.action is Action.DELETE:
        organisation.delete_dashboard(step.name)
    else:
        organisation.save_dashboard(step.body)


def _rule(organisation: Organisation, step: Step, *_: Any) -> None:
    body = step.body | {"orgID": organisation.number}
    if step.action is Action.DELETE:
        organisation.delete_rule(step.name)
    elif step.action is Action.CREATE:
        organisation.create_rule(body)
    else:
        organisation.change_rule(step.name, body)


def _group(organisation: Organisation, step: Step, *_: Any) -> None:
    """Set how often a group is evaluated; its rules go back as they are."""
    group = organisation.rule_group(FOLDER, step.name)
    if group is None:
        raise GrafanaError("the group holds no rule, because none could be created")
    if group.get("interval") == step.body["interval"]:
        return
    rules = [
        {key: value for key, value in rule.items() if value is not None} for rule in group["rules"]
    ]
    body = {"title": step.name, "folderUid": FOLDER, "rules": rules} | step.body
    organisation.change_rule_group(FOLDER, step.name, body)


def _preferences(organisation: Organisation, step: Step, *_: Any) -> None:
    organisation.change_preferences(step.body)


_DOING: dict[Kind, Callable[..., None]] = {
    Kind.SOURCE: _source,
    Kind.FOLDER: _folder,
    Kind.DASHBOARD: _dashboard,
    Kind.RULE: _rule,
    Kind.GROUP: _group,
    Kind.PREFERENCES: _preferences,
}


def _taken(step: Step) -> bool:
    """Whether the folder's uid belongs to somebody else, so that nothing may be put there."""
    return step.action is Action.LEAVE and "taken" in step.why


def _problem(step: Step, error: GrafanaError) -> str:
    """The server's words, with what they mean here."""
    if isinstance(error, RefusedError):
        words = error.said.lower()
        if step.kind is Kind.SOURCE and "plugin" in words:
            return (
                f"Grafana has no PostgreSQL data source plugin ({error.said}); it is part of Grafana"
                " unless it was taken out of its installation"
            )
        if step.kind is Kind.FOLDER and step.action is Action.CREATE and error.status in (409, 412):
            return (
                f"the uid {FOLDER!r} is taken by something that is not a folder ({error.said});"
                " give that one another uid in Grafana"
            )
        if step.kind is Kind.SOURCE and error.status == 409:
            return (
                f"{error.said}; a data source that is not ours has the name"
                f" {step.title!r}: rename it in Grafana"
            )
    return str(error)


def nothing_found() -> Found:
    """Of an organisation that does not exist yet."""
    return Found()
