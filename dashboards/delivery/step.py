"""The word *step*: one thing that a push does, or leaves and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dashboards.delivery.difference import Change


class Kind(StrEnum):
    """What a step is about, in the order in which a push goes."""

    ORGANISATION = "organisation"
    ROLE = "database role"
    SOURCE = "data source"
    FOLDER = "folder"
    DASHBOARD = "dashboard"
    RULE = "rule"
    GROUP = "rule group"
    PREFERENCES = "preferences"


class Action(StrEnum):
    """What is to become of it."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"
    KEEP = "keep"
    """It is as it should be."""
    LEAVE = "leave"
    """Somebody changed it by hand, or it is not ours; `why` says which and what to do."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing of one organisation.

    Attributes
    ----------
    name
        By which Grafana knows it.
    title
        By which people know it.
    changes
        Field by field, from what is there to what is wanted.
    why
        Of what is left, changed by force, or renewed.
    body
        What is sent; never shown.
    secret
        Whether a fresh password goes with it.
    """

    kind: Kind
    name: str
    action: Action
    title: str = ""
    changes: tuple[Change, ...] = ()
    why: str = ""
    body: dict[str, Any] = field(default_factory=dict, repr=False)
    secret: bool = False

    @property
    def acts(self) -> bool:
        """Whether it would change anything."""
        return self.action in (Action.CREATE, Action.CHANGE, Action.DELETE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A step and what came of it; `problem`: the sentence of what went wrong."""

    step: Step
    problem: str = ""

    @property
    def well(self) -> bool:
        """Whether it is now as it should be."""
        return not self.problem and self.step.action is not Action.LEAVE
