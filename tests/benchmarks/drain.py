"""The collector end to end against a bare paho subscriber that only acknowledges.

    python tests/benchmarks/drain.py [--messages N] [--protocol 5|3.1.1] [--source auto|mqtt5|paho] [--json]

Four values a message, QoS 1, on the shipped broker and a durable database. For each side
the same messages are first published to its persistent session, then it is started and
drains them; the rate is messages over the time from the first to the last one handled.
Sides alternate; the ratio is taken pair by pair.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson
import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from beffroi.embedded import machine
from beffroi.embedded.stack import Stack
from collector.settings import broker_from_url
from storage.city import parse
from storage.migrate import migrate
from storage.registry import register

SENSORS = 1000
FIELDS = ("no2", "o3", "pm10", "pm25")
TOML = """
[city]
name = "Bench"
timezone = "Europe/Paris"
[[territory]]
code = "1"
name = "Bench"
[[binding]]
topic = "bench/ours/{sensor}"
"""

BARE = """
import sys, time
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
host, port, user, password, protocol, wanted = sys.argv[1:]
v5, wanted = protocol == "5", int(wanted)
client = paho.Client(CallbackAPIVersion.VERSION2, "bare", clean_session=None if v5 else False,
    protocol=MQTTProtocolVersion.MQTTv5 if v5 else MQTTProtocolVersion.MQTTv311, manual_ack=True)
client.username_pw_set(user, password)
seen, first = 0, 0.0
def on_message(client, data, message):
    global seen, first
    if not seen:
        first = time.perf_counter()
    seen += 1
    client.ack(message.mid, message.qos)
    if seen == wanted:
        print(wanted / (time.perf_counter() - first), flush=True)
        client.disconnect()
client.on_message = on_message
extra = {}
if v5:
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 3600
    properties.ReceiveMaximum = 1000
    extra = dict(clean_start=False, properties=properties)
client.connect(host, int(port), **extra)
client.loop_forever()
"""


def session(url: str, client_id: str, topic: str, protocol: str) -> None:
    """Leave a subscribed persistent session behind."""
    target = broker_from_url(url, {})
    v5 = protocol == "5"
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id,
        clean_session=None if v5 else False,
        protocol=MQTTProtocolVersion.MQTTv5 if v5 else MQTTProtocolVersion.MQTTv311,
    )
    client.username_pw_set(target.username, target.password)
    done: list[bool] = []
    client.on_subscribe = lambda *_: done.append(True)
    extra = {}
    if v5:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 3600
        extra = {"clean_start": False, "properties": properties}
    client.connect(target.host, target.port, **extra)  # type: ignore[arg-type]
    client.loop_start()
    client.subscribe(topic, qos=1)
    while not done:
        time.sleep(0.01)
    client.disconnect()
    client.loop_stop()


def publish(url: str, run: str, messages: int, number: int) -> None:
    """Fill the queues of whoever is subscribed."""
    target = broker_from_url(url, {})
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)
    client.username_pw_set(target.username, target.password)
    client.max_inflight_messages_set(1000)
    client.connect(target.host, target.port)
    client.loop_start()
    # Every round goes on where the last one ended: no reading repeats another.
    start = 1_767_225_600 + number * (messages // SENSORS)
    last = None
    for count in range(messages):
        step, sensor = divmod(count, SENSORS)
        body = {"time": start + step} | {
            f: 20 + (count * 7 + n) % 90 / 10 for n, f in enumerate(FIELDS)
        }
        last = client.publish(f"bench/{run}/s{sensor}", orjson.dumps(body), qos=1)
        if count % 5000 == 4999:
            last.wait_for_publish(60)
    if last:
        last.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


def bare(url: str, protocol: str, messages: int) -> float:
    """Messages a second that paho alone acknowledges."""
    target = broker_from_url(url, {})
    found = subprocess.run(
        [sys.executable, "-c", BARE, target.host, str(target.port), str(target.username),
         str(target.password), protocol, str(messages)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return float(found.stdout)


def ours(protocol: str, source: str, before: int, messages: int) -> tuple[float, float]:
    """Messages a second stored and acknowledged by `beffroi collect`, and its memory in MB."""
    environment = {
        **os.environ,
        "COLLECTOR_CLIENT_ID": "ours",
        "COLLECTOR_MQTT_PROTOCOL": protocol,
        "COLLECTOR_MQTT_SOURCE": source,
        "COLLECTOR_METRICS_PORT": "0",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "beffroi", "collect"], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        with psycopg.connect(autocommit=True) as connection:
            while True:
                row = connection.execute(
                    "SELECT sum(m) FROM pipeline.batch, unnest(messages_received) m"
                ).fetchone()
                if row and row[0] and row[0] >= before + messages:
                    break
                time.sleep(0.2)
            # The first batch's commit is taken for the start: its messages do not count.
            span = connection.execute(
                """
                WITH b AS (SELECT committed_at, (SELECT sum(m) FROM unnest(messages_received) m) AS n
                             FROM pipeline.batch ORDER BY batch_id)
                SELECT extract(epoch FROM max(committed_at) - min(committed_at)),
                       sum(n) - (array_agg(n ORDER BY committed_at))[1]
                  FROM (SELECT * FROM b ORDER BY committed_at DESC) l
                 WHERE committed_at > now() - interval '10 minutes'
                   AND committed_at >= %s
                """,
                (process_started(process.pid),),
            ).fetchone()
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line) / 1024
    finally:
        process.terminate()
        process.wait()
    assert span is not None
    return float(span[1]) / float(span[0]), peak


def process_started(pid: int) -> object:
    """When a process began, for telling its batches from earlier ones."""
    import datetime

    return datetime.datetime.fromtimestamp(Path(f"/proc/{pid}").stat().st_ctime, datetime.UTC)


def main() -> None:
    """Alternate both sides and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--messages", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--protocol", choices=["5", "3.1.1"], default="5")
    parser.add_argument("--source", choices=["auto", "mqtt5", "paho"], default="auto")
    options = parser.parse_args()
    base = machine.default_state()
    base.mkdir(parents=True, exist_ok=True)
    pairs: list[tuple[float, float]] = []
    peak = 0.0
    with tempfile.TemporaryDirectory(dir=base, prefix="bench-") as folder:
        Path(folder).chmod(0o755)
        with Stack(Path(folder)) as stack:
            os.environ.update(stack.environment())
            url = os.environ["BEFFROI_MQTT_URL"]
            lines = ["territory,site,sensor,metric,field,unit,step_s,stamp"]
            lines += [f"1,s,s{n},{f},,,10,start" for n in range(SENSORS) for f in FIELDS]
            with psycopg.connect() as connection:
                migrate(connection)
                register(connection, parse(TOML, "\n".join(lines)))
            session(url, "ours", "bench/ours/+", options.protocol)
            session(url, "bare", "bench/bare/+", options.protocol)
            for number in range(options.rounds):
                publish(url, "bare", options.messages, number)
                theirs = bare(url, options.protocol, options.messages)
                publish(url, "ours", options.messages, number)
                before = number * options.messages
                mine, memory = ours(options.protocol, options.source, before, options.messages)
                peak = max(peak, memory)
                pairs.append((mine, theirs))
                print(
                    f"round {number + 1}: beffroi {mine:,.0f}/s, bare paho {theirs:,.0f}/s",
                    file=sys.stderr,
                )
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    result = {
        "machine": platform.machine(), "cores": os.cpu_count(), "protocol": options.protocol,
        "source": options.source,
        "messages": options.messages, "beffroi_per_s": statistics.median(p[0] for p in pairs),
        "bare_paho_per_s": statistics.median(p[1] for p in pairs), "ratio": ratio,
        "peak_memory_mb": peak,
    }  # fmt: skip
    if options.json:
        print(json.dumps(result))
    else:
        print(
            f"MQTT {options.protocol} ({options.source}): beffroi {result['beffroi_per_s']:,.0f} messages/s, bare paho"
            f" {result['bare_paho_per_s']:,.0f}/s, ratio {ratio:.2f}; peak memory {peak:.0f} MB"
        )


if __name__ == "__main__":
    main()
