"""What differs between two objects, field by field, for people to read; pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One field; ``None`` of `before` or `after`: it is not there."""

    path: str
    before: Any
    after: Any

    def lines(self) -> list[str]:
        """For people: short values beside each other, long text line by line."""
        if isinstance(self.before, str) and isinstance(self.after, str) and (
            "\n" in self.before + self.after
        ):  # fmt: skip
            told = difflib.unified_diff(
                self.before.splitlines(), self.after.splitlines(), lineterm="", n=1
            )
            return [f"{self.path}:", *("    " + line for line in list(told)[2:])]
        return [f"{self.path}: {_short(self.before)} → {_short(self.after)}"]


def changes(before: Any, after: Any) -> list[Change]:
    """From `before` to `after`; things in lists are told apart by what names them.

    >>> [one.path for one in changes({"panels": [{"title": "A", "unit": "h"}]},
    ...                              {"panels": [{"title": "A", "unit": "min"}]})]
    ['panels[A].unit']
    """
    return list(_changes("", before, after))


def _changes(path: str, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _changes(
                f"{path}.{key}" if path else str(key),
                before.get(key, _ABSENT), after.get(key, _ABSENT),
            )  # fmt: skip
    elif isinstance(before, list) and isinstance(after, list) and (names := _names(before, after)):
        old, new = (dict(zip(keys, side, strict=True)) for keys, side in names)
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _changes(f"{path}[{key}]", old.get(key, _ABSENT), new.get(key, _ABSENT))
    elif before != after:
        yield Change(path, _plain(before), _plain(after))


def _names(*sides: list[Any]) -> list[tuple[list[str], list[Any]]] | None:
    """What tells the things of two lists apart; ``None`` where nothing does."""
    for name in ("title", "name", "refId", "id"):
        keys = [[str(one.get(name, "")) for one in side if isinstance(one, dict)] for side in sides]
        if all(
            len(side) == len(found) == len(set(found)) and "" not in found
            for side, found in zip(sides, keys, strict=True)
        ) and any(sides):  # fmt: skip
            return list(zip(keys, sides, strict=True))
    return None


def _plain(value: Any) -> Any:
    return None if value is _ABSENT else value


def _short(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, dict) and (title := value.get("title") or value.get("name")):
        return f"“{title}”"
    text = str(value)
    return text if len(text) <= 100 else text[:99] + "…"
