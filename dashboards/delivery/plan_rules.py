"""Steps for alert rules and their groups; pure."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.delivery import marks
from dashboards.delivery.difference import Change, changes
from dashboards.delivery.found import Found
from dashboards.delivery.marks import Json
from dashboards.delivery.step import Action, Kind, Step
from dashboards.delivery.wanted import FOLDER, Wanted

_BY_HAND = "changed by hand; --force overwrites it"
_FROM_FILE = "it comes from a provisioning file of the server; take it out of there"


def rule_steps(wanted: Mapping[str, Json], found: Mapping[str, Json], force: bool) -> list[Step]:
    """For every rule that is declared, and for every one of ours that no longer is."""
    steps = []
    for uid, there in found.items():
        if uid in wanted or there.get("folderUID") != FOLDER or marks.rule_mark(there) is None:
            continue
        title = str(there.get("title"))
        if _as_sent(there) or force:
            why = "nobody declares it any more"
            steps.append(Step(Kind.RULE, uid, Action.DELETE, title, why=why))
        else:
            why = "nobody declares it any more, but it was changed by hand; --force deletes it"
            steps.append(Step(Kind.RULE, uid, Action.LEAVE, title, why=why))
    # After what is deleted: no two rules of a folder may have the same title.
    return steps + [_rule(uid, rule, found.get(uid), force) for uid, rule in wanted.items()]


def group_steps(wanted: Wanted, found: Found, sent: Mapping[str, int], force: bool) -> list[Step]:
    """How often each group is evaluated."""
    steps = []
    for name, interval in wanted.intervals.items():
        body: Json = {"interval": interval}
        group = found.groups.get(name)
        if group is None:
            change = (Change("interval", None, interval),)
            steps.append(Step(Kind.GROUP, name, Action.CREATE, name, change, body=body))
            continue
        there = group.get("interval")
        change = (Change("interval", there, interval),)
        others = [
            str(rule.get("title")) for rule in group.get("rules", [])
            if rule.get("uid") not in wanted.rules and marks.rule_mark(rule) is None
        ]  # fmt: skip
        if there == interval:
            steps.append(Step(Kind.GROUP, name, Action.KEEP, name))
        elif others and not force:
            why = f"it holds a rule that is not ours (“{others[0]}”); --force sets its interval"
            steps.append(Step(Kind.GROUP, name, Action.LEAVE, name, change, why))
        elif force or name not in sent or sent[name] == there:
            steps.append(Step(Kind.GROUP, name, Action.CHANGE, name, change, body=body))
        else:
            steps.append(Step(Kind.GROUP, name, Action.LEAVE, name, change, _BY_HAND))
    return steps


def _rule(uid: str, rule: Json, there: Json | None, force: bool) -> Step:
    title = str(rule["title"])
    body = marks.marked_rule(rule)
    if there is None:
        return Step(Kind.RULE, uid, Action.CREATE, title, body=body)
    old, new = marks.rule_fields(there), marks.rule_fields(rule)
    if old == new:
        return Step(Kind.RULE, uid, Action.KEEP, title)
    differs = tuple(changes(old, new))
    if there.get("provenance") == "file":
        return Step(Kind.RULE, uid, Action.LEAVE, title, differs, _FROM_FILE)
    if not _as_sent(there) and not force:
        return Step(Kind.RULE, uid, Action.LEAVE, title, differs, _BY_HAND)
    return Step(Kind.RULE, uid, Action.CHANGE, title, differs, body=body)


def _as_sent(there: Json) -> bool:
    return marks.rule_mark(there) == marks.digest(marks.rule_fields(there))
