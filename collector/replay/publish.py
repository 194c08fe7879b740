"""A recording → messages over real MQTT, each acknowledged by the broker."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import orjson

from collector.mqtt.outlet import Outlet, OutletRefusedError
from collector.replay.mapping import TIME_FIELD
from collector.replay.read import Recording
from collector.settings import broker_from_url
from storage.bindings import REPLAY
from storage.sensor_list import Series

_PER_TURN = 50
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Published:
    """What was sent, and how much of it the broker took over."""

    messages: int
    readings: int
    acknowledged: int


class Outgoing(NamedTuple):
    """One message; ``due_us`` is its recorded time."""

    topic: str
    payload: bytes
    due_us: int
    readings: int


def messages_of(recording: Recording, *, in_order_of_time: bool = False) -> Iterator[Outgoing]:
    """The messages of a recording, in file order unless asked otherwise."""
    if not len(recording):
        return
    starts = np.flatnonzero(np.diff(recording.message, prepend=-1))
    ends = np.append(starts[1:], len(recording))
    if in_order_of_time:
        order = np.argsort(recording.time_us[starts], kind="stable")
        starts, ends = starts[order], ends[order]
    topics = [topic_of(series) for series in recording.series]
    fields = [series.field for series in recording.series]
    whole = not (recording.time_us % 1_000_000).any()
    texts = np.datetime_as_string(
        recording.time_us[starts].view("datetime64[us]"),
        unit="s" if whole else "us",
        timezone="UTC",
    ).tolist()
    for text, start, end in zip(texts, starts.tolist(), ends.tolist(), strict=True):
        of = recording.of[start:end].tolist()
        values = recording.value[start:end].tolist()
        payload = {TIME_FIELD: text, **{fields[at]: v for at, v in zip(of, values, strict=True)}}
        yield Outgoing(
            topics[of[0]], orjson.dumps(payload), int(recording.time_us[start]), end - start
        )


def topic_of(series: Series) -> str:
    """Where the readings of a series are published."""
    return REPLAY.topic.format(territory=series.territory, site=series.site, sensor=series.sensor)


async def publish(
    recording: Recording,
    url: str,
    *,
    speed: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    stop: asyncio.Event | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Published:
    """Publish every message at QoS 1 and wait for its PUBACK.

    Parameters
    ----------
    speed : float, optional
        How many recorded seconds pass in one second, in order of the recorded times.
        None: as fast as the broker takes them, in file order.
    progress : callable, optional
        Called with messages acknowledged and messages in all, about twice a second.
    stop : asyncio.Event, optional
        Once set, nothing more is sent; what is under way is still waited for.
    environment : mapping
        For the ``COLLECTOR_MQTT_*`` variables: protocol and certificates.

    Raises
    ------
    OutletRefusedError
        When the broker cannot be reached, refuses, or goes away. Publishing again is
        harmless: what is stored counts as duplicate.
    """
    total = int(recording.message[-1]) + 1 if len(recording) else 0
    stop = stop or asyncio.Event()
    broker = broker_from_url(url, environment)
    # A session of its own: nothing of an earlier run may be sent again.
    outlet = Outlet(replace(broker, client_id=f"beffroi-replay-{secrets.token_hex(6)}"))
    await outlet.open()
    reporting = asyncio.create_task(_report(outlet, total, progress))
    readings = 0
    try:
        pace = _Pace(speed)
        for message in messages_of(recording, in_order_of_time=speed is not None):
            await pace.until(message.due_us, stop)
            if stop.is_set():
                break
            await _send(outlet, message, paced=speed is not None)
            readings += message.readings
        await outlet.drain(_PATIENCE_S)
    finally:
        reporting.cancel()
        await outlet.close()
    if outlet.waiting:
        raise _gone(outlet)
    if progress is not None:
        progress(outlet.acknowledged, total)
    return Published(outlet.published, readings, outlet.acknowledged)


async def _send(outlet: Outlet, message: Outgoing, *, paced: bool) -> None:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await outlet.publish(message.topic, message.payload)
    except TimeoutError:
        raise _gone(outlet) from None
    if paced or outlet.published % _PER_TURN == 0:
        outlet.flush()
        await asyncio.sleep(0)


def _gone(outlet: Outlet) -> OutletRefusedError:
    return OutletRefusedError(
        f"the MQTT broker went away after {outlet.acknowledged:,} acknowledged messages; publish the"
        " file again when it is back: what is stored counts as duplicate"
    )


async def _report(outlet: Outlet, total: int, progress: Callable[[int, int], None] | None) -> None:
    while progress is not None:
        progress(outlet.acknowledged, total)
        await asyncio.sleep(0.5)


class _Pace:
    """Holds every message back until its time has come; counts from the first one."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._start: tuple[float, int] | None = None

    async def until(self, due_us: int, stop: asyncio.Event) -> None:
        if self._speed is None:
            return
        now = asyncio.get_running_loop().time()
        if self._start is None:
            self._start = now, due_us
        began, first_us = self._start
        wait = began + (due_us - first_us) / 1e6 / self._speed - now
        if wait > 0:
            try:
                async with asyncio.timeout(wait):
                    await stop.wait()
            except TimeoutError:
                pass
