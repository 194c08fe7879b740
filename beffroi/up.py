"""`beffroi up` and `beffroi env`: a whole installation in one directory."""

from __future__ import annotations

import json
import os
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from rich.console import Console

from beffroi.embedded.errors import EmbeddedError
from beffroi.embedded.stack import Stack
from beffroi.mistakes import NotRunningError
from beffroi.programs import Programs, state_file
from beffroi.progress import fetching
from storage.city import City
from storage.migrate import migrate
from storage.registry import Registered, register


@contextmanager
def installation(
    directory: Path, console: Console, *, board_port: int | None = None, city: City | None = None
) -> Iterator[tuple[Stack, Programs, Registered | None]]:
    """The embedded stack, migrated and registered, with all programs running on it."""
    with fetching(console) as listener:
        stack = Stack(directory, progress=listener)
        stack.start()
    try:
        os.environ.update(stack.environment())
        with psycopg.connect() as connection:
            applied = migrate(connection)
            registered = register(connection, city) if city else None
        if applied:
            console.print(f"Database ready: {len(applied)} migration(s) applied.")
        programs = Programs(stack, board_port=board_port, city_name=city.name if city else "")
        try:
            programs.start()
            yield stack, programs, registered
        finally:
            programs.stop()
    finally:
        stack.stop()


def keep_running(stack: Stack, programs: Programs, stop: threading.Event, console: Console) -> None:
    """Wait for ``stop``; start again whatever ends by itself."""
    while not stop.wait(1.0):
        look_after(stack, programs, console)


def look_after(stack: Stack, programs: Programs, console: Console) -> None:
    """Start again whatever has ended by itself. To be called now and then."""
    try:
        revived = stack.revive()
        programs.restarted += len(revived)
        names = revived + programs.watch()
    except EmbeddedError as error:
        # Told, and tried again a moment later: what ended may still hold its port.
        console.print(str(error))
        return
    for name in names:
        console.print(f"'{name}' had ended and was started again.")


def environment_of(directory: Path) -> dict[str, str]:
    """Variables of the installation that runs in ``directory``.

    Raises
    ------
    NotRunningError
        Where none runs.
    """
    programs, stack = state_file(directory), directory / "stack.json"
    if not programs.exists() or not stack.exists():
        raise NotRunningError(
            f"nothing runs in {directory}; start it with: beffroi up --dir {directory}"
        )
    state = json.loads(programs.read_text())
    if not Path(f"/proc/{state['pid']}").exists():
        raise NotRunningError(
            f"the installation in {directory} was killed; start it again with:"
            f" beffroi up --dir {directory}"
        )
    environment: dict[str, str] = state["environment"]
    return environment | {"BEFFROI_BOARD_URL": state["board_url"]}


def as_exports(environment: dict[str, str]) -> str:
    """Lines for a shell's ``eval``."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in environment.items())
