"""Promises are proven by breaking things: at least one fault of every kind, on real parts.

The runs are programs of their own, since a run makes itself a name space for its full disk.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.breaks import KINDS, SHARED_KINDS
from tests.faults.judge import Refused, Stored, Verdict, judge
from tests.faults.plan import Planned, messages
from tests.faults.tap import Handed

ROOT = Path(__file__).parents[2]
ALTERNATING = (
    "collector killed",
    "collector-broker cut",
    "broker killed",
    "commit unanswered",
    "standby takes over",
)


def fault_run(*options: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.soak", "--json", "--outage=2", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    # Seed, faults and findings, shown where a test fails.
    print(done.stderr)
    assert done.stdout, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def assert_promises_kept(report: dict[str, Any]) -> None:
    assert report["problems"] == []
    assert (report["lost"], report["doubled"], report["wrong"]) == (0, 0, 0)
    assert report["redeliveries"] > 0
    assert report["ledgers_balanced"]
    assert report["rollups_compared"] > 100
    assert report["rollup_differences"] == 0
    apart = report["broker_lost"] + report["broker_forgot"] + report["taken_from_broker"]
    assert report["stored"] + report["refused"] + apart >= report["promised"] > 500


@pytest.mark.serial
def test_one_fault_of_every_kind_loses_and_doubles_nothing():
    kinds = {*KINDS, *SHARED_KINDS}
    report = fault_run("--source=paho", f"--faults={len(kinds)}")

    assert_promises_kept(report)
    assert set(report["drained_s"]) == kinds
    [played] = report["rounds"]
    assert all(fault["unacknowledged"] > 0 for fault in played["faults"])


@pytest.mark.serial
def test_the_fast_source_keeps_the_same_promises():
    report = fault_run(
        "--source=mqtt5", "--exclusive", f"--kinds={','.join(ALTERNATING)}", "--faults=5"
    )

    assert_promises_kept(report)
    assert set(report["drained_s"]) == set(ALTERNATING)


# The judge himself -----------------------------------------------------------


@pytest.fixture
def plan() -> dict[str, Planned]:
    """The first 400 messages of a plan: of every sort."""
    stream = messages(7, 1_780_000_000_000_000)
    return {message.name: message for message in (next(stream) for _ in range(400))}


def kept(plan: dict[str, Planned]) -> tuple[list[Stored], list[Refused]]:
    """What a faultless collector leaves behind."""
    rows: dict[tuple[str, str, int], float] = {}
    refused: list[Refused] = []
    for delivery, message in enumerate(plan.values()):
        if message.whole:
            refused.append(Refused(message.name, delivery, "", 1, "bad_payload"))
        for reading in message.readings:
            if reading.value is None or rows.setdefault(reading[:3], reading.value) != (
                reading.value
            ):
                refused.append(Refused(message.name, delivery, reading.field, 1, "conflict"))
    return [Stored(*key, value) for key, value in rows.items()], refused


def judged(
    plan: dict[str, Planned],
    rows: list[Stored],
    refused: list[Refused],
    *,
    promised: set[str] | None = None,
    handed: set[str] | None = None,
    at_risk: frozenset[str] = frozenset(),
) -> Verdict:
    names = set(plan)
    handed_over = {name: Handed(fresh=1) for name in (names if handed is None else handed)}
    return judge(
        plan, names if promised is None else promised, handed_over, set(), rows, refused,
        set(at_risk), set(),
    )  # fmt: skip


def test_the_judge_finds_nothing_wrong_with_a_faultless_store(plan: dict[str, Planned]):
    found = judged(plan, *kept(plan))

    assert found.well
    assert (found.promised, found.stored + found.refused) == (400, 400)
    assert found.refused > 20


def test_the_judge_misses_one_reading(plan: dict[str, Planned]):
    rows, refused = kept(plan)

    found = judged(plan, rows[:-1], refused)

    assert (found.lost, found.doubled, found.wrong) == (1, 0, 0)


def test_the_judge_misses_one_refusal(plan: dict[str, Planned]):
    rows, refused = kept(plan)

    assert judged(plan, rows, refused[1:]).lost == 1


def test_the_judge_sees_a_reading_that_is_stored_twice(plan: dict[str, Planned]):
    rows, refused = kept(plan)

    assert judged(plan, [*rows, rows[5]], refused).doubled == 1


def test_the_judge_sees_a_reading_that_is_stored_under_a_second_time(plan: dict[str, Planned]):
    rows, refused = kept(plan)
    moved = rows[5]._replace(time_us=rows[5].time_us + 1)

    assert judged(plan, [*rows, moved], refused).doubled == 1


def test_the_judge_sees_a_refusal_more_than_deliveries(plan: dict[str, Planned]):
    rows, refused = kept(plan)
    again = [one._replace(delivery=9_999) for one in refused if one.name == refused[0].name]

    assert judged(plan, rows, [*refused, *again]).doubled == 1


def test_the_judge_sees_a_value_that_nobody_sent(plan: dict[str, Planned]):
    rows, refused = kept(plan)
    rows[5] = rows[5]._replace(value=-1.25)

    found = judged(plan, rows, refused)

    assert (found.wrong, found.lost) == (1, 1)


def test_what_a_crashed_broker_never_handed_over_is_the_brokers_loss(plan: dict[str, Planned]):
    rows, refused = kept(plan)
    unique = next(
        name
        for name, message in plan.items()
        if message.readings and not message.whole and name not in {one.name for one in refused}
        and sum(message.readings[0][:3] in [r[:3] for r in m.readings] for m in plan.values()) == 1
    )  # fmt: skip
    gone = {reading[:3] for reading in plan[unique].readings}
    rows = [row for row in rows if row[:3] not in gone]

    others = set(plan) - {unique}
    risk = frozenset({unique})
    lost_in_a_crash = judged(plan, rows, refused, handed=others, at_risk=risk)
    forgotten_in_a_crash = judged(plan, rows, refused, at_risk=risk)
    lost_without_a_crash = judged(plan, rows, refused, handed=others)

    assert (lost_in_a_crash.lost, lost_in_a_crash.broker_lost) == (0, 1)
    assert (forgotten_in_a_crash.lost, forgotten_in_a_crash.broker_forgot) == (0, 1)
    assert (lost_without_a_crash.lost, lost_without_a_crash.broker_lost) == (1, 0)


def test_a_message_that_was_never_promised_may_be_missing(plan: dict[str, Planned]):
    rows, refused = kept(plan)
    last = list(plan)[-1]
    gone = {reading[:3] for reading in plan[last].readings}

    found = judged(
        plan, [row for row in rows if row[:3] not in gone],
        [one for one in refused if one.name != last], promised=set(plan) - {last},
    )  # fmt: skip

    assert found.promised == 399
