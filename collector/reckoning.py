"""What a replayed message was in the books, what it is now, and the difference. Pure.

The algebra is in :mod:`storage.replaying`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from storage import refusals
from storage.intake import Intake, RefusalRow, Status
from storage.reading import Reason
from storage.refused import RefusedMessage
from storage.replaying import Correction


@dataclass(slots=True)
class Finding:
    """One message after its replay.

    Attributes
    ----------
    number : int
        Its position in the intake.
    sensor_id, whole
        Whose it is now, and whether all of it is refused now.
    rows : list of RefusalRow
        What is refused now, the payload in the first.
    stored, duplicate, met : Counter
        Readings per sensor id: newly stored; there already; accepted before and met again.
    differing : int
        Of those met, how many would now be something else than what is stored.
    changed : bool
        False: its refusals stay the same and nothing was stored, so it is left as it is.
    """

    number: int
    message: RefusedMessage
    sensor_id: int
    whole: bool
    rows: list[RefusalRow] = field(default_factory=list)
    stored: Counter[int] = field(default_factory=Counter)
    duplicate: Counter[int] = field(default_factory=Counter)
    met: Counter[int] = field(default_factory=Counter)
    differing: int = 0
    changed: bool = False

    def accepted(self) -> tuple[list[int], list[int]]:
        """Sensors, and how many readings of this message are in the tables by now."""
        before = self.met if self.message.accepted is None else Counter(self.message.accepted)
        now = before + self.stored + self.duplicate
        return list(now), list(now.values())

    def correct(self, correction: Correction) -> None:
        """Count the difference."""
        message, at = self.message, self.message.received_us
        if message.whole:
            qos0 = int(message.qos0)
            correction.add(
                at,
                message.rows[0].sensor_id,
                messages_received=-1,
                messages_qos0=-qos0,
                messages_refused=-1,
            )
            correction.add(
                at,
                self.sensor_id,
                messages_received=1,
                messages_qos0=qos0,
                messages_refused=int(self.whole),
                messages_decoded=int(not self.whole),
            )
        for before in message.rows:
            if before.field:
                correction.add(at, before.sensor_id, readings_refused=-before.readings)
        for now in self.rows:
            if now.field:
                correction.add(at, now.sensor_id, readings_refused=now.readings)
        for sensor, readings in self.stored.items():
            correction.add(at, sensor, readings_stored=readings)
        for sensor, readings in self.duplicate.items():
            correction.add(at, sensor, readings_duplicate=readings)


def reckon(
    intake: Intake, status: NDArray[np.int8], messages: Sequence[RefusedMessage]
) -> list[Finding]:
    """Compare each message with what became of it; ``intake`` holds them in the same order."""
    findings = [
        Finding(number, message, int(sensor), bool(whole))
        for number, (message, sensor, whole) in enumerate(
            zip(messages, intake.message_sensor, intake.message_refused, strict=True)
        )
    ]
    status = status.copy()
    order = np.argsort(intake.message, kind="stable")
    parts = np.split(order, np.searchsorted(intake.message[order], np.arange(1, len(messages))))
    budgets = [
        _meet(finding, intake, status, rows.tolist())
        for finding, rows in zip(findings, parts, strict=True)
    ]
    # Conflicts that were met again have become duplicates in `status` by now.
    conflicts, conflict_message = refusals.conflicts(intake, status)
    for refusal, number in zip(
        [*intake.refusals, *conflicts], [*intake.refusal_message, *conflict_message], strict=True
    ):
        finding, key = findings[number], (refusal.sensor_id, refusal.field)
        if refusal.readings == 1 and not _refused_before(finding.message, *key):
            budget = budgets[number]
            if budget[refusal.sensor_id] > 0:
                # Accepted before, and it would not be now; what is stored stays.
                budget[refusal.sensor_id] -= 1
                finding.differing += 1
                continue
        finding.rows.append(refusal)
    for finding in findings:
        _conclude(finding)
    return findings


def _meet(
    finding: Finding, intake: Intake, status: NDArray[np.int8], rows: list[int]
) -> Counter[int]:
    """Count the readings of one message; returns how many accepted before were not met again."""
    message = finding.message
    budget = Counter(message.accepted or {})
    there: list[tuple[bool, int, int]] = []
    for row in rows:
        sensor = int(intake.sensor[row])
        if status[row] == Status.STORED:
            finding.stored[sensor] += 1
        else:
            refused_before = _refused_before(message, sensor, intake.field[row])
            there.append((refused_before, int(status[row]), row))
    # Rather those that were not refused before, and duplicates rather than conflicts.
    for refused_before, became, row in sorted(there):
        sensor = int(intake.sensor[row])
        if budget[sensor] > 0 or (message.accepted is None and not refused_before):
            budget[sensor] -= 1
            finding.met[sensor] += 1
            finding.differing += became == Status.CONFLICT
            status[row] = Status.DUPLICATE
        elif became == Status.DUPLICATE:
            finding.duplicate[sensor] += 1
    return budget


def _refused_before(message: RefusedMessage, sensor: int, name: str) -> bool:
    # A sensor that was not registered then had its readings refused as sensor 0's.
    return any(row.field == name and row.sensor_id in (sensor, 0) for row in message.rows)


def _conclude(finding: Finding) -> None:
    message = finding.message
    if finding.whole and not message.whole:
        return  # decoded before, refused whole now: better left as it is
    before = sorted((r.sensor_id, r.field, r.reason, r.readings) for r in message.rows)
    now = sorted((r.sensor_id, r.field, r.reason, r.readings) for r in finding.rows)
    finding.changed = bool(finding.stored or finding.duplicate)
    if not finding.changed and any(row.reason is Reason.PERSONAL for row in message.rows):
        return  # what was masked cannot be read again; its reason would be lost for a worse one
    finding.changed |= before != now
    finding.rows = [
        row._replace(
            payload=b"" if place else message.payload,
            bytes=message.bytes,
            masked=row.masked or message.masked,
        )
        for place, row in enumerate(finding.rows)
    ]
