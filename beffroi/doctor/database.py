"""What `beffroi doctor` reads in the database: is it there, current, fed and emptied."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from beffroi.doctor.broker import Observed
from beffroi.doctor.finding import Finding, Level, span, verdict
from collector.source import NO_EXPIRY
from collector.topics import topic_filter
from storage.migrate import migrations

_CONNECT_S = 5
_STATEMENT_S = 3
_LATE_S = 900
_UNSEEN_S = 120
_NAMED = 5


class Database:
    """The checks, and what they find out for those of the broker.

    ``filters`` are the topic filters that collectors listen to; ``observed`` what the ledger
    received in the last day, ``None`` where it cannot be read.
    """

    def __init__(self) -> None:
        self.filters: list[str] = []
        self.observed: Observed | None = None

    def examine(self) -> Iterator[Finding]:
        """Run every check, as far as the database lets us."""
        try:
            connection = psycopg.connect(connect_timeout=_CONNECT_S, autocommit=True)
        except psycopg.OperationalError as error:
            yield Finding(
                "database", Level.BAD, str(error).strip().splitlines()[0],
                "set PGHOST, PGPORT, PGUSER, PGDATABASE and PGPASSFILE, or start one:"
                " beffroi up --dir DIR",
            )  # fmt: skip
            return
        try:
            with connection:
                connection.execute(f"SET statement_timeout = '{_STATEMENT_S}s'")
                yield from self._all(connection)
        except psycopg.errors.QueryCanceled:
            yield Finding(
                "database", Level.NOTE, f"a question was not answered within {_STATEMENT_S} s",
                "it is busy; try again later",
            )  # fmt: skip
        except psycopg.OperationalError as error:
            yield Finding("database", Level.BAD, str(error).strip().splitlines()[0],
                          "it went away in between; see its log")  # fmt: skip
        except psycopg.errors.InsufficientPrivilege as error:
            yield Finding(
                "database", Level.NOTE, str(error).splitlines()[0],
                "ask with the owner's or the collector's PGUSER for the checks that are missing",
            )  # fmt: skip

    def _all(self, connection: psycopg.Connection) -> Iterator[Finding]:
        version = connection.info.server_version
        yield verdict(
            "database", version >= 150000, f"PostgreSQL {version // 10000}.{version % 10000}",
            "PostgreSQL 15 or newer is needed",
        )  # fmt: skip
        row = connection.execute(
            "SELECT installed_version, default_version FROM pg_available_extensions"
            " WHERE name = 'timescaledb'"
        ).fetchone()
        if row is None:
            yield Finding("timescaledb", Level.BAD, "not installed on the server",
                          "install the timescaledb package for this PostgreSQL")  # fmt: skip
            return
        yield Finding(
            "timescaledb", Level.OK, f"{row[0] or row[1]}" + ("" if row[0] else ", not enabled yet")
        )
        schema = _schema(connection)
        yield schema
        if not schema.well:
            return
        topics = connection.execute("SELECT topic FROM city.binding").fetchall()
        self.filters = [topic_filter(topic) for (topic,) in topics]
        yield from _flow(connection)
        yield from _stranded(connection)
        self.observed = _observed(connection)
        yield from _unprotected(connection)


def _schema(connection: psycopg.Connection) -> Finding:
    known = connection.execute("SELECT to_regclass('public.migration') IS NOT NULL").fetchone()
    newest = migrations()[-1]
    applied = 0
    if known and known[0]:
        row = connection.execute("SELECT coalesce(max(number), 0) FROM public.migration").fetchone()
        applied = row[0] if row else 0
    if applied != newest[0]:
        return Finding(
            "schema", Level.BAD, f"at migration {applied} of {newest[0]}", "run: beffroi migrate"
        )
    return Finding("schema", Level.OK, f"current, migration {applied}")


def _flow(connection: psycopg.Connection) -> Iterator[Finding]:
    counts = connection.execute(
        """
        SELECT (SELECT count(*) FROM city.series),
               extract(epoch FROM now() - greatest(
                   (SELECT max(committed_at) FROM pipeline.batch),
                   (SELECT max(committed_at) FROM pipeline.attempt),
                   (SELECT max(hour) FROM pipeline.sensor_hour))),
               (SELECT count(*) FROM pipeline.dirty)
        """
    ).fetchone()
    assert counts is not None
    series, age, marks = counts
    yield verdict(
        "registry", series > 0, f"{series} series registered",
        "register your sensors: beffroi register city.toml",
    )  # fmt: skip
    if age is None:
        yield Finding("collector", Level.BAD, "nothing was ever received",
                      "start it: beffroi collect; then see that sensors publish")  # fmt: skip
    else:
        yield verdict(
            "collector", age <= _LATE_S, f"last message stored {span(float(age))} ago",
            "see that the collector runs and sensors publish",
        )  # fmt: skip
    yield verdict(
        "processor", marks < 100_000, f"{marks} marks wait to be rolled up",
        "see that the processor runs: beffroi process",
    )  # fmt: skip


def _stranded(connection: psycopg.Connection) -> Iterator[Finding]:
    """Sessions whose collector neither runs nor has left for good."""
    rows = connection.execute(
        """
        SELECT client_id, share_group, extract(epoch FROM now() - seen_at)::float8,
               session_expiry_s
          FROM pipeline.collector
         WHERE left_at IS NULL AND seen_at < now() - make_interval(secs => %s)
         ORDER BY seen_at
        """,
        [_UNSEEN_S],
    ).fetchall()
    for client_id, group, unseen_s, expiry_s in rows:
        who = f"{client_id} (group {group})" if group else client_id
        last = f"{who} was last seen {span(unseen_s)} ago and never left"
        leave = f"COLLECTOR_CLIENT_ID={client_id} beffroi collect --leave"
        if expiry_s < NO_EXPIRY and unseen_s > expiry_s:
            yield Finding(
                "stranded session", Level.BAD,
                f"{last}: its session has expired after {span(expiry_s)}, and what the broker kept"
                " for it since then is gone",
                f"see how much is missing, then strike it off: {leave}",
            )  # fmt: skip
        else:
            keeps = "its share of the messages" if group else "what is published"
            yield Finding(
                "stranded session", Level.BAD,
                f"{last}: its session keeps {keeps}",
                f"start it again, or drain it: {leave}",
            )  # fmt: skip


def _observed(connection: psycopg.Connection) -> Observed | None:
    """How much came in the last day, or since the first message."""
    row = connection.execute(
        """
        WITH since AS (
            SELECT greatest(date_trunc('hour', now() - interval '1 day'), least(
                       (SELECT min(committed_at) FROM pipeline.batch),
                       (SELECT min(hour) FROM pipeline.sensor_hour))) AS start)
        SELECT (SELECT sum(messages_received)::bigint FROM pipeline.ledger
                 WHERE hour >= date_trunc('hour', start)),
               extract(epoch FROM now() - start)::float8
          FROM since
        """
    ).fetchone()
    return Observed(int(row[0]), row[1]) if row and row[0] and row[1] else None


def _unprotected(connection: psycopg.Connection) -> Iterator[Finding]:
    """Sensors that publish at QoS 0."""
    rows = connection.execute(
        """
        SELECT s.code, sum(l.messages_qos0)::bigint AS messages, count(*) OVER () AS sensors
          FROM pipeline.ledger l JOIN city.sensor s USING (sensor_id)
         WHERE l.hour >= date_trunc('hour', now() - interval '1 day') AND l.messages_qos0 > 0
         GROUP BY s.code ORDER BY messages DESC, s.code LIMIT %s
        """,
        [_NAMED],
    ).fetchall()
    if not rows:
        return
    sensors = rows[0][2]
    names = ", ".join(f"{code} ({messages:,} messages)" for code, messages, _ in rows)
    more = f" and {sensors - len(rows):,} more" if sensors > len(rows) else ""
    yield Finding(
        "QoS 0", Level.NOTE,
        f"{names}{more} published at QoS 0 in the last 24 h: nothing protects these messages, on"
        " no part of their way",
        "set those sensors to QoS 1",
    )  # fmt: skip
