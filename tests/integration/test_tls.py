"""TLS and credentials by settings, through a real handshake."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from beffroi.embedded.testing import TestBroker
from collector.mqtt.session import MqttSource
from collector.settings import SourceName, broker_from_url

KINDS: list[tuple[SourceName, str]] = [("mqtt5", "5"), ("paho", "5"), ("paho", "3.1.1")]
every_kind = pytest.mark.parametrize(("name", "protocol"), KINDS)


@asynccontextmanager
async def tls_in_front_of(
    broker: TestBroker, authority: trustme.CA, *, asks_for_certificate: bool = False
) -> AsyncIterator[str]:
    """A TLS end on a port of its own that hands everything to the broker; gives its URL."""
    target = broker_from_url(broker.url, {})
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    if asks_for_certificate:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward, back = await asyncio.open_connection(target.host, target.port)
        await asyncio.gather(pump(reader, back), pump(onward, writer), return_exceptions=True)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "localhost", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    credentials = f"{target.username}:{target.password}"
    try:
        yield f"mqtts://{credentials}@localhost:{port}"
    finally:
        server.close()


async def connected(source: MqttSource, seconds: float) -> bool:
    """Run the source until it is connected, or that long."""
    running = asyncio.create_task(source.run())
    for _ in range(int(seconds * 50)):
        await asyncio.sleep(0.02)
        if source.connected:
            break
    found = source.connected
    source.close()
    await running
    return found


def source_of(url: str, name: SourceName, protocol: str, **environment: str) -> MqttSource:
    client_id = f"tls-{name}-{protocol}"
    wanted = {"COLLECTOR_CLIENT_ID": client_id, "COLLECTOR_MQTT_PROTOCOL": protocol}
    broker = broker_from_url(url, wanted | environment)
    return MqttSource(broker, ["tls/#"], batch_messages=10, linger_s=0.01, link=name)


@every_kind
async def test_a_broker_whose_certificate_is_trusted_is_used_and_its_messages_arrive(
    broker: TestBroker, tmp_path: Path, name: SourceName, protocol: str
):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with tls_in_front_of(broker, authority) as url:
        source = source_of(url, name, protocol, COLLECTOR_MQTT_CA=str(tmp_path / "ca.pem"))
        running = asyncio.create_task(source.run())
        async with asyncio.timeout(10):
            while not source.connected:
                await asyncio.sleep(0.02)
        publisher = await asyncio.to_thread(_publish, broker)
        async with asyncio.timeout(10):
            received: list[bytes] = []
            while len(received) < publisher:
                messages = await source.batch()
                received += [message.payload for message in messages]
                source.acknowledge(messages)
        source.close()
        await running

    # Larger than one TLS record, which a socket that is "not readable" may still hold.
    assert received == [b"%d" % n + b" " * 3000 for n in range(60)]


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@every_kind
async def test_a_certificate_of_an_unknown_authority_is_refused(
    broker: TestBroker, name: SourceName, protocol: str
):
    async with tls_in_front_of(broker, trustme.CA()) as url:
        source = source_of(url, name, protocol)

        assert not await connected(source, 1.5)
        assert "certificate verify failed" in source.last_problem


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@every_kind
async def test_a_broker_that_asks_for_a_certificate_gets_the_one_that_is_set(
    broker: TestBroker, tmp_path: Path, name: SourceName, protocol: str
):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    own = authority.issue_cert("collector@city.example")
    own.private_key_pem.write_to_path(tmp_path / "key.pem")
    own.cert_chain_pems[0].write_to_path(tmp_path / "own.pem")
    trusted = {"COLLECTOR_MQTT_CA": str(tmp_path / "ca.pem")}
    certificate = {
        "COLLECTOR_MQTT_CERTIFICATE": str(tmp_path / "own.pem"),
        "COLLECTOR_MQTT_KEY": str(tmp_path / "key.pem"),
    }
    async with tls_in_front_of(broker, authority, asks_for_certificate=True) as url:
        assert await connected(source_of(url, name, protocol, **trusted, **certificate), 10)
        assert not await connected(source_of(url, name, protocol, **trusted), 1)


@every_kind
async def test_a_wrong_password_is_told(broker: TestBroker, name: SourceName, protocol: str):
    where = broker.url.rpartition("@")[2]
    source = source_of(f"mqtt://beffroi:wrong@{where}", name, protocol)

    assert not await connected(source, 1.0)
    assert "the broker refused the connection: Not authorized" in source.last_problem


def _publish(broker: TestBroker) -> int:
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion

    target = broker_from_url(broker.url, {})
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(target.username, target.password)
    client.connect(target.host, target.port)
    client.loop_start()
    sent = [client.publish("tls/x", b"%d" % n + b" " * 3000, qos=1) for n in range(60)]
    for one in sent:
        one.wait_for_publish(10)
    client.disconnect()
    client.loop_stop()
    return len(sent)
