"""What the collector counts, and how it says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from collector import meters
from collector.meters import Totals
from storage.intake import Outcome

READ_ME = Path(__file__).parents[2] / "collector/README.md"


def test_every_figure_of_the_collector_is_documented():
    names = {metric.name for metric in REGISTRY.collect()}
    ours = {name for name in names if name.startswith("beffroi_collector_")}

    assert len(ours) >= 10
    assert {name for name in ours if f"`{name}" not in READ_ME.read_text()} == set()


def test_qos_0_is_warned_of_at_once_and_then_once_a_minute_with_all_that_came(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    now = 1000.0
    monkeypatch.setattr(meters.time, "monotonic", lambda: now)
    totals = Totals()
    for second in range(100):
        now = 1000.0 + second
        totals.add(Outcome(2, 0, 2, 2, 0, 0), 2)

    told = [record.getMessage() for record in caplog.records]
    assert [text.partition("messages=")[2].partition(";")[0] for text in told] == ["2", "120"]
    assert totals.messages_qos0 == 200
