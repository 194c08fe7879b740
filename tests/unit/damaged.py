"""Valid messages gone wrong: strategies and what must hold for whatever is read of them."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from collector.formats.format import Decoded, Hints, Undecodable
from collector.formats.registry import FORMATS

DEEP: Any = 0
for _ in range(300):
    DEEP = [DEEP]

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["", "NaN", "1e999", "-0.0", "9" * 400, "AB-123-CD", "a4:c1:38:00:11:22", "a\0b", "٣",
         10**400, -(2**63) - 1, {}, [], [[]], {"": {}}, {"a": {"b": [1, None]}}, DEEP]
    ),
)  # fmt: skip
"""Members of another type or size than any vendor sends."""


@st.composite
def damaged(draw: st.DrawFn, message: Any) -> Any:
    """``message`` with one to three members replaced, removed, renamed or doubled."""
    whole = {"": copy.deepcopy(message)}
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(whole))
        if not places:
            break
        parent, key = draw(st.sampled_from(places))
        pick = draw(st.sampled_from(["replace", "replace", "remove", "rename", "double"]))
        if pick == "replace" or parent is whole:
            parent[key] = copy.deepcopy(draw(ODD))
        elif pick == "remove":
            del parent[key]
        elif type(parent) is dict:
            name = draw(st.text(max_size=4)) if pick == "rename" else f"{key}2"
            parent[name] = parent.pop(key) if pick == "rename" else parent[key]
        else:
            parent.append(parent[key])
    return whole[""]


def _places(inside: Any) -> Iterator[tuple[Any, Any]]:
    waiting = [inside]
    while waiting:
        at = waiting.pop()
        for key, value in list(at.items() if type(at) is dict else enumerate(at)):
            yield at, key
            if type(value) in (dict, list) and value is not DEEP:
                waiting.append(value)


@st.composite
def damaged_bytes(draw: st.DrawFn, payload: bytes) -> bytes:
    """``payload`` cut, or with one to four bytes replaced, added or taken away."""
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(payload)))
        added = draw(st.binary(max_size=2))
        payload = payload[:at] + added + payload[at + draw(st.integers(0, 2)) :]
    return payload[: draw(st.integers(0, len(payload)))] if draw(st.booleans()) else payload


def text(message: Any) -> bytes:
    """The message as JSON; also what is no JSON: NaN, infinities."""
    return json.dumps(message).encode()


def check(name: str, payload: bytes, hints: Hints) -> Decoded | None:
    """Read it: nothing but Undecodable is raised, and what is read can be stored."""
    assert FORMATS[name].fits(hints.topic, payload) in (True, False)
    detail = ""
    try:
        decoded: Decoded | None = FORMATS[name].decode(payload, hints, 1_717_236_000_000_000)
    except Undecodable as refused:
        decoded, detail = None, refused.detail
    if decoded is None:
        assert detail
        assert "\0" not in detail
        return None
    for reading in (*decoded.readings, *decoded.offered):
        assert type(reading.value) is float
        assert math.isfinite(reading.value) or (math.isnan(reading.value) and reading.flag == 9)
        assert reading.time_us is None or type(reading.time_us) is int
        assert not {"\0", "/", "+", "#"} & set(reading.sensor) or reading.sensor == hints.sensor
        assert "\0" not in f"{reading.field}{reading.unit}"
        reading.field.encode()
    for refusal in decoded.refusals:
        assert refusal.detail
    return decoded
