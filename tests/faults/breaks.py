"""The faults: what is broken, while a batch is uncommitted, and mended again.

Every function breaks one thing on the stage and mends it before it returns; it returns how
many messages were received and not acknowledged at the moment of the break. What comes after
the mending is the programs' own affair.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial

import psycopg

from beffroi.embedded.processes import until
from beffroi.embedded.stack import DATABASE
from tests.faults.proxy import Proxy
from tests.faults.stage import COLLECTING, COLLECTOR, SECOND, Stage

Break = Callable[[Stage, random.Random, float], int]
"""Stage, moments, and how long a database refuses [s] → messages unacknowledged."""
_SHORT_S = 2.0


def collector_killed(stage: Stage, moments: random.Random, outage_s: float) -> int:
    """kill -9 of the collector."""
    with stage.uncommitted() as unacknowledged:
        time.sleep(moments.uniform(0, 0.3))
        stage.collector.kill()
    time.sleep(moments.uniform(0, 0.5))
    stage.collector.start()
    return unacknowledged


def database_killed(stage: Stage, moments: random.Random, outage_s: float) -> int:
    """kill -9 of the database server and all its workers."""
    with stage.uncommitted() as unacknowledged:
        time.sleep(moments.uniform(0, 0.3))
        stage.stack.postgres.kill()
    time.sleep(moments.uniform(0, 0.5))
    stage.stack.postgres.start()
    return unacknowledged


def broker_killed(stage: Stage, moments: random.Random, outage_s: float) -> int:
    """kill -9 of the broker."""
    with stage.uncommitted() as unacknowledged:
        time.sleep(moments.uniform(0, 0.3))
        stage.stack.mosquitto.kill()
    # The commit comes about while the connection that it would acknowledge on is gone.
    time.sleep(moments.uniform(0, 0.5))
    stage.stack.mosquitto.start()
    stage.wait(lambda: stage.tap.connected(COLLECTOR), "the collector did not return")
    stage.at_risk |= stage.tap.missing(stage.journal.read().acknowledged)
    return unacknowledged


def sessions_forgotten(stage: Stage, moments: random.Random, outage_s: float) -> int:
    """The broker comes back without its file of sessions: only the collector has what it holds."""
    with stage.uncommitted() as unacknowledged:
        in_hand = stage.tap.held()
        # What was on the wire at that moment has arrived by then.
        time.sleep(0.5)
        stage.stack.mosquitto.kill()
        for file in stage.stack.mosquitto.folder.glob("sessions.sqlite*"):
            file.unlink()
        stage.stack.mosquitto.start()
        # New messages come, numbered as the old ones were, before those are acknowledged.
        stage.wait(lambda: stage.tap.served(COLLECTOR) > 0, "the collector did not return")
        time.sleep(0.3)
        promised = stage.journal.read().acknowledged
        stage.taken |= stage.tap.missing(promised) - in_hand - stage.tap.held()
        # These must be stored, though nobody asks for their acknowledgement any more.
        stage.given_up |= in_hand
    return unacknowledged


def cut(wire: str, stage: Stage, moments: random.Random, outage_s: float) -> int:
    """The connections of one pair end at once."""
    with stage.uncommitted() as unacknowledged:
        time.sleep(moments.uniform(0, 0.2))
        stage.wires[wire].cut()
        if moments.random() < 0.5:
            time.sleep(moments.uniform(0, 0.5))  # sometimes back before the commit, sometimes after
    return unacknowledged


def stalled(wire: str, stage: Stage, moments: random.Random, outage_s: float) -> int:
    """Nothing passes between one pair, in one direction or in both; then it does, or is cut."""
    proxy = stage.wires[wire]
    with stage.uncommitted() as unacknowledged:
        proxy.stall(moments.choice(("up", "down", "both")))
        time.sleep(moments.uniform(0, 0.2))
    try:
        time.sleep(moments.uniform(0.3, _SHORT_S))
        if moments.random() < 0.5:
            proxy.cut()
    finally:
        proxy.resume()
    return unacknowledged


def slow(wire: str, stage: Stage, moments: random.Random, outage_s: float) -> int:
    """A few kilobytes a second between one pair, and then a cut in the middle of a word."""
    proxy: Proxy = stage.wires[wire]
    with stage.uncommitted() as unacknowledged:
        proxy.throttle(moments.choice((2_000, 20_000)))
    try:
        time.sleep(moments.uniform(0.3, _SHORT_S))
        proxy.cut()
    finally:
        proxy.throttle(0)
    return unacknowledged


def answer_lost(stage: Stage, moments: random.Random, outage_s: float) -> int:
    """The commit takes place and its answer never arrives."""
    with stage.uncommitted() as unacknowledged:
        stage.collector_database.stall("down")
    try:
        # Only what the collector sends unasked arrives; where it waits for an answer in the
        # middle of a transaction, it waits there.
        until(lambda: _at_rest(stage), _SHORT_S)
        stage.collector_database.cut()
    finally:
        stage.collector_database.resume()
    return unacknowledged


def commit_unanswered(stage: Stage, moments: random.Random, outage_s: float) -> int:
    """COMMIT waits in the server, is carried out, and the connection is gone before it is told."""
    with psycopg.connect(stage.conninfo, autocommit=True) as connection:
        # A deferred trigger fires within COMMIT and stands before a lock of ours there.
        connection.execute(
            """
            CREATE SCHEMA fault_commit;
            CREATE FUNCTION fault_commit.wait() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_advisory_xact_lock_shared(7, 7); RETURN NULL; END $$;
            """
        )
        connection.execute("SELECT pg_advisory_lock(7, 7)")
        connection.execute(
            "CREATE CONSTRAINT TRIGGER fault_commit AFTER INSERT ON pipeline.batch"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fault_commit.wait()"
        )
        stage.wait(lambda: stage.lock_waiters() > 0, "no batch came to stand in its COMMIT")
        unacknowledged = stage.tap.unacknowledged()
        try:
            stage.collector_database.stall("down")
            connection.execute("SELECT pg_advisory_unlock(7, 7)")
            until(lambda: _at_rest(stage), _SHORT_S)
            stage.collector_database.cut()
        finally:
            stage.collector_database.resume()
        connection.execute(
            "DROP TRIGGER fault_commit ON pipeline.batch; DROP SCHEMA fault_commit CASCADE"
        )
    return unacknowledged


def database_refuses(stage: Stage, moments: random.Random, outage_s: float) -> int:
    """The database ends its connections and takes no new ones for a while."""
    way = moments.choice((_no_port, _no_entry, _no_connections))
    with stage.uncommitted() as unacknowledged:
        mend = way(stage)
    try:
        time.sleep(outage_s)
    finally:
        mend()
    return unacknowledged


def entry_refused(stage: Stage, moments: random.Random, outage_s: float) -> int:
    """The database lets nobody in for a moment: an answer, and yet no answer for ever."""
    with stage.uncommitted() as unacknowledged:
        mend = _no_entry(stage)
    try:
        time.sleep(moments.uniform(1.0, _SHORT_S))
    finally:
        mend()
    return unacknowledged


def disk_full(stage: Stage, moments: random.Random, outage_s: float) -> int:
    """The database finds no room for what it is to store."""
    before = _complaints(stage)
    unacknowledged = 0

    def noticed() -> bool:
        nonlocal unacknowledged
        unacknowledged = stage.tap.unacknowledged()
        return unacknowledged > 0 and _complaints(stage) > before

    stage.room.fill()
    try:
        stage.wait(noticed, "the database did not notice that its disk is full")
        time.sleep(moments.uniform(0, _SHORT_S))
    finally:
        stage.room.clear()
    return unacknowledged


def clock_steps(direction: int, stage: Stage, moments: random.Random, outage_s: float) -> int:
    """The collector's clock is put forward or back, and some time later right again."""
    step = direction * moments.choice((2.0, 60.0, 3_600.0, 86_400.0))
    with stage.uncommitted() as unacknowledged:
        _set_clock(stage, step)
        time.sleep(moments.uniform(0, 0.2))
    time.sleep(moments.uniform(0.5, 1.5))
    with stage.uncommitted():
        _set_clock(stage, 0.0)
    return unacknowledged


def member_leaves(stage: Stage, moments: random.Random, outage_s: float) -> int:
    """A second collector joins the shared subscription and leaves it for good by SIGTERM."""
    _join(stage)
    with stage.uncommitted(SECOND) as unacknowledged:
        stage.second.terminate()
        time.sleep(moments.uniform(0, 0.3))
    stage.second.stop()
    return unacknowledged


def member_killed(stage: Stage, moments: random.Random, outage_s: float) -> int:
    """A second collector is killed, returns under the same id, and then leaves."""
    _join(stage)
    with stage.uncommitted(SECOND) as unacknowledged:
        stage.second.kill()
        time.sleep(moments.uniform(0, 0.3))
    time.sleep(moments.uniform(0, 1))
    stage.second.start()
    stage.wait(lambda: stage.tap.connected(SECOND), "the killed member did not return")
    with stage.uncommitted(SECOND):
        pass
    stage.second.stop()
    return unacknowledged


def standby_takes_over(stage: Stage, moments: random.Random, outage_s: float) -> int:
    """A standby under the same client id goes on where a killed collector stopped."""
    stage.standby.start()
    stage.wait(lambda: stage.standby.says("standing by"), "the standby does not stand by")
    with stage.uncommitted(COLLECTOR) as unacknowledged:
        stage.collector.kill()
    stage.wait(lambda: stage.tap.connected(COLLECTOR), "the standby did not take over")
    # From here on the one who took over is the collector.
    stage.collector, stage.standby = stage.standby, stage.collector
    return unacknowledged


def _wire_kinds() -> dict[str, Break]:
    kinds: dict[str, Break] = {}
    for wire in (
        "publisher-broker",
        "collector-broker",
        "collector-database",
        "processor-database",
    ):
        kinds[f"{wire} cut"] = partial(cut, wire)
        kinds[f"{wire} stalled"] = partial(stalled, wire)
    return kinds


KINDS: dict[str, Break] = {
    "collector killed": collector_killed,
    "database killed": database_killed,
    "broker killed": broker_killed,
    "sessions forgotten": sessions_forgotten,
    **_wire_kinds(),
    "collector-broker slow": partial(slow, "collector-broker"),
    "collector-database slow": partial(slow, "collector-database"),
    "answer lost": answer_lost,
    "commit unanswered": commit_unanswered,
    "database refuses": database_refuses,
    "entry refused": entry_refused,
    "disk full": disk_full,
    "clock forward": partial(clock_steps, 1),
    "clock back": partial(clock_steps, -1),
    "standby takes over": standby_takes_over,
}
"""Every kind by its name in the report."""

SHARED_KINDS: dict[str, Break] = {
    "member leaves": member_leaves,
    "member killed": member_killed,
}
"""Those that need a shared subscription."""


def _join(stage: Stage) -> None:
    stage.second.start()
    stage.wait(
        lambda: stage.tap.connected(SECOND) and stage.tap.served(SECOND) > 0,
        "the second collector did not get a share",
    )


def _set_clock(stage: Stage, step_s: float) -> None:
    new = stage.clock.with_suffix(".new")
    new.write_text(str(step_s))
    new.replace(stage.clock)


def _at_rest(stage: Stage) -> bool:
    """No collector has a statement under way: it was carried out, or waits for the next."""
    with psycopg.connect(stage.conninfo, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
            " AND application_name LIKE %s AND wait_event_type IS DISTINCT FROM 'Client'",
            [f"{COLLECTING}%"],
        ).fetchone()
    return row == (0,)


def _complaints(stage: Stage) -> int:
    return stage.stack.postgres.log.read_text(errors="replace").count("No space left on device")


def _no_port(stage: Stage) -> Callable[[], None]:
    stage.collector_database.refuse()
    return stage.collector_database.allow


def _no_entry(stage: Stage) -> Callable[[], None]:
    rules = stage.stack.postgres.data / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"host {DATABASE} all 127.0.0.1/32 reject\n{before}")
    _elsewhere(stage, "SELECT pg_reload_conf()")
    _end_connections(stage)

    def mend() -> None:
        rules.write_text(before)
        _elsewhere(stage, "SELECT pg_reload_conf()")

    return mend


def _no_connections(stage: Stage) -> Callable[[], None]:
    _elsewhere(stage, f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS false")
    _end_connections(stage)
    return lambda: _elsewhere(stage, f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS true")


def _end_connections(stage: Stage) -> None:
    _elsewhere(
        stage,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = '{DATABASE}' AND application_name LIKE 'beffroi%'",
    )


def _elsewhere(stage: Stage, statement: str) -> None:
    address = stage.conninfo.removesuffix(DATABASE) + "postgres"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement.encode())
