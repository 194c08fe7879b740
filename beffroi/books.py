"""The books as one sum, for programs that compare before and after."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import psycopg
from psycopg import sql

from storage.audit import recount
from storage.balance import Counts, Held, differences
from storage.books import total
from storage.catalogue import DOMAINS


@dataclass(frozen=True)
class Books(Counts):
    """The ledger's sums, and the same recounted from the tables themselves."""

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
        held = Held(self.rows, self.refusal_rows, self.refused_message_rows)
        return not differences(self, held)


def take(connection: psycopg.Connection) -> Books:
    """Sum and count, in one snapshot; what people erased counts as held."""
    counts, held = recount(connection).total
    rollups = sum(
        _count(connection, domain, table)
        for domain in DOMAINS
        for table in ("rollup_15min", "rollup_1h", "rollup_1d")
    )
    return Books(
        **asdict(counts),
        rows=held.readings,
        refusal_rows=held.refused_readings,
        refused_message_rows=held.refused_messages,
        rollups=rollups,
    )


def sums(connection: psycopg.Connection) -> Books:
    """The ledger's side only; nothing is counted."""
    return Books(**asdict(total(connection)))


def _count(connection: psycopg.Connection, domain: str, table: str) -> int:
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(domain, table))
    row = connection.execute(query).fetchone()
    return row[0] if row else 0
