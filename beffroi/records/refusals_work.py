"""What `beffroi refusals` does: look refusals up, and replay them."""

from __future__ import annotations

import difflib
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import asyncpg
import typer
import uvloop
from rich.console import Console

from beffroi.mistakes import NotRunningError
from beffroi.progress import bar
from beffroi.records import author, instants, refusals_shown
from beffroi.records.question import QuestionError
from beffroi.terminal import output
from collector import again
from collector import settings as collector_settings
from collector.certificates import versions
from collector.decode import Decoding
from collector.formats.births import PastBirths
from storage import births, database, refused, replaying
from storage.reading import Reason
from storage.refused import By, Selection
from storage.registry import load_routes


class NoSuchRefusalError(Exception):
    """What was asked for is not kept."""


@contextmanager
def told() -> Iterator[None]:
    """Mistakes on the command line end in a sentence."""
    try:
        yield
    except (QuestionError, NoSuchRefusalError) as error:
        print(f"beffroi: {error}", file=sys.stderr)
        raise typer.Exit(2 if isinstance(error, QuestionError) else 1) from None


def selection(
    messages: list[int] | None = None,
    sensor: str | None = None,
    reason: str | None = None,
    topic: str | None = None,
    start: str | None = None,
    stop: str | None = None,
) -> Selection:
    """The options, understood."""
    if any(not 1 <= number < 1 << 63 for number in messages or ()):
        raise QuestionError("ids are whole numbers from 1, as beffroi refusals list gives them")
    if reason is not None and reason not in list(Reason):
        near = difflib.get_close_matches(reason, list(Reason), n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"reasons are {', '.join(Reason)}"
        raise QuestionError(f"--reason: nothing is refused as {reason!r}; {hint}")
    if topic is not None and (not topic or "#" in topic.removesuffix("#")):
        raise QuestionError(f"--topic: {topic!r} is no MQTT filter; # may only be its last part")
    times = []
    for option, text in (("--from", start), ("--to", stop)):
        try:
            times.append(None if text is None else instants.read(text, "UTC").time)
        except instants.NotAMoment as error:
            raise QuestionError(f"{option}: {error}") from None
    if times[0] and times[1] and times[0] >= times[1]:
        raise QuestionError("--from must be before --to")
    return Selection(
        messages, sensor, None if reason is None else Reason(reason), topic, times[0], times[1]
    )


def show_list(wanted: Selection, limit: int, by: By | None, as_json: bool) -> None:
    """Messages, or with ``by`` their sums."""

    async def messages(connection: asyncpg.Connection) -> None:
        await _check_sensor(connection, wanted)
        found = await refused.newest(connection, wanted, limit + 1)
        if as_json:
            print(json.dumps([refusals_shown.as_object(one) for one in found[:limit]]))
        else:
            more = len(found) > limit
            refusals_shown.print_list(
                output(refusals_shown.WIDTH), found[:limit], more, wanted.empty
            )

    async def sums(connection: asyncpg.Connection) -> None:
        assert by is not None
        await _check_sensor(connection, wanted)
        found = await refused.summary(connection, wanted, by, limit + 1)
        if as_json:
            print(json.dumps([refusals_shown.summary_as_object(by, one) for one in found[:limit]]))
        else:
            more = len(found) > limit
            refusals_shown.print_summary(
                output(refusals_shown.WIDTH), by, found[:limit], more, wanted.empty
            )

    _run(messages if by is None else sums)


def show_message(wanted: Selection, as_json: bool) -> None:
    """All of one message, and what it would become; nothing is changed."""

    async def one(connection: asyncpg.Connection) -> None:
        for message in (await refused.load(connection, wanted.messages or [])).values():
            now = None
            if not message.cut:
                reader = await decoding(connection)
                now = refusals_shown.becoming(again.decode(reader, [message]), reader.routes)
            if as_json:
                print(json.dumps(refusals_shown.as_whole_object(message, now)))
            else:
                refusals_shown.print_message(output(refusals_shown.WIDTH), message, now)
            return
        raise NoSuchRefusalError(
            f"no refused message has the id {(wanted.messages or [0])[0]}; it may have been"
            " replayed or forgotten; beffroi refusals list gives those that are kept"
        )

    _run(one)


def replay(
    wanted: Selection,
    everything: bool,
    *,
    person: str | None,
    why: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Decode anew and store; a bar shows how far it is."""
    if wanted.empty != everything:
        raise QuestionError(
            "say which: ids, --sensor, --reason, --topic, --from, --to, or --all alone"
        )
    try:
        who, because = author.named(person), author.reason(why)
    except author.UnfitError as error:
        raise QuestionError(str(error)) from None

    async def run(connection: asyncpg.Connection) -> None:
        await _check_sensor(connection, wanted)
        count = await replaying.count(connection, wanted)
        with bar(Console(stderr=True), "Replaying") as bars:
            task = bars.add_task("messages", total=count)
            done = await again.replay(
                connection, await decoding(connection), wanted, person=who, why=because,
                dry_run=dry_run, progress=lambda seen: bars.update(task, completed=seen),
            )  # fmt: skip
        if as_json:
            print(json.dumps(refusals_shown.replayed_as_object(done, dry_run)))
        else:
            print(refusals_shown.replayed(done, dry_run))

    _run(run)


async def _check_sensor(connection: asyncpg.Connection, wanted: Selection) -> None:
    """A code that nobody knows is most likely a slip."""
    if wanted.sensor is None:
        return
    known = await refused.sensors(connection)
    if wanted.sensor in known:
        return
    if await refused.newest(connection, Selection(sensor=wanted.sensor), 1):
        return  # it is not registered, and refused just for that
    near = difflib.get_close_matches(wanted.sensor, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "see beffroi refusals list --by sensor"
    raise QuestionError(
        f"--sensor: {wanted.sensor!r} is not registered and no refusal names it; {hint}"
    )


async def decoding(connection: asyncpg.Connection) -> Decoding:
    """What reads messages under the registry as it is now."""
    # Nothing is asked of a broker here, so its address may be missing.
    settings = collector_settings.from_environment({"BEFFROI_MQTT_URL": "mqtt://-"} | os.environ)
    return Decoding(
        await load_routes(connection),
        payload_bytes=settings.payload_bytes,
        oldest=settings.oldest,
        ahead_s=settings.ahead_s,
        births=PastBirths(versions(await births.history(connection))),
    )


def _run(work: Callable[[asyncpg.Connection], Awaitable[None]]) -> None:
    async def main() -> None:
        try:
            connection = await database.connect("beffroi refusals")
        except (OSError, ValueError) as error:  # also a PGPORT that is no number
            raise NotRunningError(f"the database that PG* names does not answer: {error}") from None
        try:
            await work(connection)
        finally:
            await connection.close(timeout=5)

    uvloop.run(main())
