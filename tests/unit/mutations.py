"""Valid messages broken on purpose, and what must hold of whatever a format makes of them."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

from hypothesis import strategies as st

from collector.formats.format import Decoded, Format, Hints, Undecodable

ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.sampled_from(
        [
            1e308,
            -1e300,
            "",
            " ",
            "NaN",
            "1e999",
            "ON",
            "off",
            "AB-123-CD",
            "\x7f",
            "é" * 40,
            "0" * 400,
        ]
    ),
    st.text(max_size=8),
    st.lists(st.floats() | st.none() | st.text(max_size=3), max_size=4),
    st.dictionaries(st.text(max_size=6), st.floats() | st.none() | st.text(max_size=3), max_size=3),
    st.integers(1, 300).map(lambda depth: json.loads("[" * depth + "1" + "]" * depth)),
    st.integers(1, 300).map(lambda depth: json.loads('{"a":' * depth + "1" + "}" * depth)),
)


@st.composite
def mutated(draw: st.DrawFn, message: Any) -> bytes:
    """``message`` as JSON with members replaced, dropped, added or renamed, or bytes cut out."""
    broken = copy.deepcopy(message)
    for _ in range(draw(st.integers(1, 6))):
        holder, key = draw(st.sampled_from(_places(broken))) if _places(broken) else (None, None)
        if holder is None:
            break
        kind = draw(st.sampled_from(["replace", "drop", "add", "rename"]))
        if kind == "drop":
            del holder[key]
        elif kind == "rename" and isinstance(holder, dict):
            holder[draw(st.text(max_size=8))] = holder.pop(key)
        elif kind == "add" and isinstance(holder, dict):
            holder[draw(st.text(max_size=8))] = draw(ODD)
        else:
            holder[key] = draw(ODD)
    payload = json.dumps(broken, ensure_ascii=draw(st.booleans())).encode()
    if draw(st.integers(0, 4)) == 0:
        start = draw(st.integers(0, len(payload)))
        payload = (
            payload[:start]
            + draw(st.binary(max_size=3))
            + payload[start + draw(st.integers(0, 9)) :]
        )
    return payload


def _places(value: Any, depth: int = 0) -> list[tuple[Any, Any]]:
    if depth > 4 or not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    inner = [place for key in keys for place in _places(value[key], depth + 1)]
    return [(value, key) for key in keys] + inner


def sound(form: Format, payload: bytes, hints: Hints) -> None:
    """Only Undecodable is raised, and what is decoded can be stored; guessing never raises."""
    form.fits(hints.topic, payload)
    try:
        decoded = form.decode(payload, hints, 1_717_236_000_000_000)
    except Undecodable as refused:
        undecodable = refused.detail
    else:
        undecodable = ""
        _sound(decoded, hints)
    assert "AB-123" not in undecodable


def _sound(decoded: Decoded, hints: Hints) -> None:
    for reading in (*decoded.readings, *decoded.offered):
        assert math.isfinite(reading.value) or (math.isnan(reading.value) and reading.flag == 9)
        assert type(reading.value) is float
        assert reading.time_us is None or abs(reading.time_us) < 2**62
        assert reading.sensor == hints.sensor or not hints.sensor
        assert not any(one in reading.sensor for one in "/+#")
        assert reading.sensor == reading.sensor.strip()
        reading.field.encode()
    for refusal in decoded.refusals:
        assert "AB-123" not in refusal.detail
