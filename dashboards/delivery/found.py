"""What an organisation of Grafana holds now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dashboards.delivery.marks import Json
from dashboards.delivery.server import Organisation
from dashboards.delivery.wanted import FOLDER, PREFIX, TAG, UID, Wanted


@dataclass(frozen=True, slots=True)
class FoundDashboard:
    """A dashboard, where it lies, and what was said when its newest version was saved."""

    content: Json
    folder: str
    version: int
    message: str
    from_file: bool = False

    @property
    def title(self) -> str:
        """What people read above it."""
        return str(self.content.get("title", ""))


@dataclass(frozen=True, slots=True)
class Found:
    """All that a push may touch; by default an organisation that holds nothing.

    Attributes
    ----------
    trouble
        What keeps the data source from the database; empty: nothing.
    groups
        Rule groups by name, as they were asked for.
    """

    folder: Json | None = None
    source: Json | None = None
    trouble: str = ""
    dashboards: dict[str, FoundDashboard] = field(default_factory=dict)
    rules: dict[str, Json] = field(default_factory=dict)
    groups: dict[str, Json] = field(default_factory=dict)
    preferences: Json = field(default_factory=dict)


def found(organisation: Organisation, wanted: Wanted, tell: Callable[[str], Any]) -> Found:
    """Ask a server for it; `tell` is called with what is asked."""
    tell("data source")
    source = organisation.source(UID)
    trouble = organisation.source_health(UID) if source else ""
    folder = organisation.folder(FOLDER)
    uids = list(wanted.dashboards)
    if folder:
        listed = organisation.dashboards(FOLDER, TAG)
        uids += [
            one["uid"] for one in listed
            if one["uid"].startswith(PREFIX) and one["uid"] not in wanted.dashboards
        ]  # fmt: skip
    dashboards = {}
    for uid in uids:
        tell(uid)
        if (one := found_dashboard(organisation, uid)) is not None:
            dashboards[uid] = one
    tell("rules")
    rules = {one["uid"]: one for one in organisation.rules()}
    groups = {
        name: group
        for name in wanted.intervals
        if any(one.get("ruleGroup") == name for one in rules.values())
        and (group := organisation.rule_group(FOLDER, name)) is not None
    }
    return Found(
        folder, source, trouble, dashboards, rules, groups, organisation.preferences()
    )  # fmt: skip


def found_dashboard(organisation: Organisation, uid: str) -> FoundDashboard | None:
    """One dashboard with the message of its newest version."""
    told = organisation.dashboard(uid)
    if told is None:
        return None
    content, meta = dict(told["dashboard"]), told["meta"]
    version = int(meta.get("version") or content.get("version") or 0)
    content.pop("id", None)
    content.pop("version", None)
    return FoundDashboard(
        content,
        str(meta.get("folderUid", "")),
        version,
        organisation.dashboard_message(uid, version),
        bool(meta.get("provisioned")),
    )
