"""Leaving for good: what is queued is drained, then the session ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from beffroi.embedded.testing import TestBroker
from collector.mqtt.session import MqttSource, open_source
from tests.integration.sourcing import (
    Kind,
    every_kind,
    line_to,
    payloads,
    publish,
    running,
    session_present,
    settings,
    take,
    until,
)


async def served(source: MqttSource, into: list[bytes], pause_s: float = 0.0) -> None:
    """What a pipeline does: take, store, acknowledge, until the source ends."""
    while messages := await source.batch():
        await asyncio.sleep(pause_s)
        into += payloads(messages)
        source.acknowledge(messages)


@every_kind
async def test_a_member_of_a_group_leaves_with_its_backlog_and_nothing_is_lost(
    broker: TestBroker, kind: Kind
):
    first, second = (
        replace(settings(broker.url, kind, f"leave-{name}-{kind}"), share_group="".join(kind))
        for name in ("a", "b")
    )
    for member in (first, second):
        async with running(open_source(member, ["leave/#"])):
            pass  # leaves a session behind that keeps its share
    before = [b"%d" % n for n in range(10_000)]
    await publish(broker, "leave/x", before)
    meanwhile = [b"%d" % n for n in range(10_000, 13_000)]
    by_first: list[bytes] = []
    by_second: list[bytes] = []
    leaving, staying = open_source(first, ["leave/#"]), open_source(second, ["leave/#"])
    async with running(staying), running(leaving), asyncio.TaskGroup() as tasks:
        tasks.create_task(served(staying, by_second))
        serving = tasks.create_task(served(leaving, by_first))
        publishing = tasks.create_task(publish(broker, "leave/x", meanwhile))
        async with asyncio.timeout(60):
            await leaving.leave()
            await serving  # batch() gives an empty batch after that
            await publishing
        assert not leaving.connected
        await publish(broker, "leave/x", [b"last"])
        await until(lambda: b"last" in by_second)
        staying.close()

    assert len(by_first) >= 5000
    assert sorted(by_first + by_second) == sorted([*before, *meanwhile, b"last"])
    assert not await session_present(broker, f"leave-a-{kind}", kind, clean=False)
    assert await session_present(broker, f"leave-b-{kind}", kind, clean=False)


@every_kind
async def test_leaving_goes_on_over_a_broken_connection_without_subscribing_again(
    broker: TestBroker, kind: Kind
):
    client_id = f"broken-{kind}"
    received: list[bytes] = []
    async with line_to(broker) as (line, url):
        wanted = replace(settings(url, kind, client_id, receive_maximum=100), batch_messages=50)
        async with running(open_source(wanted, ["broken"])):
            pass
        sent = [b"%d" % n for n in range(2000)]
        await publish(broker, "broken", sent)
        source = open_source(wanted, ["broken"])
        async with running(source), asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(served(source, received, 0.005))
            leaving = tasks.create_task(source.leave())
            for goal in (300, 900, 1500):
                await until(lambda goal=goal: len(received) >= goal)  # type: ignore[misc]
                line.cut()
                await until(lambda: not source.connected)
            await publish(broker, "broken", [b"too late"])
            async with asyncio.timeout(30):
                await leaving
                await serving

    assert set(received) == set(sent)
    assert source.reconnects >= 2  # the last cut may have met the end of the session
    assert not await session_present(broker, client_id, kind, clean=False)


@every_kind
async def test_leaving_can_be_given_up_and_the_session_stays(broker: TestBroker, kind: Kind):
    client_id = f"giveup-{kind}"
    async with running(open_source(settings(broker.url, kind, client_id), ["giveup"])) as source:
        await publish(broker, "giveup", [b"1"])
        await take(source, 1)  # and never acknowledged, as while the database is away
        leaving = asyncio.create_task(source.leave())
        await asyncio.sleep(0.3)
        assert not leaving.done()
        source.close()
        await asyncio.wait_for(leaving, 5)

    assert await session_present(broker, client_id, kind, clean=False)
