"""What `beffroi refusals` prints fits the terminal."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from beffroi.records.refusals_shown import print_list, readable
from storage.reading import Reason
from storage.refused import Refused, RefusedMessage


@pytest.mark.parametrize("width", [72, 80, 100])
@pytest.mark.parametrize("sensor", ["box-1", "a-sensor-with-a-very-long-code"])
@pytest.mark.parametrize("reason", [Reason.IN_FUTURE, Reason.UNREADABLE_TOPIC])
def test_an_id_and_a_reason_are_never_cut(width: int, sensor: str, reason: Reason):
    out = Console(file=io.StringIO(), width=width)
    row = Refused(1, sensor, "no2", reason, "the sender's clock is ahead", 12, 1)
    message = RefusedMessage(
        1234567890, 1_790_000_000_000_000, "t", b"{}", 2, False, False, False, {}, [row]
    )

    print_list(out, [message], False, True)

    text = out.file.getvalue()  # type: ignore[attr-defined]
    line = text.splitlines()[1]
    assert line.startswith("1234567890  20")
    assert reason in line
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("sign", ["\x1b", "\x7f", "\x9b", "\u202e", "\ud800"])
def test_a_payload_cannot_move_the_cursor(sign: str):
    for payload in (json.dumps({"a": f"é{sign}[2J"}), json.dumps([f"{sign}[2J"])):
        shown = readable(payload.encode())

        assert [letter for letter in shown if not letter.isprintable() and letter != "\n"] == []
    assert "é" in readable(b'{"a": "\xc3\xa9"}')
