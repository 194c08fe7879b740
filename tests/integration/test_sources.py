"""Every promise of a source, on every way of speaking to a broker that we have."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from beffroi.embedded.testing import TestBroker
from collector.mqtt.session import MqttSource, open_source
from collector.settings import Settings, broker_from_url
from collector.source import NO_EXPIRY, Message, SessionTakenOver

Kind = tuple[str, str]
KINDS: list[Kind] = [("mqtt5", "5"), ("paho", "5"), ("paho", "3.1.1")]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=" ".join)
every_mqtt5_kind = pytest.mark.parametrize("kind", KINDS[:2], ids=" ".join)


def settings(url: str, kind: Kind, client_id: str, **changes: object) -> Settings:
    environment = {"COLLECTOR_CLIENT_ID": client_id, "COLLECTOR_MQTT_PROTOCOL": kind[1]}
    broker = replace(broker_from_url(url, environment), **changes)  # type: ignore[arg-type]
    return Settings(broker, source=kind[0], linger_s=0.01)  # type: ignore[arg-type]


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(source: MqttSource) -> AsyncIterator[MqttSource]:
    """The source connected; closed and without an exception at the end."""
    task = asyncio.create_task(source.run())
    try:
        await until(lambda: source.connected or task.done())
        yield source
    finally:
        source.close()
        async with asyncio.timeout(15):
            await task


class Client:
    """A paho client of the test's own, on a thread."""

    def __init__(
        self, broker: TestBroker, client_id: str = "", v5: bool = False, clean: bool = True
    ):
        target = broker_from_url(broker.url, {})
        self.session_present: bool | None = None
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=None if v5 else clean,
            protocol=MQTTProtocolVersion.MQTTv5 if v5 else MQTTProtocolVersion.MQTTv311,
        )
        self.client.max_inflight_messages_set(1000)
        self.client.username_pw_set(target.username, target.password)
        self.client.on_connect = self._welcomed
        extra = {}
        if v5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = 0 if clean else 3600
            extra = {"clean_start": clean, "properties": properties}
        self.client.connect(target.host, target.port, **extra)  # type: ignore[arg-type]
        self.client.loop_start()

    def _welcomed(self, _c: object, _u: object, flags: paho.ConnectFlags, *_: object) -> None:
        self.session_present = bool(flags.session_present)

    def publish(
        self, topic: str, payloads: Sequence[bytes], qos: int = 1, retain: bool = False
    ) -> None:
        sent = [self.client.publish(topic, payload, qos, retain) for payload in payloads]
        for one in sent:
            one.wait_for_publish(30)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


async def publish(
    broker: TestBroker, topic: str, payloads: Sequence[bytes], qos: int = 1, retain: bool = False
) -> None:
    def work() -> None:
        client = Client(broker)
        client.publish(topic, payloads, qos, retain)
        client.close()

    await asyncio.to_thread(work)


async def session_present(broker: TestBroker, client_id: str, kind: Kind, clean: bool) -> bool:
    """Whether the broker still has that session; ``clean`` ends it."""

    async def work() -> bool:
        client = await asyncio.to_thread(Client, broker, client_id, kind[1] == "5", clean)
        await until(lambda: client.session_present is not None)
        await asyncio.to_thread(client.close)
        return bool(client.session_present)

    return await work()


async def take(source: MqttSource, count: int, seconds: float = 20) -> list[Message]:
    """That many messages, not acknowledged."""
    messages: list[Message] = []
    async with asyncio.timeout(seconds):
        while len(messages) < count:
            messages += await source.batch()
    return messages


def payloads(messages: Sequence[Message]) -> list[bytes]:
    return [message.payload for message in messages]


class Line:
    """A TCP line to a broker that can be cut and closed."""

    def __init__(self, broker: TestBroker) -> None:
        self.target = broker_from_url(broker.url, {})
        self.closed = False
        self.writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.closed:
            writer.transport.abort()
            return
        onward, back = await asyncio.open_connection(self.target.host, self.target.port)
        self.writers |= {writer, back}
        await asyncio.gather(self.pump(reader, back), self.pump(onward, writer))

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(1 << 16):
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    def cut(self, closed: bool = False) -> None:
        self.closed = closed
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()


@asynccontextmanager
async def line_to(broker: TestBroker) -> AsyncIterator[tuple[Line, str]]:
    """The line and the URL to go over it."""
    line = Line(broker)
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    credentials = broker.url.rpartition("@")[0]
    try:
        yield line, f"{credentials}@127.0.0.1:{port}"
    finally:
        line.cut(closed=True)
        server.close()
        await asyncio.sleep(0.05)


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


@every_kind
async def test_a_broker_that_stands_still_is_noticed_within_the_keepalive(kind: Kind):
    with TestBroker() as own:
        wanted = settings(own.url, kind, "still", keepalive_s=2)
        async with running(open_source(wanted, ["still"])) as source:
            assert own.mosquitto.server is not None
            await asyncio.sleep(2.5)
            assert source.connected  # an idle broker that answers pings is no dead one
            pid = own.mosquitto.server.pid
            os.kill(pid, signal.SIGSTOP)
            try:
                await until(lambda: not source.connected, 5)
                assert source.last_problem == "the broker sent nothing for 2 s and was pinged"
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


# Leaving for good ---------------------------------------------------------------


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


# Which protocol -----------------------------------------------------------------


AUTO: Kind = ("auto", "auto")


async def test_the_fast_link_is_used_where_the_broker_speaks_mqtt_5(broker: TestBroker):
    async with running(open_source(settings(broker.url, AUTO, "fast"), ["fast"])) as source:
        assert type(source._link).__name__ == "Mqtt5Link"


@pytest.mark.parametrize("name", ["auto", "paho"])
async def test_a_broker_that_refuses_mqtt_5_is_spoken_to_in_mqtt_3_1_1(name: str):
    with TestBroker(extra=["accept_protocol_versions 3,4"]) as own:
        wanted = settings(own.url, (name, "auto"), "old")
        async with running(open_source(wanted, ["old"])) as source:
            await publish(own, "old", [b"1"])

            assert payloads(await take(source, 1)) == [b"1"]
            assert type(source._link).__name__ == "PahoLink311"
            assert source.reconnects == 0


async def test_a_wrong_password_does_not_change_the_protocol(broker: TestBroker):
    where = broker.url.rpartition("@")[2]
    source = open_source(settings(f"mqtt://beffroi:wrong@{where}", AUTO, "wrong"), ["wrong"])
    task = asyncio.create_task(source.run())
    await until(lambda: source.reconnects >= 2)

    assert source._links.kind.__name__ == "Mqtt5Link"
    assert source.last_problem == "the broker refused the connection: Not authorized"
    source.close()
    await task


async def test_a_protocol_that_was_asked_for_is_not_changed():
    with TestBroker(extra=["accept_protocol_versions 3,4"]) as own:
        source = open_source(settings(own.url, ("auto", "5"), "fixed"), ["fixed"])
        task = asyncio.create_task(source.run())
        await until(lambda: source.reconnects >= 1)

        assert source._links.kind.__name__ == "Mqtt5Link"
        assert "protocol version" in source.last_problem.lower()
        source.close()
        await task
