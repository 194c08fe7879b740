"""The judge: what was promised against what is there. Pure; it reads no table itself.

Promised is every message that the broker acknowledged to its publisher. Each of its readings
must be stored under its own time with its own value, or be among the refusals, or, where two
messages contradict each other, give way to the other value and be among the refusals. What
the broker forgot in a crash is the broker's loss, and counted apart.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.faults.plan import Planned
from tests.faults.tap import Handed

_EXAMPLES = 5


class Stored(NamedTuple):
    """One row of a hypertable."""

    sensor: str
    field: str
    time_us: int
    value: float


class Refused(NamedTuple):
    """Refused readings of one message, or the whole message where the field is empty."""

    name: str
    delivery: int
    field: str
    readings: int
    reason: str


@dataclass(slots=True)
class Verdict:
    """What the judge found; all is well where :attr:`well` is true."""

    promised: int = 0
    stored: int = 0
    refused: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: int = 0
    broker_lost: int = 0
    broker_forgot: int = 0
    taken: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Nothing lost by us, nothing doubled, nothing false."""
        return not (self.lost or self.doubled or self.wrong)

    def example(self, text: str) -> None:
        """Keep the first few, for people."""
        if len(self.examples) < _EXAMPLES:
            self.examples.append(text)


def judge(
    planned: Mapping[str, Planned],
    promised: set[str],
    handed: Mapping[str, Handed],
    acknowledged: set[str],
    stored: Iterable[Stored],
    refused: Iterable[Refused],
    at_risk: set[str],
    taken: set[str],
) -> Verdict:
    """Compare.

    Parameters
    ----------
    planned
        Everything that was published, by name, whether acknowledged or not.
    promised
        What the broker acknowledged to the publisher.
    handed
        What the broker handed to collectors, and how often.
    acknowledged
        What collectors acknowledged to the broker.
    at_risk
        What only a broker knew of when it crashed: promised, and acknowledged by no collector.
    taken
        The same of a broker whose sessions the run itself deleted.
    """
    found = Verdict(promised=len(promised))
    rows = _rows(found, stored)
    possible = _possible(planned)
    for key, value in rows.items():
        if key not in possible:
            found.doubled += 1
            found.example(f"stored and never sent, or under a wrong time: {key} = {value}")
        elif value not in possible[key]:
            found.wrong += 1
            found.example(f"{key} is {value}, sent was {sorted(possible[key])}")
    refusals = _refusals(found, refused, handed)
    # A collector may acknowledge what its publisher was not yet told of: that counts too.
    for name in sorted(promised | acknowledged):
        message = planned[name]
        missing = _missing(message, rows, refusals[name])
        if missing is None:
            found.refused += bool(refusals[name])
            found.stored += not refusals[name]
        elif name in taken and name not in acknowledged:
            found.taken += 1
        elif name in at_risk and name not in acknowledged:
            # Handed over and forgotten: the wire broke before the collector had it, or it died.
            found.broker_lost += name not in handed
            found.broker_forgot += name in handed
        else:
            found.lost += 1
            found.example(f"{name} on {message.topic}: {missing}")
    return found


def _rows(found: Verdict, stored: Iterable[Stored]) -> dict[tuple[str, str, int], float]:
    rows: dict[tuple[str, str, int], float] = {}
    for row in stored:
        key = row[:3]
        if key in rows:
            found.doubled += 1
            found.example(f"stored twice: {key}")
        rows[key] = row.value
    return rows


def _possible(planned: Mapping[str, Planned]) -> dict[tuple[str, str, int], set[float]]:
    values: dict[tuple[str, str, int], set[float]] = defaultdict(set)
    for message in planned.values():
        for reading in message.readings:
            if reading.value is not None:
                values[reading[:3]].add(reading.value)
    return values


def _refusals(
    found: Verdict, refused: Iterable[Refused], handed: Mapping[str, Handed]
) -> dict[str, list[Refused]]:
    by_name: dict[str, list[Refused]] = defaultdict(list)
    for one in refused:
        by_name[one.name].append(one)
    for name, rows in by_name.items():
        deliveries = len({row.delivery for row in rows})
        often = handed.get(name, Handed())
        # Each delivery of a message may leave one refusal, and no more.
        if deliveries > often.fresh + often.again:
            found.doubled += 1
            found.example(f"{name} refused {deliveries} times, handed over {often}")
    return by_name


def _missing(
    message: Planned, rows: Mapping[tuple[str, str, int], float], refusals: list[Refused]
) -> str | None:
    """What of a message is neither stored nor refused; None where nothing is missing."""
    if any(not one.field for one in refusals):
        return None
    if message.whole:
        return "to be refused as a whole, and not among the refusals"
    absent = Counter(
        reading.field for reading in message.readings if rows.get(reading[:3]) != reading.value
    )
    per_delivery: dict[int, Counter[str]] = defaultdict(Counter)
    for one in refusals:
        per_delivery[one.delivery][one.field] += one.readings
    for name, count in absent.items():
        if not any(fields[name] >= count for fields in per_delivery.values()):
            return f"{count} of {name!r} neither stored nor refused"
    return None
