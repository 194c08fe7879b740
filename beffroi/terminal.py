"""The standard output of commands that print tables."""

from __future__ import annotations

from rich.console import Console


def output(kept_width: int) -> Console:
    """As wide as the terminal; where it is kept in a file, wide enough for every column."""
    console = Console()
    return console if console.is_terminal else Console(width=kept_width)
