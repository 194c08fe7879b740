"""Whatever the database or the words typed are like, a command ends in a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from collections.abc import Iterator

import psycopg
import pytest

from beffroi.__main__ import main


@pytest.fixture
def nobody(connection: psycopg.Connection) -> Iterator[dict[str, str]]:
    """Variables of a role that may log in, and nothing else."""
    connection.execute("CREATE ROLE beffroi_nobody LOGIN PASSWORD 'odd'")
    yield {"PGUSER": "beffroi_nobody", "PGPASSWORD": "odd"}
    connection.execute("DROP ROLE beffroi_nobody")


def beffroi(*words: str | bytes, **variables: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "beffroi", *words],
        env=os.environ | variables, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize("words", [("refusals", "list"), ("readings", "log")])
def test_a_missing_right_is_told(nobody: dict[str, str], words: tuple[str, ...]):
    assert beffroi(*words, **nobody) == (
        1, "beffroi: permission denied for schema pipeline\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    "words", [("refusals", "list", "--sensor"), ("readings", "log", "--sensor")]
)
def test_bytes_that_are_no_text_are_told(connection: psycopg.Connection, words: tuple[str, ...]):
    status, told = beffroi(*words, b"\xff")

    assert (status, told) == (2, "beffroi: the command line holds bytes that are not UTF-8\n")


def test_a_database_that_is_not_there_is_told():
    for port in ("1", "odd"):
        status, told = beffroi("refusals", "list", PGHOST="127.0.0.1", PGPORT=port)

        assert status == 1
        assert told.startswith("beffroi: the database that PG* names does not answer: ")


def test_ctrl_c_while_the_program_loads_ends_it_without_a_word(monkeypatch: pytest.MonkeyPatch):
    class Loading(types.ModuleType):
        def __getattr__(self, name: str) -> None:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "beffroi.cli", Loading("beffroi.cli"))

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 130
