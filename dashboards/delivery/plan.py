"""From what is wanted and what is found to steps; pure.

What somebody changed by hand is left, unless the push is forced. It counts as changed by hand
where it is no longer what its mark says was sent. What is as it is wanted is kept whoever made it.
"""

from __future__ import annotations

from dashboards.delivery import marks
from dashboards.delivery.difference import Change, changes
from dashboards.delivery.found import Found, FoundDashboard
from dashboards.delivery.marks import Json
from dashboards.delivery.plan_rules import group_steps, rule_steps
from dashboards.delivery.step import Action, Kind, Step
from dashboards.delivery.wanted import FOLDER, Wanted

BY_HAND = "changed by hand; --force overwrites it"


def plan(wanted: Wanted, found: Found, *, force: bool, fresh: str = "") -> list[Step]:
    """Every step of an organisation but those of itself and of its database role.

    `fresh` says why the data source gets a fresh password; empty: it keeps the one it has.
    """
    sent = marks.source_marks(found.source)
    return [
        _source(wanted, found, force, fresh),
        _folder(wanted, found, sent, force),
        *(
            _dashboard(uid, content, found.dashboards.get(uid), force)
            for uid, content in wanted.dashboards.items()
        ),
        *rule_steps(wanted.rules, found.rules, force),
        *group_steps(wanted, found, sent.get("intervals", {}), force),
        *_preferences(wanted, found, sent.get("preferences", {}), force),
        *(
            _dropped(uid, one, force)
            for uid, one in found.dashboards.items()
            if uid not in wanted.dashboards
        ),
    ]


def _source(wanted: Wanted, found: Found, force: bool, fresh: str) -> Step:
    uid, title = wanted.source["uid"], wanted.source["name"]
    body = wanted.source
    if found.source is None:
        return Step(Kind.SOURCE, uid, Action.CREATE, title, why=fresh, body=body, secret=True)
    there, now = marks.source_fields(found.source), marks.source_fields(wanted.source)
    differs = tuple(changes(there, now))
    if found.source.get("type") != wanted.source["type"]:
        why = (
            f"its uid is taken by a data source of type {found.source.get('type')!r};"
            " delete that one or give it another uid"
        )
        return Step(Kind.SOURCE, uid, Action.LEAVE, title, differs, why)
    if not differs and not fresh:
        return Step(Kind.SOURCE, uid, Action.KEEP, title)
    if found.source.get("readOnly"):
        why = "it comes from a provisioning file of the server; take it out of there"
        return Step(Kind.SOURCE, uid, Action.LEAVE, title, differs, why)
    if differs and not marks.source_as_sent(found.source) and not force:
        return Step(Kind.SOURCE, uid, Action.LEAVE, title, differs, BY_HAND)
    if fresh:
        differs = (*differs, Change("password", "(hidden)", "(a fresh one)"))
    return Step(Kind.SOURCE, uid, Action.CHANGE, title, differs, fresh, body, bool(fresh))


def _folder(wanted: Wanted, found: Found, sent: Json, force: bool) -> Step:
    if found.folder is None:
        return Step(Kind.FOLDER, FOLDER, Action.CREATE, wanted.folder)
    title = str(found.folder.get("title"))
    if title == wanted.folder:
        return Step(Kind.FOLDER, FOLDER, Action.KEEP, title)
    differs = (Change("title", title, wanted.folder),)
    if sent.get("folder") == title or force:
        body = {"version": found.folder.get("version")}
        return Step(Kind.FOLDER, FOLDER, Action.CHANGE, wanted.folder, differs, body=body)
    why = (
        BY_HAND
        if sent.get("folder")
        else f"its uid is taken by the folder “{title}”; give that one another uid,"
        " or take it over with --force"
    )
    return Step(Kind.FOLDER, FOLDER, Action.LEAVE, wanted.folder, differs, why)


def _dashboard(uid: str, content: Json, there: FoundDashboard | None, force: bool) -> Step:
    digest = marks.digest(content)
    title = str(content["title"])
    body: Json = {"dashboard": content, "folderUid": FOLDER, "message": marks.message(digest)}
    if there is None:
        return Step(Kind.DASHBOARD, uid, Action.CREATE, title, body=body | {"overwrite": False})
    sent = marks.digest_of(there.message)
    if sent == digest and there.folder == FOLDER:
        return Step(Kind.DASHBOARD, uid, Action.KEEP, title)
    differs = changes(there.content, content)
    if there.folder != FOLDER:
        differs.insert(0, Change("folder", there.folder or None, FOLDER))
    if there.from_file:
        why = "it comes from a provisioning file of the server; take it out of there"
        return Step(Kind.DASHBOARD, uid, Action.LEAVE, title, tuple(differs), why)
    by_hand = sent is None or there.folder != FOLDER
    if by_hand and not force:
        return Step(Kind.DASHBOARD, uid, Action.LEAVE, title, tuple(differs), BY_HAND)
    # The version makes the server refuse it if somebody saves in the meantime.
    body |= {"dashboard": content | {"version": there.version}, "overwrite": force}
    return Step(Kind.DASHBOARD, uid, Action.CHANGE, title, tuple(differs), body=body)


def _dropped(uid: str, there: FoundDashboard, force: bool) -> Step:
    if there.from_file:
        why = "no page declares it, but it comes from a provisioning file of the server"
        return Step(Kind.DASHBOARD, uid, Action.LEAVE, there.title, why=why)
    if marks.digest_of(there.message) is None and not force:
        why = "no page declares it any more, but it was changed by hand; --force deletes it"
        return Step(Kind.DASHBOARD, uid, Action.LEAVE, there.title, why=why)
    return Step(Kind.DASHBOARD, uid, Action.DELETE, there.title, why="no page declares it any more")


def _preferences(wanted: Wanted, found: Found, sent: Json, force: bool) -> list[Step]:
    """Field by field: people may have chosen one of them and not the others."""
    change: list[Change] = []
    leave: list[Change] = []
    for key, value in wanted.preferences.items():
        there = found.preferences.get(key) or None
        if there == value:
            continue
        free = force or there is None or there == sent.get(key)
        (change if free else leave).append(Change(key, there, value))
    name, title = "organisation", "Preferences"
    steps = []
    if change:
        body = {one.path: one.after for one in change}
        steps.append(Step(Kind.PREFERENCES, name, Action.CHANGE, title, tuple(change), body=body))
    if leave:
        steps.append(Step(Kind.PREFERENCES, name, Action.LEAVE, title, tuple(leave), BY_HAND))
    return steps or [Step(Kind.PREFERENCES, name, Action.KEEP, title)]
