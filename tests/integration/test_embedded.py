"""The embedded stack for real: what it holds, what it keeps, and whom it keeps out.

The first run on a machine fetches about 55 MB of packages; later ones find them in the cache.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from beffroi.embedded import processes
from beffroi.embedded.errors import EmbeddedError
from beffroi.embedded.mosquitto import connects
from beffroi.embedded.postgres import PortTakenError
from beffroi.embedded.stack import Stack
from beffroi.embedded.testing import TestBroker, TestCluster, fast_disk

pytestmark = [
    pytest.mark.serial,
    pytest.mark.skipif(
        shutil.which("apt-get") is None, reason="the embedded stack needs a Debian-family machine"
    ),
]

PARENT = """\
import sys
from pathlib import Path
from beffroi.embedded.stack import Stack
stack = Stack(Path(sys.argv[1]))
stack.start()
print(stack.postgres.server.pid, stack.mosquitto.server.pid, stack._guard._process.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that another user may enter, which pytest's own is not."""
    path = Path(tempfile.mkdtemp(prefix="beffroi-test-", dir=fast_disk()))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def stack(folder: Path) -> Iterator[Stack]:
    """One stack with the settings that `demo` and `up` use."""
    with Stack(folder / "shared") as running:
        yield running


@pytest.fixture(scope="module")
def cluster() -> Iterator[TestCluster]:
    """A cluster as tests use it."""
    with TestCluster() as running:
        yield running


def connect(stack: Stack, **changes: str) -> psycopg.Connection:
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"}
    environment = stack.environment()
    given = {name: environment[variable] for name, variable in names.items()}
    return psycopg.connect(
        **{**given, "passfile": environment["PGPASSFILE"], **changes},  # type: ignore[arg-type]
        autocommit=True,
    )


def setting(connection: psycopg.Connection, name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


def client(url: str, name: str, clean: bool = True) -> mqtt.Client:
    """A client that is connected and subscribed to nothing yet."""
    parts = urlsplit(url)
    made = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=clean)
    made.username_pw_set(parts.username, parts.password)
    ready = threading.Event()
    made.on_connect = lambda *_: ready.set()
    assert parts.hostname is not None
    assert parts.port is not None
    made.connect(parts.hostname, parts.port)
    made.loop_start()
    assert ready.wait(5)
    return made


def leave(made: mqtt.Client) -> None:
    made.disconnect()
    made.loop_stop()


def run_parent(directory: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """A process of its own that runs a stack; with the pids of what it started."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(directory)],
        cwd=Path(processes.__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    pids = [int(word) for word in process.stdout.readline().split()]
    assert len(pids) == 3
    return process, pids


def gone(pid: int) -> Callable[[], bool]:
    return lambda: not processes.command_of(pid)


def test_timescaledb_is_there_in_its_apache_edition(stack: Stack) -> None:
    with connect(stack) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        connection.execute("CREATE TABLE bell (time timestamptz NOT NULL, value float8)")
        connection.execute("SELECT create_hypertable('bell', by_range('time'))")
        with connection.cursor().copy("COPY bell FROM STDIN") as copy:
            for day in range(1, 29):
                copy.write_row((f"2026-02-{day:02} 06:00+00", float(day)))
        found = connection.execute(
            "SELECT count(*), count(DISTINCT tableoid), sum(value) FROM bell"
        ).fetchone()

        assert found == (28, 5, 406.0)
        assert setting(connection, "timescaledb.license") == "apache"


def test_what_is_committed_is_on_disk(stack: Stack) -> None:
    with connect(stack) as connection:
        kept = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
        assert [setting(connection, name) for name in kept] == ["on"] * 4


def test_nothing_calls_home_and_nothing_needs_a_compiler(stack: Stack) -> None:
    with connect(stack) as connection:
        assert setting(connection, "timescaledb.telemetry_level") == "off"
        assert setting(connection, "jit") == "off"
        assert setting(connection, "max_locks_per_transaction") == "256"


def test_text_is_utf8_and_time_is_utc_with_every_zone_known(stack: Stack) -> None:
    with connect(stack) as connection:
        row = connection.execute(
            "SELECT upper('é'), timestamptz '2026-07-14 12:00+00' AT TIME ZONE 'Europe/Paris'"
        ).fetchone()

        assert row is not None
        assert (row[0], row[1].hour) == ("É", 14)
        assert setting(connection, "server_encoding") == "UTF8"
        assert setting(connection, "timezone") == "UTC"


@pytest.mark.parametrize("way", ["network", "socket"])
def test_the_database_lets_nobody_in_without_the_password(stack: Stack, way: str) -> None:
    host = "127.0.0.1" if way == "network" else str(stack.postgres.sockets)

    with pytest.raises(psycopg.OperationalError, match="password"):
        connect(stack, host=host, password="wrong")
    with pytest.raises(psycopg.OperationalError, match="no password"):
        connect(stack, host=host, passfile="/nonexistent")
    connect(stack, host=host).close()


def test_the_broker_lets_nobody_in_without_the_password(stack: Stack) -> None:
    port = stack.mosquitto.port

    assert connects(port, "beffroi", stack.mosquitto.password)
    assert not connects(port, "beffroi", "wrong")
    assert not connects(port, "", "")
    refused: list[str] = []
    anonymous = mqtt.Client(CallbackAPIVersion.VERSION2)
    anonymous.on_connect = lambda *answer: refused.append(str(answer[3]))
    anonymous.connect("127.0.0.1", port)
    while not refused:
        anonymous.loop(0.1)
    assert refused == ["Not authorized"]
    anonymous.disconnect()


def test_secrets_are_for_the_owner_only_and_on_no_command_line(stack: Stack) -> None:
    secret = json.loads((stack.directory / "secrets" / "passwords.json").read_text())

    assert stack.passwords.stat().st_mode & 0o777 == 0o600
    assert stack.passwords.parent.stat().st_mode & 0o777 == 0o700
    assert (stack.directory / "pgdata").stat().st_mode & 0o777 == 0o700
    shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    logged = "".join(path.read_text() for path in (stack.directory / "logs").iterdir())
    for word in secret.values():
        assert word not in shown + logged
        assert word not in (stack.directory / "mosquitto" / "passwords").read_text()
        assert word not in (stack.directory / "stack.json").read_text()


def test_a_message_goes_from_one_program_to_another(stack: Stack) -> None:
    url = stack.environment()["BEFFROI_MQTT_URL"]
    heard: list[bytes | bytearray] = []
    arrived = threading.Event()
    listener = client(url, "listener")
    subscribed = threading.Event()
    listener.on_subscribe = lambda *_: subscribed.set()

    def on_message(_: mqtt.Client, __: object, message: mqtt.MQTTMessage) -> None:
        heard.append(message.payload)
        arrived.set()

    listener.on_message = on_message
    listener.subscribe("town/#", qos=1)
    assert subscribed.wait(5)
    speaker = client(url, "speaker")
    speaker.publish("town/bell", "dong", qos=1).wait_for_publish(5)

    assert arrived.wait(5)
    assert heard == [b"dong"]
    leave(listener)
    leave(speaker)


def test_the_directory_in_use_is_refused_with_the_process_that_uses_it(stack: Stack) -> None:
    with pytest.raises(EmbeddedError, match=f"Process {os.getpid()} started it"):
        Stack(stack.directory).start()
    with pytest.raises(EmbeddedError, match="already running"):
        stack.start()

    connect(stack).close()


def test_two_stacks_run_side_by_side(stack: Stack, folder: Path) -> None:
    with Stack(folder / "second") as second, connect(second) as connection:
        connection.execute("CREATE TABLE only_here ()")
        ours, theirs = stack.environment(), second.environment()
        assert all(
            ours[name] != theirs[name] for name in ("PGPORT", "PGPASSFILE", "BEFFROI_MQTT_URL")
        )

    with connect(stack) as connection:
        found = connection.execute("SELECT to_regclass('only_here')").fetchone()
        assert found == (None,)


def test_data_ports_and_passwords_last_from_one_start_to_the_next(folder: Path) -> None:
    with Stack(folder / "again") as first:
        before = first.environment()
        with connect(first) as connection:
            connection.execute("CREATE TABLE kept ()")
    assert not first.postgres.sockets.exists()

    with Stack(folder / "again") as second, connect(second) as connection:
        connection.execute("TABLE kept")
        assert second.environment() == before


def test_a_port_taken_meanwhile_is_given_up_unless_it_was_asked_for(folder: Path) -> None:
    with Stack(folder / "moving") as first:
        ports = first.postgres.port, first.mosquitto.port
    with (
        socket.create_server(("127.0.0.1", ports[0])),
        socket.create_server(("127.0.0.1", ports[1])),
    ):
        with Stack(folder / "moving") as second:
            assert second.postgres.port != ports[0]
            assert second.mosquitto.port != ports[1]
            connect(second).close()
        with pytest.raises(PortTakenError, match=f"cannot have port {ports[0]}"):
            Stack(folder / "moving", postgres_port=ports[0]).start()
        with pytest.raises(PortTakenError, match=f"cannot have port {ports[1]}"):
            Stack(folder / "moving", mqtt_port=ports[1]).start()
    with Stack(folder / "moving", postgres_port=ports[0], mqtt_port=ports[1]) as third:
        assert (third.postgres.port, third.mosquitto.port) == ports


def test_committed_rows_survive_kill_9_of_the_database(folder: Path) -> None:
    with Stack(folder / "crash") as stack:
        with connect(stack) as connection:
            connection.execute("CREATE TABLE rows AS SELECT generate_series(1, 1000) AS i")
            stack.postgres.kill()
        stack.postgres.start()
        with connect(stack) as connection:
            assert connection.execute("SELECT count(*) FROM rows").fetchone() == (1000,)


def test_when_the_parent_is_killed_the_servers_stop_and_start_again(folder: Path) -> None:
    parent, pids = run_parent(folder / "orphan")
    parent.kill()
    parent.communicate()

    for pid in pids:
        assert processes.until(gone(pid), 15)
    with Stack(folder / "orphan") as stack:
        connect(stack).close()
        log = (stack.directory / "logs" / "postgres.log").read_text()
    assert "was not properly shut down" not in log


def test_leftovers_of_a_parent_killed_together_with_its_guard_are_cleared(folder: Path) -> None:
    parent, pids = run_parent(folder / "leftover")
    os.kill(pids[2], signal.SIGKILL)
    parent.kill()
    parent.communicate()
    assert processes.command_of(pids[0])
    assert processes.command_of(pids[1])

    with Stack(folder / "leftover") as stack:
        connect(stack).close()
        assert not processes.command_of(pids[0])
        assert not processes.command_of(pids[1])


def test_a_claim_whose_number_now_belongs_to_another_process_is_stale(folder: Path) -> None:
    with Stack(folder / "stale") as stack:
        claim = stack.directory / "pgdata" / "postmaster.pid"
        text = claim.read_text()
        stack.kill()
    # A live process of the servers' own user, for whose number PostgreSQL would step back.
    bystander = subprocess.Popen(["sleep", "60"], **processes.as_user(stack.postgres.user))
    _, _, rest = text.partition("\n")
    claim.write_text(f"{bystander.pid}\n{rest}")

    with Stack(folder / "stale") as stack:
        connect(stack).close()

    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_database_that_does_not_come_up_shows_why(folder: Path) -> None:
    with Stack(folder / "broken"):
        pass
    shutil.rmtree(folder / "broken" / "pgdata" / "pg_wal")

    with pytest.raises(EmbeddedError, match="pg_wal"):
        Stack(folder / "broken").start()
    with pytest.raises(EmbeddedError, match="pg_wal"):
        Stack(folder / "broken").start()


def test_clones_hold_what_the_template_holds_and_know_nothing_of_each_other(
    cluster: TestCluster,
) -> None:
    built: list[str] = []

    def build(conninfo: str) -> None:
        built.append(conninfo)
        with psycopg.connect(conninfo) as connection:
            connection.execute("CREATE EXTENSION timescaledb")
            connection.execute("CREATE TABLE bell (time timestamptz NOT NULL, value float8)")
            connection.execute("SELECT create_hypertable('bell', by_range('time'))")

    name = cluster.template("bells", build)
    assert cluster.template("bells", build) == name
    first, second = cluster.clone(name), cluster.clone(name)
    one = psycopg.connect(first, autocommit=True)
    one.execute("INSERT INTO bell VALUES (now(), 1)")
    with psycopg.connect(second) as two:
        assert one.execute("SELECT count(*) FROM bell").fetchone() == (1,)
        assert two.execute("SELECT count(*) FROM bell").fetchone() == (0,)
    cluster.drop(second)

    assert len(built) == 1
    cluster.drop(first)
    with pytest.raises(psycopg.OperationalError, match=r"terminating|closed"):
        one.execute("SELECT 1")
    one.close()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(first)


def test_programs_find_a_clone_by_its_variables(cluster: TestCluster) -> None:
    environment = cluster.environment(cluster.conninfo("postgres"))

    done = subprocess.run(
        [sys.executable, "-c", "import psycopg; print(psycopg.connect().info.dbname)"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "postgres\n"


def test_a_broker_keeps_the_queue_of_an_absent_client_through_kill_9() -> None:
    with TestBroker(max_inflight=20) as broker:
        absent = client(broker.url, "absent", clean=False)
        subscribed = threading.Event()
        absent.on_subscribe = lambda *_: subscribed.set()
        absent.subscribe("town/#", qos=1)
        assert subscribed.wait(5)
        leave(absent)
        speaker = client(broker.url, "speaker")
        for number in range(500):
            last = speaker.publish("town/bell", str(number), qos=1)
        last.wait_for_publish(10)
        leave(speaker)
        # Acknowledged moments before the commit that keeps them: see the design's broker table.
        time.sleep(0.5)

        broker.kill()
        assert not connects(broker.mosquitto.port, "beffroi", broker.mosquitto.password)
        broker.restart()

        heard: set[int] = set()
        back = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="absent", clean_session=False)
        parts = urlsplit(broker.url)
        back.username_pw_set(parts.username, parts.password)
        back.on_message = lambda _, __, message: heard.add(int(message.payload))
        back.connect("127.0.0.1", broker.mosquitto.port)
        back.loop_start()
        assert processes.until(lambda: len(heard) == 500, 10)
        leave(back)


def test_nothing_is_left_of_servers_for_tests() -> None:
    with TestBroker() as broker:
        folder = broker.folder
        assert folder.exists()

    assert not folder.exists()
