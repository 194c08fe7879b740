"""What the publisher wrote down: published, sent again, acknowledged by the broker."""

from __future__ import annotations

from collections import Counter
from pathlib import Path


class Journal:
    """Reads the publisher's log as it grows."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._at = 0
        self._rest = b""
        self.published: list[str] = []
        self.resent: Counter[str] = Counter()
        self.acknowledged: set[str] = set()

    def read(self) -> Journal:
        """Take in what was written since the last time."""
        if not self._file.exists():
            return self
        with self._file.open("rb") as file:
            file.seek(self._at)
            data = file.read()
        self._at += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            event, _, name = line.decode().partition(" ")
            if event == "p":
                self.published.append(name)
            elif event == "r":
                self.resent[name] += 1
            elif event == "a":
                self.acknowledged.add(name)
        return self
