"""What `beffroi formats try --json` says: the same facts, for programs."""

from __future__ import annotations

import numpy as np

from beffroi.formats.trial import Trial, Tried
from collector.remedies import REMEDIES

CALENDAR_US = 250_000_000_000_000_000
"""Times beyond are shown as none: year 9892."""


def as_object(trial: Trial) -> dict[str, object]:
    """All messages, and against what they were tried."""
    return {
        "accepted": trial.accepted,
        "registry": trial.registry or None,
        "timezone": trial.zone,
        "received": trial.received.isoformat(),
        "messages": [_message_as_object(one) for one in trial.messages],
    }


def _message_as_object(tried: Tried) -> dict[str, object]:
    binding = tried.binding
    pattern = binding.topic if binding.topic != tried.sample.topic else tried.topic
    return {
        "line": tried.sample.line or None,
        "topic": tried.topic,
        "bytes": len(tried.sample.payload),
        "accepted": tried.accepted,
        "bound": tried.bound,
        "binding": {"topic": pattern, "format": binding.format, "timezone": binding.timezone},
        "guessed": tried.guessed,
        "not": tried.others,
        "sensor": tried.sensor,
        "registered": tried.known,
        "readings": [
            {
                "sensor": one.sensor, "field": one.field,
                "time": None if one.time_us is None else _iso(one.time_us),
                "value": one.value, "unit": one.unit, "flag": one.flag, "offered": one.offered,
                "note": one.note,
            }
            for one in tried.read
        ],
        "stored": [
            {
                "sensor": one.sensor, "field": one.field, "metric": one.metric,
                "time": _iso(one.time_us), "value": one.value, "unit": one.unit, "flag": one.flag,
            }
            for one in tried.kept
        ],
        "refused": [
            {
                "field": one.field, "reason": one.reason, "detail": one.detail,
                "remedy": REMEDIES[one.reason],
            }
            for one in tried.refused
        ],
    }  # fmt: skip


def _iso(time_us: int) -> str | None:
    if not -CALENDAR_US < time_us < CALENDAR_US:
        return None
    return f"{np.datetime64(time_us, 'us')}Z"
