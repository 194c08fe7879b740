"""`beffroi doctor` on brokers of every kind, and what it reads in the books."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from beffroi.doctor.examine import examine, own_configuration
from beffroi.doctor.finding import Finding, Level
from beffroi.embedded.testing import TestBroker
from collector.probe import RECEIVED_MESSAGES, probe, unheard
from collector.settings import broker_from_url
from tests.integration.collecting import Network


def told(url: str, configuration: Path | None = None, **more: str) -> dict[str, Finding]:
    """The last finding of every check."""
    environment = os.environ | {"BEFFROI_MQTT_URL": url} | more
    return {finding.check: finding for finding in examine(environment, configuration)}


def conf_of(broker: TestBroker) -> Path:
    return broker.mosquitto.folder / "mosquitto.conf"


@pytest.fixture
def readable() -> Iterator[Path]:
    """A folder that the broker's own user may read."""
    folder = Path(tempfile.mkdtemp(prefix="beffroi-doctor-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


# The shipped broker -----------------------------------------------------------


def test_the_shipped_broker_is_well_in_every_respect(broker: TestBroker, database: str):
    found = told(broker.url, conf_of(broker))

    assert found["broker"].found == "mosquitto version 2.1.2, speaks MQTT 5"
    assert found["broker limits"].found == (
        "a publisher may have 1,000 messages on their way, packets up to 1,048,576 bytes,"
        " an absent collector's session is kept 7 days"
    )
    assert found["broker window"].found == "60 messages or more on their way at once"
    assert found["broker session"].found.startswith("a persistent session got 5 of 5 messages")
    assert found["broker crash"].found.startswith("kill -9 can lose a message or two")
    assert found["broker drops"].found == "none since it started"
    assert {f.level for name, f in found.items() if name.startswith("broker")} == {Level.OK}


def test_the_probe_leaves_no_session_and_nothing_retained_behind(broker: TestBroker):
    target = broker_from_url(broker.url, {})
    probe(target)
    heard: list[str] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)
    client.username_pw_set(target.username, target.password)
    client.on_message = lambda _c, _d, message: heard.append(message.topic)
    subscribed: list[int] = []
    client.on_subscribe = lambda *_: subscribed.append(1)
    client.connect(target.host, target.port)
    client.loop_start()
    client.subscribe("beffroi/#")
    deadline = time.monotonic() + 5
    while not subscribed and time.monotonic() < deadline:
        time.sleep(0.01)
    client.disconnect()
    client.loop_stop()
    broker.mosquitto.stop()
    kept = _sessions(broker)
    broker.mosquitto.start()

    assert heard == []
    assert [name for name in kept if name.startswith("beffroi-doctor-")] == []


def _sessions(broker: TestBroker) -> list[str]:
    """Client ids of the persistent sessions in the file of a broker that stands still."""
    with closing(sqlite3.connect(broker.mosquitto.folder / "sessions.sqlite")) as file:
        return [name for (name,) in file.execute("SELECT client_id FROM clients")]


def test_an_embedded_broker_is_known_by_the_state_it_keeps(tmp_path: Path):
    (tmp_path / "mosquitto").mkdir()
    (tmp_path / "secrets").mkdir()
    (tmp_path / "mosquitto/mosquitto.conf").write_text("persistence true\n")
    (tmp_path / "stack.json").write_text(json.dumps({"name": "x", "mqtt_port": 4711}))
    environment = {"PGPASSFILE": str(tmp_path / "secrets/pgpass")}

    def own(url: str) -> Path | None:
        return own_configuration(broker_from_url(url, {}), environment)

    assert own("mqtt://127.0.0.1:4711") == tmp_path / "mosquitto/mosquitto.conf"
    assert own("mqtt://127.0.0.1:4712") is None
    assert own("mqtt://192.0.2.1:4711") is None


# Other brokers ----------------------------------------------------------------


def test_a_broker_of_the_older_protocol_with_a_window_of_20_is_told(database: str):
    with TestBroker(max_inflight=20, extra=("accept_protocol_versions 3,4",)) as old:
        found = told(old.url)

    assert found["broker"].level is Level.NOTE
    assert "speaks MQTT 3.1.1 and not MQTT 5" in found["broker"].found
    assert found["broker limits"].found == "MQTT 3.1.1 cannot tell them"
    assert found["broker window"].level is Level.NOTE
    assert found["broker window"].found.startswith("only 20 messages on their way at once")
    assert "4,000 messages/s at most" in found["broker window"].found
    assert found["broker window"].remedy == "Mosquitto: max_inflight_messages 1000"
    assert found["broker session"].level is Level.OK


def test_what_cannot_be_seen_from_outside_is_said_so_with_the_lines_to_write(
    broker: TestBroker, database: str
):
    crash = told(broker.url)["broker crash"]

    assert crash.level is Level.NOTE
    assert "cannot be seen from outside" in crash.found
    assert "plugin_opt_flush_period 0" in crash.remedy
    assert "--broker-conf FILE" in crash.remedy


NO_PLUGIN = ("plugin", "plugin_opt_db_file", "plugin_opt_flush_period", "packet_buffer_size")


@pytest.mark.parametrize(
    ("extra", "loses"),
    [
        (NO_PLUGIN, "everything queued is lost: nothing is on disk"),
        (
            (*NO_PLUGIN, "persistence true"),
            "everything queued since the last autosave is lost: up to 30 min",
        ),
        (
            (*NO_PLUGIN, "persistence true", "autosave_on_changes true", "autosave_interval 500"),
            "up to 500 messages are lost: it saves after that many changes",
        ),
        (
            ("plugin_opt_flush_period",),
            "everything queued in the last 5 s is lost: it writes that often",
        ),
    ],
)
def test_a_forgetful_configuration_is_read_and_found_not_well(
    extra: tuple[str, ...], loses: str, database: str
):
    with TestBroker(extra=extra) as forgetful:
        crash = told(forgetful.url, conf_of(forgetful))["broker crash"]

    assert crash.level is Level.BAD
    assert crash.found == loses
    assert "flush_period 0" in crash.remedy


def test_a_broker_that_keeps_nothing_for_absent_sessions_is_found_not_well(database: str):
    with TestBroker(extra=("max_queued_bytes 1",)) as tight:
        session = told(tight.url)["broker session"]

    assert session.level is Level.BAD
    assert session.found.startswith("a persistent session got 1 of 5 messages")


def test_messages_that_the_broker_dropped_are_told(database: str):
    with TestBroker(extra=("max_queued_messages 10", "sys_interval 1")) as full:
        # The trial itself publishes more than the absent session may queue.
        target = broker_from_url(full.url, {})
        _overflow(full.url)
        deadline = time.monotonic() + 10
        while probe(target).number("$SYS/broker/publish/messages/dropped") != 90:
            assert time.monotonic() < deadline
        drops = told(full.url)["broker drops"]

    assert drops.level is Level.BAD
    assert drops.found.startswith("90 messages dropped since it started")


def _overflow(url: str) -> None:
    """100 messages into the queue of a session that is away."""
    target = broker_from_url(url, {})
    for name in ("asleep", "publisher"):
        client = paho.Client(
            CallbackAPIVersion.VERSION2, name, clean_session=name == "publisher",
            protocol=MQTTProtocolVersion.MQTTv311,
        )  # fmt: skip
        client.username_pw_set(target.username, target.password)
        done: list[int] = []
        client.on_subscribe = lambda *_, done=done: done.append(1)
        client.connect(target.host, target.port)
        client.loop_start()
        if name == "asleep":
            client.subscribe("queue", qos=1)
            while not done:
                time.sleep(0.01)
        else:
            for sent in [client.publish("queue", b"x", qos=1) for _ in range(100)]:
                sent.wait_for_publish(10)
        client.disconnect()
        client.loop_stop()


def test_no_right_to_the_trial_topics_is_told_with_the_lines_to_add(readable: Path, database: str):
    acl = readable / "acl"
    acl.write_text("user beffroi\ntopic read city/#\n")
    with TestBroker(extra=(f"acl_file {acl}",)) as closed:
        found = told(closed.url)

    assert found["broker session"].level is Level.NOTE
    assert found["broker session"].remedy == (
        "in Mosquitto's acl_file: user beffroi; topic readwrite beffroi/doctor/#"
    )
    assert found["broker drops"].found == "the broker does not say whether it drops messages"
    assert found["broker"].well


def test_the_rights_that_compose_gives_are_enough_for_every_check(readable: Path, database: str):
    shipped = Path(__file__).parents[2] / "deploy/mosquitto/acl"
    shutil.copy(shipped, readable / "acl")
    with TestBroker(extra=(f"acl_file {readable / 'acl'}",)) as composed:
        found = told(composed.url, conf_of(composed))

    assert {f.level for name, f in found.items() if name.startswith("broker")} == {Level.OK}


def test_a_wrong_password_is_told_with_the_remedy(broker: TestBroker, database: str):
    where = broker.url.rpartition("@")[2]
    found = told(f"mqtt://beffroi:wrong@{where}")["broker"]

    assert found.level is Level.BAD
    assert found.found == "it refused us: Not authorized"
    assert "password in BEFFROI_MQTT_URL" in found.remedy
    assert "wrong" not in found.found + found.remedy


@pytest.mark.serial
def test_no_broker_and_no_database_are_told_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    monkeypatch.setenv("PGPORT", "1")
    began = time.monotonic()
    found = told("mqtt://127.0.0.1:1")

    assert found["broker"].level is Level.BAD
    assert "Connection refused" in found["broker"].found
    assert found["database"].level is Level.BAD
    assert time.monotonic() - began < 5


@pytest.mark.serial
async def test_a_database_that_falls_silent_is_given_up_and_the_broker_examined_all_the_same(
    broker: TestBroker, database: str, monkeypatch: pytest.MonkeyPatch
):
    async with Network(os.environ["PGHOST"], int(os.environ["PGPORT"])) as network:

        def silence(sent: bytes) -> bool:
            network.frozen |= b"pg_available_extensions" in sent
            return False

        network.cut_after = silence
        monkeypatch.setenv("PGPORT", str(network.port))
        began = time.monotonic()
        found = await asyncio.to_thread(told, broker.url)

    assert time.monotonic() - began < 19
    assert found["database"].found == "no complete answer within 6 s"
    assert found["broker"].level is Level.OK


@pytest.mark.serial
def test_a_port_that_accepts_and_stays_silent_is_given_up_within_20_s(database: str):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        found = told(f"mqtt://127.0.0.1:{silent.getsockname()[1]}")["broker"]

    assert found.level is Level.BAD
    assert "does not answer CONNECT" in found.found
    assert time.monotonic() - began < 20


def test_trial_topics_avoid_what_collectors_listen_to():
    assert unheard("beffroi/doctor/x", ["city/+/+"]) == "beffroi/doctor/x"
    assert unheard("beffroi/doctor/x", ["+/+/+"]) == "beffroi/doctor/x/trial"
    assert unheard("beffroi/doctor/x", ["+/+/#"]) is None


def test_a_binding_that_hears_everything_keeps_the_trial_away(
    broker: TestBroker, connection: psycopg.Connection
):
    connection.execute("INSERT INTO city.binding VALUES (1, '#', 'plain', 'UTC', '', '{}')")
    session = told(broker.url)["broker session"]

    assert session.level is Level.NOTE
    assert "a binding listens to every topic" in session.found


# The books --------------------------------------------------------------------


def collector_row(
    connection: psycopg.Connection, name: str, group: str | None, ago: str, expiry_s: int
) -> None:
    connection.execute(
        "INSERT INTO pipeline.collector (client_id, share_group, broker, host, seen_at,"
        " session_expiry_s) VALUES (%s, %s, 'localhost:1883', 'here', now() - %s::interval, %s)",
        [name, group, ago, expiry_s],
    )


def stranded(connection: psycopg.Connection) -> list[Finding]:
    return [f for f in examine(os.environ) if f.check == "stranded session"]


def test_a_collector_that_vanished_is_told_with_the_way_to_drain_its_session(
    connection: psycopg.Connection,
):
    collector_row(connection, "north", "city", "3 hours", 604_800)
    collector_row(connection, "alive", "city", "30 seconds", 604_800)
    collector_row(connection, "left", None, "3 hours", 604_800)
    connection.execute("UPDATE pipeline.collector SET left_at = now() WHERE client_id = 'left'")
    found = stranded(connection)

    assert [f.level for f in found] == [Level.BAD]
    assert found[0].found == (
        "north (group city) was last seen 3 h ago and never left: its session keeps its share"
        " of the messages"
    )
    assert found[0].remedy == (
        "start it again, or drain it: COLLECTOR_CLIENT_ID=north beffroi collect --leave"
    )


def test_a_session_that_has_expired_is_told_to_have_lost_its_backlog(
    connection: psycopg.Connection,
):
    collector_row(connection, "old", None, "9 days", 604_800)
    collector_row(connection, "for-ever", None, "9 days", 2**32 - 1)
    found = stranded(connection)

    assert len(found) == 2
    texts = " ".join(f.found for f in found)
    assert (
        "old was last seen 9 days ago and never left: its session has expired after 7 days" in texts
    )
    assert "for-ever was last seen 9 days ago and never left: its session keeps what is" in texts


def ledger(
    connection: psycopg.Connection, sensor: str, messages: int, qos0: int, hours_ago: int = 1
) -> None:
    """Messages of one sensor in one hour."""
    connection.execute(
        "INSERT INTO city.sensor (code) VALUES (%s) ON CONFLICT DO NOTHING", [sensor]
    )
    connection.execute(
        """
        INSERT INTO pipeline.sensor_hour
               (hour, messages_received, messages_qos0, messages_decoded, messages_refused,
                readings_decoded, readings_stored, readings_duplicate, readings_refused, sensor_id)
        SELECT date_trunc('hour', now()) - make_interval(hours => %(ago)s), %(n)s, %(q)s, %(n)s, 0,
               %(n)s, %(n)s, 0, 0, sensor_id FROM city.sensor WHERE code = %(code)s
        """,
        {"ago": hours_ago, "n": messages, "q": qos0, "code": sensor},
    )


def test_sensors_that_publish_at_qos_0_are_named(connection: psycopg.Connection):
    for number in range(7):
        ledger(connection, f"s{number}", 100, 10 * number)
    ledger(connection, "long-ago", 100, 100, hours_ago=30)
    found = [f for f in examine(os.environ) if f.check == "QoS 0"]

    assert [f.level for f in found] == [Level.NOTE]
    assert found[0].found.startswith(
        "s6 (60 messages), s5 (50 messages), s4 (40 messages), s3 (30 messages), s2 (20 messages)"
        " and 1 more published at QoS 0"
    )


def test_an_outage_of_a_day_is_reckoned_from_the_observed_rate(
    connection: psycopg.Connection,
):
    # A day and the minutes of this hour, so a rate a little below 100 a second.
    ledger(connection, "busy", 8_640_000, 0, hours_ago=24)
    with TestBroker(extra=("max_queued_messages 1000000", "max_queued_bytes 0")) as small:
        outage = told(small.url, conf_of(small))["broker outage"]
        unknown = told(small.url)["broker outage"]
    with TestBroker(extra=("max_queued_messages 0", "max_queued_bytes 0")) as endless:
        fits = told(endless.url, conf_of(endless))["broker outage"]

    assert outage.level is Level.NOTE
    assert "it keeps 1,000,000, enough for" in outage.found
    assert "of 250 bytes (assumed)" in outage.found
    assert outage.remedy.startswith("Mosquitto: max_queued_messages 1")
    assert unknown.found.endswith("whether that fits, MQTT cannot tell")
    assert fits.level is Level.OK
    assert fits.found.endswith("that fits")


def test_the_command_prints_levels_and_ends_with_0_when_there_are_only_notes(
    connection: psycopg.Connection, broker: TestBroker
):
    ledger(connection, "quiet", 100, 100, hours_ago=0)
    connection.execute(
        """
        INSERT INTO pipeline.batch
               (hour, sensor_id, messages_received, messages_decoded, messages_refused,
                readings_decoded, readings_stored, readings_duplicate, readings_refused)
        VALUES (date_trunc('hour', now()), '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')
        """
    )
    connection.execute(
        """
        INSERT INTO city.series (sensor_id, metric, field, unit, scale, shift, step_s, stamp)
        SELECT sensor_id, 'no2', 'no2', 'ug/m3', 1, 0, 60, 'start'
          FROM city.sensor WHERE code = 'quiet'
        """
    )
    run = subprocess.run(
        [sys.executable, "-m", "beffroi", "doctor", "--json", "--broker-conf",
         str(conf_of(broker))],
        env=os.environ | {"BEFFROI_MQTT_URL": broker.url},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    answer = json.loads(run.stdout)

    assert [f for f in answer["findings"] if not f["well"]] == []
    assert run.returncode == 0
    assert answer["well"] is True
    assert {f["check"]: f["level"] for f in answer["findings"]}["QoS 0"] == "note"
    assert set(answer["findings"][0]) == {"check", "well", "level", "found", "remedy"}
    assert RECEIVED_MESSAGES not in run.stdout
