"""What commands print: how wide, and which letters."""

from __future__ import annotations

from rich.console import Console


def output(kept_width: int) -> Console:
    """As wide as the terminal; where it is kept in a file, wide enough for every column."""
    console = Console()
    return console if console.is_terminal else Console(width=kept_width)


def printable(text: str) -> str:
    """A sender's words must not move the cursor."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
