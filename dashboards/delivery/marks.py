"""Marks that say of an object on a server: this is as it was sent; pure.

A mark is a digest of what was sent. Where an object still has the digest of its mark, nobody has
changed it by hand.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
from typing import Any

Json = dict[str, Any]

ANNOTATION = "beffroi_push"
"""Of a rule: its uid and the digest of its fields; a copy has another uid."""

MARK = "beffroi"
"""In a data source's jsonData: the digest of its fields, and what was sent of the objects that
have no room for a mark of their own."""

_MESSAGE = re.compile(r"Beffroi ([0-9a-f]{16})")
_SOURCE_FIELDS = ("name", "type", "access", "url", "user", "isDefault")
_RULE_FIELDS = ("uid", "title", "ruleGroup", "folderUID", "condition", "noDataState",
                "execErrState", "isPaused")  # fmt: skip
# What Grafana itself writes into the model of a rule's query where it is missing.
_MODEL_DEFAULTS = {"intervalMs": 1000, "maxDataPoints": 43200}
_DURATION = re.compile(r"(\d+)(ms|[smhdwy])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}


def digest(value: Any) -> str:
    """Sixteen letters; equal for equal values in whatever order.

    >>> digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def message(digest_of_it: str) -> str:
    """What is said when a version of a dashboard is saved."""
    return f"Beffroi {digest_of_it}"


def digest_of(said: str) -> str | None:
    """The digest in the message of a version; ``None``: somebody else saved it.

    >>> digest_of("Beffroi 0123456789abcdef"), digest_of("a new panel")
    ('0123456789abcdef', None)
    """
    match = _MESSAGE.fullmatch(said.strip())
    return match[1] if match else None


def source_fields(source: Json) -> Json:
    """What we decide of a data source, without marks and without secrets."""
    fields: Json = {name: source.get(name) for name in _SOURCE_FIELDS}
    fields["jsonData"] = {
        key: value for key, value in (source.get("jsonData") or {}).items() if key != MARK
    }  # fmt: skip
    return fields


def source_marks(source: Json | None) -> Json:
    """What was sent last, as the data source keeps it; empty where it keeps nothing."""
    found = ((source or {}).get("jsonData") or {}).get(MARK)
    return dict(found) if isinstance(found, dict) else {}


def source_as_sent(source: Json) -> bool:
    """Whether nobody has changed a data source since it was sent."""
    return source_marks(source).get("digest") == digest(source_fields(source))


def rule_fields(rule: Json) -> Json:
    """What we decide of a rule, in the same form before it is sent and after it is read."""
    fields: Json = {name: rule.get(name) for name in _RULE_FIELDS}
    fields["isPaused"] = bool(rule.get("isPaused"))
    fields["for"] = seconds(rule.get("for", "0s"))
    fields["labels"] = rule.get("labels") or {}
    fields["annotations"] = {
        key: text for key, text in (rule.get("annotations") or {}).items() if key != ANNOTATION
    }
    fields["data"] = [_query(one) for one in rule.get("data", [])]
    return fields


def marked_rule(rule: Json) -> Json:
    """A rule with its mark."""
    marked = copy.deepcopy(rule)
    marked.setdefault("annotations", {})[ANNOTATION] = f"{rule['uid']} {digest(rule_fields(rule))}"
    return marked


def rule_mark(rule: Json) -> str | None:
    """The digest in a rule's mark; ``None`` where it is none of ours, such as a copy of one."""
    uid, _, told = (rule.get("annotations") or {}).get(ANNOTATION, "").partition(" ")
    return told if uid == rule.get("uid") and told else None


def seconds(duration: str | int) -> float:
    """What Prometheus calls a duration, such as ``5m`` or ``1h30m``. [s]

    >>> seconds("1h30m"), seconds("300s"), seconds("0s")
    (5400, 300, 0)
    """
    if isinstance(duration, int):
        return duration
    return sum(int(number) * _SECONDS[unit] for number, unit in _DURATION.findall(duration))


def _query(query: Json) -> Json:
    return {
        "refId": query.get("refId"),
        "datasourceUid": query.get("datasourceUid"),
        "relativeTimeRange": {"from": 0, "to": 0} | (query.get("relativeTimeRange") or {}),
        "model": _MODEL_DEFAULTS | (query.get("model") or {}),
    }
