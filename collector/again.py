"""Refused messages decoded anew, under the registry as it is now.

What they say is stored as if it arrived now, except that it keeps its time of reception. A
message whose refusals would stay the same is left untouched; so is one that was decoded and
would now be refused as a whole, since a replay must not make anything worse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import asyncpg

from collector.decode import Decoding
from collector.reckoning import reckon
from collector.source import Message
from storage import ingest, refusals, replaying
from storage.high_water import HighWater
from storage.intake import Intake
from storage.refused import RefusedMessage, Selection

MESSAGES_AT_A_TIME = 500
_TRIES = 5


@dataclass(slots=True)
class Replayed:
    """What became of the messages that were meant.

    Attributes
    ----------
    messages : int
        All that were looked at.
    settled : int
        Of these, nothing is refused any more.
    refused : int
        Still refused, whole or in part.
    cut : int
        Could not be read again, because not all of their payload was kept.
    busy : int
        Left out, because somebody else worked on them.
    stored, duplicate : int
        Readings stored, and readings that were there already.
    differing : int
        Readings accepted before that would have another value now; the stored one stays.
    """

    messages: int = 0
    settled: int = 0
    refused: int = 0
    cut: int = 0
    busy: int = 0
    stored: int = 0
    duplicate: int = 0
    differing: int = 0

    def add(self, other: Replayed) -> None:
        """Sum up."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


def decode(decoding: Decoding, messages: Sequence[RefusedMessage]) -> Intake:
    """What kept messages would become; nothing is stored."""
    return decoding.intake(
        [
            Message(
                0, 0, 0 if m.qos0 else 1, m.topic, m.payload, m.received_us, retain=m.retained
            )
            for m in messages
        ]
    )  # fmt: skip


async def replay(
    connection: asyncpg.Connection,
    decoding: Decoding,
    selection: Selection,
    *,
    person: str,
    why: str = "",
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda messages: None,
) -> Replayed:
    """Replay all that ``selection`` means, some messages per transaction.

    ``progress`` hears how many were looked at. Killed at any moment, what was committed
    stays and the rest is as before.
    """
    total = Replayed()
    last = await replaying.last_message(connection)
    after = -1
    while found := await replaying.following(
        connection, selection, after, last, MESSAGES_AT_A_TIME
    ):
        after = found[-1]
        total.add(await _some(connection, decoding, found, person, why, dry_run))
        progress(total.messages)
    return total


async def _some(
    connection: asyncpg.Connection,
    decoding: Decoding,
    messages: Sequence[int],
    person: str,
    why: str,
    dry_run: bool,
) -> Replayed:
    tries = 0
    while True:
        transaction = connection.transaction()
        await transaction.start()
        try:
            done = await _transact(connection, decoding, messages, person, why)
        except (asyncpg.DeadlockDetectedError, replaying.ChangedMeanwhile):
            await transaction.rollback()
            tries += 1
            if tries == _TRIES:
                return Replayed(messages=len(messages), busy=len(messages))
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
            # The database will not have this: find out which message it is.
            await transaction.rollback()
            if len(messages) == 1:
                return Replayed(messages=1, refused=1)
            half, halves = len(messages) // 2, Replayed()
            for part in (messages[:half], messages[half:]):
                halves.add(await _some(connection, decoding, part, person, why, dry_run))
            return halves
        except BaseException:
            if not connection.is_closed():
                await transaction.rollback()
            raise
        else:
            await (transaction.rollback() if dry_run else transaction.commit())
            return done


async def _transact(
    connection: asyncpg.Connection,
    decoding: Decoding,
    messages: Sequence[int],
    person: str,
    why: str,
) -> Replayed:
    """Replay in the transaction that is open."""
    await ingest.hold_registry(connection, decoding.routes.revision)
    held = await replaying.lock(connection, messages)
    done = Replayed(messages=len(messages), busy=len(messages) - len(held))
    kept = [message for message in held if not message.cut]
    done.cut = len(held) - len(kept)
    if not kept:
        return done
    intake = decode(decoding, kept)
    status = await ingest.place(connection, intake, HighWater(), trusting=False)
    findings = reckon(intake, status, kept)
    changed = [finding for finding in findings if finding.changed]
    for finding in findings:
        done.settled += finding.changed and not finding.rows
        done.refused += not finding.changed or bool(finding.rows)
        done.stored += sum(finding.stored.values())
        done.duplicate += sum(finding.duplicate.values())
        done.differing += finding.differing
    if changed:
        correction = replaying.Correction()
        for finding in changed:
            finding.correct(correction)
        await replaying.remove(connection, [finding.message for finding in changed])
        again = [finding for finding in changed if finding.rows]
        if again:
            await refusals.save(
                connection,
                intake,
                [row for finding in again for row in finding.rows],
                [finding.number for finding in again for _ in finding.rows],
                {finding.number: finding.accepted() for finding in again},
            )
        await correction.save(connection)
        await replaying.log(
            connection,
            [finding.message for finding in changed],
            person=person,
            why=why,
            readings=sum(sum(finding.stored.values()) for finding in changed),
            detail=f"{len(changed)} messages, {len(again)} of them still refused",
        )
    return done
