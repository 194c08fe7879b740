"""Publishing a recording: at speed, until stopped, and against brokers that are not well."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from beffroi.embedded.testing import TestBroker
from collector.mqtt.outlet import OutletRefusedError
from collector.mqtt.session import MqttSource
from collector.replay.mapping import parse_mapping
from collector.replay.publish import Published, publish
from collector.replay.read import Recording, read
from collector.settings import broker_from_url
from tests.acceptance.replayed import until

DESCENDING = """
[time]
column = "t"
zone = "UTC"
stamp = "start"
step_s = 3600
[[territory]]
code = "99001"
name = "Essai"
timezone = "UTC"
[[value]]
column = "v"
sensor = "loop"
metric = "flow"
"""


@pytest.fixture
def descending(tmp_path: Path) -> Recording:
    """Four hours, newest first."""
    file = tmp_path / "file.csv"
    file.write_text("t,v\n" + "".join(f"2024-01-01 {h:02}:00,{h}\n" for h in (3, 2, 1, 0)))
    return read(parse_mapping(DESCENDING), file)


@pytest.mark.serial
async def test_a_replay_at_speed_n_goes_by_the_recorded_times(
    broker: TestBroker, descending: Recording
):
    settings = broker_from_url(broker.url, {"COLLECTOR_CLIENT_ID": "listener"})
    listener = MqttSource(settings, ["replay/#"], batch_messages=100, linger_s=0.0)
    heard: list[tuple[float, str]] = []
    told: list[tuple[int, int]] = []
    loop = asyncio.get_running_loop()

    async def listen() -> None:
        while messages := await listener.batch():
            heard.extend((loop.time(), json.loads(m.payload)["time"][11:13]) for m in messages)
            listener.acknowledge(messages)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listener.run())
        tasks.create_task(listen())
        await until(lambda: listener.connected)
        done = await publish(
            descending, broker.url, speed=18_000, progress=lambda *now: told.append(now)
        )
        await until(lambda: len(heard) == 4, 5)
        listener.close()

    assert [hour for _, hour in heard] == ["00", "01", "02", "03"]
    assert heard[3][0] - heard[0][0] == pytest.approx(0.6, abs=0.3)
    assert (done, told[-1]) == (Published(4, 4, 4), (4, 4))


async def test_a_stopped_replay_says_how_much_was_acknowledged(
    broker: TestBroker, descending: Recording
):
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.3, stop.set)

    assert await publish(descending, broker.url, speed=1, stop=stop) == Published(1, 1, 1)


async def test_a_broker_that_refuses_or_is_not_there_is_named_with_a_remedy(
    broker: TestBroker, descending: Recording
):
    where = broker.url.rpartition("@")[2]
    with pytest.raises(
        OutletRefusedError, match="refused the connection: Not authorized; check BEFFROI_MQTT_URL"
    ):
        await publish(descending, f"mqtt://beffroi:wrong@{where}")
    with pytest.raises(
        OutletRefusedError, match=r"no MQTT broker answers at 127\.0\.0\.1:1: .*check BEFFROI"
    ):
        await publish(descending, "mqtt://127.0.0.1:1")


@pytest.mark.serial
async def test_a_broker_that_goes_away_ends_the_replay_with_what_was_acknowledged(
    descending: Recording, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("collector.replay.publish._PATIENCE_S", 1.0)
    with TestBroker() as mortal:
        asyncio.get_running_loop().call_later(0.5, mortal.kill)
        with pytest.raises(
            OutletRefusedError, match="after 1 acknowledged messages; publish the file"
        ):
            await publish(descending, mortal.url, speed=4_500)
