"""A city of two territories and the roles that may look at it, each with a password of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from beffroi.embedded.testing import TestCluster
from storage.readers import drop_reader, ensure_reader
from tests.benchmarks.wide_city import build

SCRIPT = Path(__file__).parents[2] / "deploy" / "database" / "readers.sql"
ONE, OTHER = "99001", "08999001"


@dataclass(frozen=True)
class Readers:
    """The owner's address, and that of every role by what it is."""

    owner: str
    address: dict[str, str]

    @contextmanager
    def as_role(self, who: str) -> Iterator[psycopg.Connection]:
        """A session that may write as far as rights go: read-only is a default, no protection."""
        with psycopg.connect(self.address[who], autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            yield connection


def role_names(suffix: str) -> dict[str, str]:
    return {
        "one territory": f"reader_one_{suffix}",
        "another territory": f"reader_other_{suffix}",
        "no row": f"reader_none_{suffix}",
    }


@contextmanager
def readers_of(cluster: TestCluster) -> Iterator[Readers]:
    """The board, Grafana for everything, one territory, another one, and one without a row."""

    def fill(conninfo: str) -> None:
        with psycopg.connect(conninfo) as connection:
            build(connection, most=2, days=2)

    conninfo = cluster.clone(cluster.template("two_territories", fill))
    suffix = conninfo.rpartition("_")[2]
    names = role_names(suffix)
    reads = {"one territory": [ONE], "another territory": [OTHER], "no row": []}
    rest = conninfo.partition("@")[2]
    try:
        run_script(cluster, conninfo)
        address = {
            "board": f"postgresql://beffroi_board:b1@{rest}",
            "grafana": f"postgresql://beffroi_grafana:g1@{rest}",
        }
        with psycopg.connect(conninfo, autocommit=True) as connection:
            for who, role in names.items():
                made = ensure_reader(connection, role, reads[who], new_password=True)
                address[who] = f"postgresql://{role}:{made.password}@{rest}"
        yield Readers(conninfo, address)
    finally:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            for role in names.values():
                drop_reader(connection, role)
            for role in ("beffroi_board", "beffroi_grafana"):
                if connection.execute(
                    "SELECT 1 FROM pg_roles WHERE rolname = %s", [role]
                ).fetchone():
                    connection.execute(
                        sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(role))
                    )
        cluster.drop(conninfo)


def run_script(cluster: TestCluster, conninfo: str) -> None:
    """The shipped script, by the psql of the same server."""
    subprocess.run(
        [cluster.postgres.binaries / "psql", "--no-psqlrc", "--quiet", f"--file={SCRIPT}", conninfo],
        check=True, timeout=60,
        env={**os.environ, "BEFFROI_BOARD_PASSWORD": "b1", "BEFFROI_GRAFANA_DB_PASSWORD": "g1"},
    )  # fmt: skip
