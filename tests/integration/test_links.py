"""Which protocol is spoken to which broker."""

from __future__ import annotations

import asyncio

import pytest

from beffroi.embedded.testing import TestBroker
from collector.mqtt.session import open_source
from tests.integration.sourcing import (
    Kind,
    payloads,
    publish,
    running,
    settings,
    take,
    until,
)

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
