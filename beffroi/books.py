"""What went in and what became of it: sums of the ledger, and the tables counted anew."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import psycopg
from psycopg import sql

from storage.catalogue import DOMAINS


@dataclass(frozen=True, slots=True)
class Books:
    """The ledger's sums, and the same recounted from the tables themselves."""

    messages_received: int
    messages_decoded: int
    messages_refused: int
    readings_decoded: int
    readings_stored: int
    readings_duplicate: int
    readings_refused: int
    rows: int = 0
    refusal_rows: int = 0
    refused_message_rows: int = 0
    rollups: int = 0

    def since(self, earlier: Books) -> Books:
        """What happened after ``earlier`` was taken."""
        before = asdict(earlier)
        return Books(**{name: value - before[name] for name, value in asdict(self).items()})

    @property
    def balanced(self) -> bool:
        """Every message and reading is accounted for, on paper and in the tables."""
        return (
            self.messages_received == self.messages_decoded + self.messages_refused
            and self.readings_decoded
            == self.readings_stored + self.readings_duplicate + self.readings_refused
            and self.rows == self.readings_stored
            and self.refusal_rows == self.readings_refused
            and self.refused_message_rows == self.messages_refused
        )


def take(connection: psycopg.Connection) -> Books:
    """Sum and count in one snapshot."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        paper = sums(connection)
        row = connection.execute(
            "SELECT coalesce(sum(readings) FILTER (WHERE field <> ''), 0)::int8,"
            "       count(*) FILTER (WHERE field = '')"
            "  FROM pipeline.refusal"
        ).fetchone()
        assert row is not None
        return replace(
            paper,
            rows=_count(connection, ["reading"]),
            refusal_rows=row[0],
            refused_message_rows=row[1],
            rollups=_count(connection, ["rollup_15min", "rollup_1h", "rollup_1d"]),
        )


def sums(connection: psycopg.Connection) -> Books:
    """The ledger's side only; nothing is counted."""
    row = connection.execute(
        """
        SELECT coalesce(sum(messages_received), 0), coalesce(sum(messages_decoded), 0),
               coalesce(sum(messages_refused), 0), coalesce(sum(readings_decoded), 0),
               coalesce(sum(readings_stored), 0), coalesce(sum(readings_duplicate), 0),
               coalesce(sum(readings_refused), 0)
          FROM pipeline.ledger
        """
    ).fetchone()
    assert row is not None
    return Books(*map(int, row))


def _count(connection: psycopg.Connection, tables: list[str]) -> int:
    total = 0
    for domain in DOMAINS:
        for table in tables:
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(domain, table))
            row = connection.execute(query).fetchone()
            total += row[0] if row else 0
    return total
