"""The stage: a whole small city on real servers, every wire of which leads through a proxy."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from beffroi.embedded import machine, postgres
from beffroi.embedded.processes import Guard, until
from beffroi.embedded.stack import DATABASE, Stack
from storage.city import parse
from storage.migrate import migrate
from storage.registry import register
from tests.faults.journal import Journal
from tests.faults.plan import TOML, sensor_list
from tests.faults.programs import Program, plain
from tests.faults.proxy import Proxy, Wires
from tests.faults.room import Room
from tests.faults.tap import Tap

GROUP = "city"
COLLECTOR, SECOND = "collector", "second"
COLLECTING = "beffroi collector"
_PATIENCE_S = 60.0


class Stuck(Exception):
    """Something did not come about in time; the text says what, and what the programs said."""


class Stage:
    """Everything that a fault run plays on; see the README for the order of things."""

    def __init__(
        self, seed: int, *, source: str, shared: bool, rate: float, namespace: bool
    ) -> None:
        self.seed = seed
        self.source = source
        self.shared = shared
        self.rate = rate
        self._namespace = namespace
        self._ends = ExitStack()
        self.start_us = time.time_ns() // 1000
        self.tap = Tap()
        self.given_up: set[str] = set()
        self.at_risk: set[str] = set()
        self.taken: set[str] = set()

    # Up and down ------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._ends.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends.close()

    def _start(self) -> None:
        base = machine.default_state()
        machine.make_folder(base, "fault run's", "Set XDG_STATE_HOME to a folder you may write.")
        _clear_away(base)
        guard = Guard()
        self._ends.callback(guard.release)
        self.folder = Path(tempfile.mkdtemp(prefix="faults-", dir=base))
        self.folder.chmod(0o755)
        guard.remove(self.folder)
        self._ends.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.stack = Stack(self.folder / "stack")
        self.stack.start()
        self._ends.callback(self.stack.stop)
        self.conninfo = self._conninfo()
        self.room = Room(
            self.stack, self.folder / "small", self.conninfo, namespace=self._namespace
        )
        self._ends.callback(self.room.close)
        with psycopg.connect(self.conninfo) as connection:
            migrate(connection)
            register(connection, parse(TOML, sensor_list()))
        # Closed after the programs, before the file system below it.
        self._ends.callback(self.stack.postgres.stop)
        self._lay_wires()
        self._start_programs(guard)

    def _conninfo(self) -> str:
        self.password = self.stack.passwords.read_text().splitlines()[0].rpartition(":")[2]
        port = self.stack.postgres.port
        return f"postgresql://{postgres.USER}:{self.password}@127.0.0.1:{port}/{DATABASE}"

    def _lay_wires(self) -> None:
        wires = Wires()
        self._ends.callback(wires.close)

        def broker() -> int:
            return self.stack.mosquitto.port

        def database() -> int:
            return self.stack.postgres.port

        self.publisher_broker = Proxy(wires, broker)
        self.collector_broker = Proxy(wires, broker, self.tap)
        self.collector_database = Proxy(wires, database)
        self.processor_database = Proxy(wires, database)
        self.wires = {
            "publisher-broker": self.publisher_broker,
            "collector-broker": self.collector_broker,
            "collector-database": self.collector_database,
            "processor-database": self.processor_database,
        }
        for proxy in self.wires.values():
            self._ends.callback(proxy.close)

    def _start_programs(self, guard: Guard) -> None:
        self.clock = self.folder / "clock"
        self.clock.write_text("0")
        self._guard = guard
        self.collector = self.new_collector(COLLECTOR, COLLECTOR)
        self.second = self.new_collector(SECOND, SECOND)
        self.standby = self.new_collector("standby", COLLECTOR)
        self.processor = self._program(
            "processor",
            ["beffroi", "process"],
            {
                **self._to(self.processor_database, self.publisher_broker),
                "PROCESSORS_INTERVAL_S": "2",
                "PROCESSORS_METRICS_PORT": "0",
            },
        )
        log = self.folder / "published"
        self.journal = Journal(log)
        self.publisher = self._program(
            "publisher",
            ["tests.faults.publisher", f"--log={log}", f"--seed={self.seed}",
             f"--start-us={self.start_us}", f"--rate={self.rate}"],
            self._to(self.processor_database, self.publisher_broker),
        )  # fmt: skip
        self.collector.start()
        # Only what is published after the subscription is kept for the collector.
        self.wait(lambda: self.tap.subscribed, "the collector has not subscribed")
        self.processor.start()
        self.publisher.start()
        self.wait(lambda: len(self.tap.acknowledged) > 20, "the city does not come to life")

    def new_collector(self, name: str, client_id: str) -> Program:
        """A collector by its MQTT client id, not started yet."""
        variables = {
            **self._to(self.collector_database, self.collector_broker),
            "COLLECTOR_CLIENT_ID": client_id,
            "COLLECTOR_METRICS_PORT": "0",
            "COLLECTOR_MQTT_SOURCE": self.source,
            "FAULTS_CLOCK": str(self.clock),
        }
        if self.shared:
            variables["COLLECTOR_SHARE_GROUP"] = GROUP
        if client_id == SECOND:
            variables["COLLECTOR_STOP"] = "leave"
        return self._program(name, ["tests.faults.member"], variables)

    def _program(self, name: str, words: list[str], variables: dict[str, str]) -> Program:
        program = Program(name, words, plain(variables), self.folder, self._guard)
        self._ends.callback(program.stop)
        return program

    def environment(self) -> dict[str, str]:
        """For programs that ask the servers directly."""
        return plain(self.stack.environment())

    def _to(self, database: Proxy, broker: Proxy) -> dict[str, str]:
        url = self.stack.mosquitto.url.rpartition(":")[0]
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(database.port),
            "PGUSER": postgres.USER,
            "PGPASSWORD": self.password,
            "PGDATABASE": DATABASE,
            "BEFFROI_MQTT_URL": f"{url}:{broker.port}",
        }

    # Looking ----------------------------------------------------------------

    def wait(
        self, condition: Callable[[], bool], complaint: str, seconds: float = _PATIENCE_S
    ) -> None:
        """Wait until a condition holds; what ends unasked meanwhile is started again."""

        def holds() -> bool:
            self.revive()
            return condition()

        if not until(holds, seconds, 0.05):
            raise Stuck(f"{complaint} within {seconds:.0f} s\n{self.last_words()}")

    def revive(self) -> None:
        """Programs that end unasked come back, as under a supervisor; the report counts them."""
        for program in self.programs:
            program.revive()

    @property
    def programs(self) -> list[Program]:
        """Collectors, processor and publisher."""
        return [self.collector, self.second, self.standby, self.processor, self.publisher]

    def last_words(self) -> str:
        """The end of every program's log."""
        return "\n".join(f"--- {one.name}\n{one.last_words()}" for one in self.programs)

    def pending(self, names: set[str]) -> set[str]:
        """Those of some messages that no collector has acknowledged and nobody has given up."""
        return self.tap.missing(names - self.given_up)

    def mend(self) -> None:
        """Both servers run and every wire passes, whatever went before."""
        for proxy in self.wires.values():
            proxy.throttle(0)
            proxy.resume()
            proxy.allow()
        self.stack.revive()

    def lock_waiters(self) -> int:
        """Collectors that stand before our lock with an open transaction."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND application_name LIKE %s AND datname = %s",
                [f"{COLLECTING}%", DATABASE],
            ).fetchone()
        return int(row[0]) if row else 0

    @contextmanager
    def uncommitted(self, client_id: str | None = None) -> Iterator[int]:
        """Inside, a batch is received and cannot be committed; how many messages wait.

        The ledger is locked, so the collector's transaction is open and half done.
        """
        with psycopg.connect(self.conninfo, application_name="fault run") as blocking:
            blocking.execute("LOCK TABLE pipeline.batch IN SHARE MODE")
            began = time.monotonic()
            # A collector that acknowledges too early is struck all the same, and found out.
            self.wait(
                lambda: (
                    self.lock_waiters() > 0
                    and (self.tap.unacknowledged(client_id) > 0 or time.monotonic() - began > 5)
                ),
                "no batch came to stand before the lock",
            )
            try:
                yield self.tap.unacknowledged(client_id)
            finally:
                # The server may have been killed meanwhile, and the lock with it.
                with suppress(psycopg.Error):
                    blocking.rollback()


def _clear_away(base: Path) -> None:
    """Remove what a killed run left: a folder that nothing but its mount point keeps."""
    for old in base.glob("faults-*"):
        with suppress(OSError):
            if [path.name for path in old.iterdir()] == ["small"]:
                (old / "small").rmdir()
                old.rmdir()
