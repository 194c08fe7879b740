"""From a sensor's message to a number on the page: real broker, collector, database, browser."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from playwright.async_api import Browser

from beffroi.embedded.testing import TestBroker
from collector.settings import broker_from_url
from dashboards.settings import Settings
from tests.board.browser import opened
from tests.board.serving import serving
from tests.integration.collecting import a_collector, is_collecting, settings_for, until

TOPIC = "city/99001/mairie/mast-001"
ELEMENT = '[data-k="now.noise_level.value"]'

# Notes when the number changed, by the clock of the machine that all parts share.
_NOTE = """(selector) => {
  window.seen = {};
  const note = () => {
    const text = document.querySelector(selector).textContent;
    window.seen[text] ??= Date.now();
  };
  new MutationObserver(note).observe(document.body,
    { subtree: true, childList: true, characterData: true });
}"""


@asynccontextmanager
async def _sender(broker: TestBroker) -> AsyncIterator[paho.Client]:
    target = broker_from_url(broker.url, {})
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(target.username, target.password)
    client.connect(target.host, target.port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


async def delays(
    browser: Browser, broker: TestBroker, conninfo: str, *, messages: int, every_s: float
) -> list[float]:
    """Seconds from each publish to its number in the page; PG* must lead to the city. [s]

    Infinite where a number never came.
    """
    sent: dict[str, float] = {}
    async with (
        a_collector(settings_for(broker, "board-path")) as (collector, _, _),
        serving(conninfo, refresh_s=Settings().refresh_s) as home,
        opened(browser, home, "/") as (page, _),
        _sender(broker) as client,
    ):
        await until(lambda: is_collecting(collector))
        await page.evaluate(_NOTE, ELEMENT)
        for number in range(messages):
            # Whole decibels, each another than the one before and told as it is.
            value = 70 + number
            payload = {"time": datetime.now(UTC).isoformat(), "noise_level": value}
            sent[str(value)] = time.time()
            client.publish(TOPIC, json.dumps(payload), qos=1)
            await asyncio.sleep(every_s)
        await asyncio.sleep(1.5)
        seen = await page.evaluate("window.seen")
    return [seen.get(text, float("inf")) / 1000 - at for text, at in sent.items()]
