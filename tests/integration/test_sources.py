"""Every promise of a source, on every way of speaking to a broker that we have."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from beffroi.embedded.testing import TestBroker
from collector.mqtt.session import open_source
from collector.source import NO_EXPIRY, Message, SessionTakenOver
from tests.integration.sourcing import (
    Client,
    Kind,
    every_kind,
    every_mqtt5_kind,
    line_to,
    payloads,
    publish,
    running,
    session_present,
    settings,
    take,
    until,
)

# Receiving --------------------------------------------------------------------


@every_kind
async def test_messages_come_in_order_and_once_acknowledged_never_again(
    broker: TestBroker, kind: Kind
):
    wanted = settings(broker.url, kind, f"order-{kind}")
    sent = [b"%d" % n + b"." * (n % 300) for n in range(900)]
    async with running(open_source(wanted, ["order/#"])) as source:
        await publish(broker, "order/a", sent)
        received = await take(source, 900)
        source.acknowledge(received)

        assert payloads(received) == sent
        assert {(m.topic, m.qos, m.generation, m.retain) for m in received} == {
            ("order/a", 1, 1, False)
        }
        assert len({m.received_us for m in received}) == 900
        assert source.waiting == source.redelivered == source.reconnects == 0
    async with running(open_source(wanted, ["order/#"])) as source:
        await publish(broker, "order/a", [b"last"])

        assert payloads(await take(source, 1)) == [b"last"]
        assert source.session_present is True


@every_kind
async def test_messages_larger_than_any_buffer_arrive_whole(broker: TestBroker, kind: Kind):
    sent = [bytes([n]) * size for n, size in enumerate([900_000, 3, 700_000, 0, 262_144, 5])]
    async with running(
        open_source(settings(broker.url, kind, f"large-{kind}"), ["large"])
    ) as source:
        await publish(broker, "large", sent)
        received = await take(source, 6)
        source.acknowledge(received)

        assert payloads(received) == sent


@every_kind
async def test_what_was_retained_says_so_and_what_comes_live_does_not(
    broker: TestBroker, kind: Kind
):
    topic = f"retained/{kind[0]}{kind[1]}"
    await publish(broker, topic, [b"old"], retain=True)
    async with running(open_source(settings(broker.url, kind, topic), [topic])) as source:
        received = await take(source, 1)
        await publish(broker, topic, [b"new"], retain=True)
        received += await take(source, 1)
        source.acknowledge(received)
    await publish(broker, topic, [b""], retain=True)

    assert [(m.payload, m.retain) for m in received] == [(b"old", True), (b"new", False)]


@every_kind
async def test_topics_are_taken_up_and_given_up_without_a_new_connection(
    broker: TestBroker, kind: Kind
):
    wanted = settings(broker.url, kind, f"topics-{kind}")
    async with running(open_source(wanted, ["topics/a", "topics/b"])) as source:
        source.subscribe(["topics/b", "topics/c"])
        received: list[Message] = []
        async with asyncio.timeout(10):
            while b"c" not in payloads(received):
                await publish(broker, "topics/c", [b"c"])
                if source.waiting:
                    received += await source.batch()
        source.acknowledge(received)
        await publish(broker, "topics/a", [b"a"])
        await publish(broker, "topics/b", [b"b"])
        received = await take(source, 1)

        assert received[-1].payload == b"b"
        assert source.generation == 1


@every_kind
async def test_a_session_that_somebody_began_at_qos_2_is_served(broker: TestBroker, kind: Kind):
    client_id = f"qos2-{kind}"
    earlier = await asyncio.to_thread(Client, broker, client_id, kind[1] == "5", False)
    await until(lambda: bool(earlier.client.is_connected()))
    answered: list[int] = []
    earlier.client.on_subscribe = lambda *_: answered.append(1)
    earlier.client.subscribe("qos2", 2)
    await until(lambda: bool(answered))
    await asyncio.to_thread(earlier.close)
    await publish(broker, "qos2", [b"1", b"2", b"3"], qos=2)

    # In a window of two the third comes only once the first was answered to the end.
    wanted = settings(broker.url, kind, client_id, receive_maximum=2)
    for expected in ([b"1", b"2", b"3"], [b"4"]):
        async with running(open_source(wanted, ["qos2"])) as source:
            if expected == [b"4"]:
                await publish(broker, "qos2", expected)
            received: list[Message] = []
            while len(received) < len(expected):
                messages = await take(source, 1)
                source.acknowledge(messages)
                received += messages

            assert payloads(received) == expected


@every_kind
async def test_what_the_broker_granted_is_told(broker: TestBroker, kind: Kind):
    wanted = settings(broker.url, kind, f"granted-{kind}", session_expiry_s=1234)
    async with running(open_source(wanted, ["granted"])) as source:
        granted = source.granted

    if kind[1] == "5":
        assert granted == (broker.max_inflight, 1234, 1048576, 2, True)
        assert source.session_expiry_s == 1234
    else:
        assert granted == (None, None, None, None, None)
        assert source.session_expiry_s == NO_EXPIRY


@every_kind
async def test_times_follow_a_clock_that_was_stepped_back(broker: TestBroker, kind: Kind):
    now = [2_000_000_000_000_000]
    wanted = settings(broker.url, kind, f"clock-{kind}")
    async with running(open_source(wanted, ["clock"], clock=lambda: now[0])) as source:
        await publish(broker, "clock", [b"1", b"2"])
        received = await take(source, 2)
        now[0] -= 3_600_000_000
        await publish(broker, "clock", [b"3"])
        received += await take(source, 1)
        source.acknowledge(received)

    assert [m.received_us - 2_000_000_000_000_000 for m in received] == [1, 2, 1 - 3_600_000_000]


@every_kind
async def test_unprotected_messages_do_not_fill_the_memory(broker: TestBroker, kind: Kind):
    wanted = settings(broker.url, kind, f"flood-{kind}")
    async with running(open_source(wanted, ["flood"])) as source:
        flooding = asyncio.create_task(publish(broker, "flood", [b"x" * 200] * 32_000, qos=0))
        await until(lambda: source.waiting > 20_000)
        await flooding
        most = source.waiting
        # Had it not paused, all would be here by the time that the broker answers this.
        await publish(broker, "flood", [b"end"], qos=0)

        assert most == source.waiting < 26_000
        assert source.connected
        seen = 0
        async with asyncio.timeout(20):
            while seen <= most:
                seen += len(await source.batch())
        assert seen > most


# Connections that end -----------------------------------------------------------


@every_kind
async def test_an_acknowledgement_for_an_earlier_connection_is_never_sent(
    broker: TestBroker, kind: Kind
):
    client_id = f"earlier-{kind}"
    async with (
        line_to(broker) as (line, url),
        running(open_source(settings(url, kind, client_id), ["earlier"])) as source,
    ):
        await publish(broker, "earlier", [b"first"])
        first = await take(source, 1)
        # The session is lost, so the broker counts from 1 again.
        line.cut(closed=True)
        await until(lambda: not source.connected)
        await session_present(broker, client_id, kind, clean=True)
        line.closed = False
        await until(lambda: source.connected)
        assert source.session_present is False
        await publish(broker, "earlier", [b"second"])
        second = await take(source, 1)

        assert (first[0].mid, second[0].mid) == (1, 1)
        assert first[0].generation < second[0].generation == source.generation
        source.acknowledge(first)
        await publish(broker, "earlier", [b"third"])  # sent after whatever was sent above
        await take(source, 1)
        line.cut()
        await until(lambda: not source.connected)
        await until(lambda: source.connected)
        again = await take(source, 2)

        assert payloads(again) == [b"second", b"third"]
        assert source.redelivered == 2


@every_kind
async def test_what_was_received_outlives_the_connection_and_the_session(
    broker: TestBroker, kind: Kind
):
    client_id = f"outlives-{kind}"
    async with (
        line_to(broker) as (line, url),
        running(open_source(settings(url, kind, client_id), ["outlives"])) as source,
    ):
        await publish(broker, "outlives", [b"1", b"2", b"3"])
        await until(lambda: source.waiting == 3)
        line.cut(closed=True)
        await until(lambda: not source.connected)
        await session_present(broker, client_id, kind, clean=True)
        line.closed = False
        await until(lambda: source.connected)
        await publish(broker, "outlives", [b"4"])
        received = await take(source, 4)
        source.acknowledge(received)

        assert payloads(received) == [b"1", b"2", b"3", b"4"]
        assert [m.generation == source.generation for m in received] == [False] * 3 + [True]
        assert source.session_present is False
        assert source.reconnects > 0


@pytest.mark.serial
@every_kind
async def test_a_broker_that_is_killed_and_comes_back_is_found_again(kind: Kind):
    with TestBroker() as own:
        async with running(open_source(settings(own.url, kind, "killed"), ["killed"])) as source:
            await publish(own, "killed", [b"1"])
            source.acknowledge(await take(source, 1))
            own.kill()
            await until(lambda: not source.connected)
            problem = source.last_problem
            await asyncio.to_thread(own.restart)
            await until(lambda: source.connected)
            await publish(own, "killed", [b"2"])
            # What the broker forgot of our acknowledgements, it sends again.
            again = await take(source, 1)
            while b"2" not in payloads(again):
                again += await take(source, 1)

            assert set(payloads(again)) <= {b"1", b"2"}
            assert "connection" in problem or "refused" in problem


@pytest.mark.serial
@every_kind
async def test_a_broker_that_stands_still_is_noticed_within_the_keepalive(kind: Kind):
    with TestBroker() as own:
        wanted = settings(own.url, kind, "still", keepalive_s=1)
        async with running(open_source(wanted, ["still"])) as source:
            assert own.mosquitto.server is not None
            await asyncio.sleep(1.5)
            assert source.connected  # an idle broker that answers pings is no dead one
            pid = own.mosquitto.server.pid
            os.kill(pid, signal.SIGSTOP)
            try:
                await until(lambda: not source.connected, 5)
                assert source.last_problem == "the broker sent nothing for 1 s and was pinged"
            finally:
                os.kill(pid, signal.SIGCONT)
            await until(lambda: source.connected, 40)


@every_mqtt5_kind
async def test_a_session_taken_over_is_not_fought_for(broker: TestBroker, kind: Kind):
    wanted = settings(broker.url, kind, f"rivals-{kind}")
    first = open_source(wanted, ["rivals"])
    task = asyncio.create_task(first.run())
    await until(lambda: first.connected)
    async with running(open_source(wanted, ["rivals"])) as second:
        with pytest.raises(SessionTakenOver, match="COLLECTOR_CLIENT_ID of its own"):
            await asyncio.wait_for(task, 10)
        await publish(broker, "rivals", [b"1"])
        received = await take(second, 1)
        second.acknowledge(received)

        assert payloads(received) == [b"1"]
        assert list(await first.batch()) == []
        assert (second.reconnects, second.connected, first.connected) == (0, True, False)
