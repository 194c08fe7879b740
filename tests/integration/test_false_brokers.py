"""Brokers that answer wrongly, or not in our version, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import mqtt5
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from collector.mqtt import link
from collector.mqtt.session import MqttSource, open_source
from collector.settings import Broker, Settings, SourceName

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

CONNACK = {5: mqtt5.ConnAckPacket().write(), 4: bytes.fromhex("20020000")}
KINDS: list[tuple[SourceName, int]] = [("mqtt5", 5), ("paho", 5), ("paho", 4)]
every_kind = pytest.mark.parametrize(("name", "protocol"), KINDS)


@pytest.fixture(autouse=True)
def short_goodbyes(monkeypatch: pytest.MonkeyPatch) -> None:
    """These brokers do not close upon DISCONNECT."""
    monkeypatch.setattr(link, "_GOODBYE_S", 0.05)


@asynccontextmanager
async def false_broker(answer: Serve) -> AsyncIterator[int]:
    """The port of a server that does to every connection what ``answer`` does."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0.01)


async def packet(reader: asyncio.StreamReader) -> bytes:
    """One short packet of a client."""
    head = await reader.readexactly(2)
    return head + await reader.readexactly(head[1])


def source_of(
    port: int, name: SourceName = "auto", protocol: int | None = None, **more: int
) -> MqttSource:
    broker = Broker("127.0.0.1", port, protocol=protocol, **more)
    return open_source(Settings(broker, source=name, linger_s=0.0), ["a"])


async def tried(source: MqttSource, done: Callable[[], bool], seconds: float = 15) -> None:
    """Run the source until then; it must end without an exception."""
    task = asyncio.create_task(source.run())
    try:
        async with asyncio.timeout(seconds):
            while not done() and not task.done():
                await asyncio.sleep(0.005)
    finally:
        source.close()
        async with asyncio.timeout(5):
            await task


# Garbage ------------------------------------------------------------------------


garbage = st.one_of(
    st.binary(max_size=200),
    # Bytes that begin like a packet reach further.
    st.builds(
        lambda kind, flags, body, lie: (
            bytes([kind << 4 | flags, max(0, min(127, len(body) + lie))]) + body
        ),
        st.integers(1, 15),
        st.integers(0, 15),
        st.binary(max_size=60),
        st.integers(-2, 2),
    ),
)


# The codec panics at text that is no UTF-8, which Python reports besides.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@every_kind
@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(greets=st.booleans(), sent=st.lists(garbage, min_size=1, max_size=4))
@example(greets=True, sent=[bytes.fromhex("300400 01ff00")])
@example(greets=True, sent=[bytes.fromhex("3003000561")])
@example(greets=True, sent=[bytes.fromhex("e000")])
def test_no_bytes_from_a_broker_make_a_source_fail(
    name: SourceName, protocol: int, greets: bool, sent: list[bytes]
):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await packet(reader)
        writer.write((CONNACK[protocol] if greets else b"") + b"".join(sent))
        await writer.drain()

    async def play() -> None:
        async with false_broker(answer) as port:
            source = source_of(port, name, protocol)
            await tried(source, lambda: source.reconnects > 0)

            assert source.reconnects > 0
            assert source.last_problem

    asyncio.run(play())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_topic_that_is_no_utf_8_is_accounted_for_and_acknowledged():
    got: list[bytes] = []
    more = mqtt5.PublishPacket(
        "a", b"3", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=8, duplicate=True
    ).write()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await packet(reader)
        writer.write(CONNACK[5])
        got.append(await packet(reader))
        suback = mqtt5.SubAckPacket(1, [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE])
        writer.write(suback.write() + bytes.fromhex("3208 0002 61ff 0007 00 32") + more)
        got.append(await reader.readexactly(8))

    async with false_broker(answer) as port:
        source = source_of(port, "mqtt5", 5)
        task = asyncio.create_task(source.run())
        messages = list(await source.batch())
        while len(messages) < 2:
            messages += await source.batch()
        source.acknowledge(messages)
        async with asyncio.timeout(5):
            while len(got) < 2:
                await asyncio.sleep(0.01)
        source.close()
        await task

    assert [(m.topic, m.mid, m.payload) for m in messages] == [("a\ufffd", 7, b"2"), ("a", 8, b"3")]
    assert got[1] == bytes.fromhex("40020007 40020008")
    assert source.redelivered == 1


async def test_a_packet_larger_than_allowed_is_refused_before_it_is_there():
    closed: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await packet(reader)
        writer.write(CONNACK[5] + bytes.fromhex("30e80700 0161"))  # 1,000 bytes of body
        closed.append(await reader.read(100))

    async with false_broker(answer) as port:
        source = source_of(port, "mqtt5", 5, maximum_packet=500)
        await tried(source, lambda: source.reconnects > 0 and bool(closed))

    assert source.last_problem == (
        "the broker sent a packet of 1003 bytes, where at most 500 are allowed"
    )
    assert closed == [bytes.fromhex("e00195")]  # "packet too large"


async def test_what_an_mqtt_3_1_1_broker_sends_too_large_is_cut_so_that_it_can_be_refused():
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await packet(reader)
        writer.write(CONNACK[4])
        await packet(reader)
        body = b"\x00\x01a\x00\x07" + b"x" * 2000
        writer.write(bytes.fromhex("900300010132d50f") + body[:100])
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(body[100:])
        await packet(reader)

    async with false_broker(answer) as port:
        source = source_of(port, "paho", 4, maximum_packet=500)
        task = asyncio.create_task(source.run())
        messages = await asyncio.wait_for(source.batch(), 5)
        source.close()
        await task

    assert [(m.mid, m.payload) for m in messages] == [(7, b"x" * 500)]


@every_kind
async def test_a_broker_that_never_answers_connect_is_given_up(
    name: SourceName, protocol: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(link, "CONNECT_S", 0.3)

    async def answer(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with false_broker(answer) as port:
        source = source_of(port, name, protocol)
        await tried(source, lambda: source.reconnects > 0)

    assert source.last_problem.startswith("the broker did not answer CONNECT within")


@every_kind
async def test_a_subscription_that_is_refused_is_told(name: SourceName, protocol: int):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await packet(reader)
        writer.write(CONNACK[protocol])
        await packet(reader)
        writer.write(bytes.fromhex("900400010087" if protocol == 5 else "9003000180"))
        await reader.read()

    async with false_broker(answer) as port:
        source = source_of(port, name, protocol)
        await tried(source, lambda: source.reconnects > 0)

    assert source.last_problem == "the broker refuses the subscription to a"


# Versions -----------------------------------------------------------------------


def old_broker(refusal: bytes, versions: list[int]) -> Serve:
    """Speaks MQTT 3.1.1 and answers MQTT 5 with ``refusal``; notes what it was spoken to in."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        version = (await packet(reader))[8]
        versions.append(version)
        if version == 5:
            writer.write(refusal)
            return
        writer.write(CONNACK[4])
        subscribe = await packet(reader)
        writer.write(bytes([0x90, 3]) + subscribe[2:4] + b"\x01")
        await reader.read()

    return answer


@pytest.mark.parametrize("name", ["auto", "paho"])
@pytest.mark.parametrize("refusal", ["2003008400", "20020001"])
async def test_a_broker_that_says_so_is_spoken_to_in_mqtt_3_1_1_at_once(
    name: SourceName, refusal: str
):
    versions: list[int] = []
    async with false_broker(old_broker(bytes.fromhex(refusal), versions)) as port:
        source = source_of(port, name)
        await tried(source, lambda: source.connected)

    assert versions == [5, 4]
    assert source.reconnects == 0


@pytest.mark.parametrize("name", ["auto", "paho"])
async def test_a_broker_that_closes_without_a_word_is_asked_twice(name: SourceName):
    versions: list[int] = []
    async with false_broker(old_broker(b"", versions)) as port:
        source = source_of(port, name)
        await tried(source, lambda: source.connected)

    assert versions == [5, 4, 5, 4]
    assert source.reconnects == 0


@pytest.mark.parametrize("name", ["auto", "paho"])
async def test_a_proxy_whose_broker_was_away_for_a_moment_does_not_change_the_protocol(
    name: SourceName,
):
    versions: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        version = (await packet(reader))[8]
        versions.append(version)
        if len(versions) > 1:  # The broker is back, and speaks both.
            writer.write(CONNACK[version])
            subscribe = await packet(reader)
            writer.write(b"\x90" + (b"\x03" if version == 4 else b"\x04") + subscribe[2:4])
            writer.write(b"\x01" if version == 4 else b"\x00\x01")
            await reader.read()

    async with false_broker(answer) as port:
        source = source_of(port, name)
        await tried(source, lambda: source.connected)

    assert versions == [5, 4, 5]
    assert source.generation == 3


@pytest.mark.parametrize("code", ["86", "87", "88", "95"])
async def test_no_other_refusal_changes_the_protocol(code: str):
    versions: list[int] = []
    async with false_broker(old_broker(bytes.fromhex(f"200300{code}00"), versions)) as port:
        source = source_of(port)
        await tried(source, lambda: source.reconnects > 1)

    assert set(versions) == {5}
    assert source.last_problem.startswith("the broker refused the connection: ")
