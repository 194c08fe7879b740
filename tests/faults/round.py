"""One round: a city, faults one after the other, the drain, and the judgement."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg

from beffroi import books
from tests.faults import evidence
from tests.faults.breaks import KINDS, SHARED_KINDS
from tests.faults.judge import Verdict, judge
from tests.faults.stage import Stage, Stuck

Told = Callable[[str], None]
REPEATING = {"broker killed", "sessions forgotten", "member killed", "member leaves"}
"""After these a broker hands over again without the mark of a redelivery."""


@dataclass(slots=True)
class Fault:
    """One fault: when, what was at stake, and how long until nothing waited any more."""

    kind: str
    at_s: float
    unacknowledged: int
    drained_s: float


@dataclass(slots=True)
class Report:
    """What one round showed."""

    seed: int
    source: str
    shared: bool
    full_disk: str
    faults: list[Fault] = field(default_factory=list)
    published: int = 0
    resent: int = 0
    handed_over: int = 0
    redeliveries: int = 0
    unexplained: int = 0
    ended_unasked: dict[str, int] = field(default_factory=dict)
    collector_peak_bytes: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    ledger: dict[str, int] = field(default_factory=dict)
    ledger_balanced: bool = False
    rollup_rows: int = 0
    rollup_differences: int = 0
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def well(self) -> bool:
        """Everything promised was kept, and the round was not a quiet one."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "well": self.well}


def play(
    kinds: Sequence[str],
    seed: int,
    *,
    source: str,
    shared: bool,
    namespace: bool,
    outage_s: float,
    rate: float = 150.0,
    deadline: float | None = None,
    tell: Told = lambda text: None,
) -> Report:
    """Play faults of these kinds in this order, and judge what is left."""
    began = time.monotonic()
    moments = random.Random(seed)
    breaks = {**KINDS, **(SHARED_KINDS if shared else {})}
    report = Report(seed, source, shared, "")
    try:
        with Stage(seed, source=source, shared=shared, rate=rate, namespace=namespace) as stage:
            report.full_disk = stage.room.way
            tell(f"the city lives after {time.monotonic() - began:.1f} s")
            try:
                for kind in kinds:
                    if deadline is not None and time.monotonic() > deadline:
                        break
                    time.sleep(moments.uniform(0, 0.4))
                    at_s = time.monotonic() - began
                    unacknowledged = breaks[kind](stage, moments, outage_s)
                    drained_s = _drain(stage)
                    report.faults.append(Fault(kind, at_s, unacknowledged, drained_s))
                    number = f"{len(report.faults):3d}"
                    tell(f"{number} {kind}: {unacknowledged} held, drained in {drained_s:.2f} s")
                _finish(stage)
                tell(f"the last message is stored after {time.monotonic() - began:.1f} s")
            except Stuck as stuck:
                report.problems.append(f"stuck: {stuck}")
            _judge(stage, report)
    except Stuck as stuck:
        report.problems.append(f"the city did not come up: {stuck}")
    report.seconds = time.monotonic() - began
    tell(f"judged after {report.seconds:.1f} s")
    return report


def _drain(stage: Stage) -> float:
    """Wait until what was promised at this moment is acknowledged by collectors; how long. [s]"""
    began = time.monotonic()
    waiting = set(stage.journal.read().acknowledged)
    since = list(stage.journal.published)

    def drained() -> bool:
        nonlocal waiting
        waiting = stage.pending(waiting)
        return not waiting or _passed_over(stage, waiting, len(since))

    stage.wait(drained, "the backlog was not drained")
    # A broker that crashed has forgotten them: newer ones came through long ago.
    stage.given_up |= waiting & (stage.at_risk | stage.taken)
    return time.monotonic() - began


def _passed_over(stage: Stage, waiting: set[str], published_then: int) -> bool:
    """Whether a whole second of newer messages is through while none of these is held."""
    if not waiting <= (stage.at_risk | stage.taken) or stage.tap.unacknowledged() > stage.rate / 4:
        return False
    newer = set(stage.journal.read().published[published_then:])
    acknowledged = newer & stage.journal.acknowledged
    return len(acknowledged) > 2 * stage.rate and len(stage.pending(acknowledged)) < stage.rate / 4


def _finish(stage: Stage) -> None:
    """No more messages; wait for the last acknowledgement, and end the programs in order."""
    if stage.publisher.stop(90.0) != 0:
        raise Stuck("the publisher has messages left that the broker does not acknowledge")
    _settle(stage)
    if stage.shared:
        stage.second.stop()
    for program in (stage.collector, stage.standby, stage.processor):
        program.stop()


def _settle(stage: Stage) -> None:
    last = time.monotonic()

    def drained() -> bool:
        nonlocal last
        if stage.tap.unacknowledged() or stage.lock_waiters():
            last = time.monotonic()
        waiting = stage.pending(stage.journal.read().acknowledged)
        if not waiting and not stage.tap.unacknowledged():
            return True
        # After a broker's crash some never come; a broker at rest has nothing left to hand over.
        return waiting <= (stage.at_risk | stage.taken) and time.monotonic() - last > 5.0

    stage.wait(drained, "the last messages were not drained")


def _judge(stage: Stage, report: Report) -> None:
    for program in stage.programs:
        program.stop()
        report.ended_unasked[program.name] = program.unwanted_ends
        if program.unwanted_ends:
            report.problems.append(
                f"{program.name} ended by itself, {program.unwanted_ends} times:\n{program.final_words}"
            )
    stage.mend()
    journal, tap = stage.journal.read(), stage.tap
    report.published = len(journal.published)
    report.resent = sum(journal.resent.values())
    report.handed_over = sum(one.fresh + one.again for one in tap.handed.values())
    report.redeliveries = tap.redeliveries
    report.unexplained = sum(
        max(0, one.fresh - 1 - journal.resent[name]) for name, one in tap.handed.items()
    )
    report.collector_peak_bytes = max(
        one.peak_bytes for one in (stage.collector, stage.second, stage.standby)
    )
    planned = evidence.planned_until(stage.seed, stage.start_us, set(journal.published))
    with psycopg.connect(stage.conninfo) as connection:
        report.verdict = judge(
            planned, journal.acknowledged, tap.handed, tap.acknowledged,
            evidence.stored(connection), evidence.refused(connection), stage.at_risk, stage.taken,
        )  # fmt: skip
    with psycopg.connect(stage.conninfo) as connection:
        taken = books.take(connection)
    report.ledger = {name: int(value) for name, value in asdict(taken).items()}
    checked = subprocess.run(
        [sys.executable, "-m", "beffroi", "ledger", "--check"],
        env=stage.environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    report.ledger_balanced = taken.balanced and checked.returncode == 0
    if checked.returncode:
        report.problems.append(f"beffroi ledger --check: {checked.stdout}{checked.stderr}")
    compared = asyncio.run(evidence.compare_rollups(stage.conninfo, stage.start_us))
    report.rollup_rows, report.rollup_differences = compared.rows, compared.differences
    _complain(report, tap.acknowledgements, compared.example)


def _complain(report: Report, acknowledgements: int, rollup_example: str) -> None:
    found, problems = report.verdict, report.problems
    if not found.well:
        problems.append(
            f"lost {found.lost}, doubled {found.doubled}, wrong {found.wrong}: {found.examples}"
        )
    if not report.redeliveries:
        problems.append("no message was redelivered: too quiet a run proves nothing")
    quiet = [fault.kind for fault in report.faults if not fault.unacknowledged]
    if quiet:
        problems.append(f"no batch was uncommitted when these were struck: {quiet}")
    if not report.ledger_balanced:
        problems.append(f"the ledger does not balance: {report.ledger}")
    received = report.ledger["messages_received"]
    if not acknowledgements <= received <= report.handed_over:
        problems.append(
            f"the ledger says {received} messages received; {acknowledgements} were acknowledged"
            f" and {report.handed_over} handed over"
        )
    known = {fault.kind for fault in report.faults} & REPEATING
    if report.unexplained and not known:
        problems.append(
            f"{report.unexplained} messages came again that neither publisher nor broker repeated"
        )
    if report.rollup_differences:
        problems.append(f"{report.rollup_differences} rollups differ: {rollup_example}")
    if not report.rollup_rows:
        problems.append("nothing was rolled up")
