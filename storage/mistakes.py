"""Files that people write, checked: every mistake with file, line and remedy, all at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to put right, and where."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


class MistakesError(Exception):
    """A file holds mistakes; the message lists all of them."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


M = TypeVar("M", bound=BaseModel)


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, without its byte order mark."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        what = f"cannot be read ({error}); it must be a UTF-8 text file"
        raise MistakesError([Mistake(str(path), 1, what)]) from error


def parse_toml(text: str, name: str, model: type[M]) -> M:
    """A TOML text as ``model``; ``name`` stands for the file in what is told."""
    for number, words in enumerate(text.splitlines(), 1):
        # The one character that no text in the database can hold.
        if "\0" in words or "\\u0000" in words or "\\U00000000" in words:
            raise MistakesError([Mistake(name, number, "holds a NUL character; remove it")])
    try:
        return model.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        raise MistakesError([Mistake(name, line, f"this is not TOML: {error}")]) from error
    except ValidationError as error:
        raise MistakesError(
            [
                Mistake(name, line_of(text, problem["loc"]), plain(problem["loc"], problem["msg"]))
                for problem in error.errors()
            ]
        ) from error


def line_of(text: str, where: tuple[int | str, ...]) -> int:
    """The line of a TOML value; of its table where the key is missing, else the last."""
    table, rest = str(where[0]), where[1:]
    index = rest[0] if rest and isinstance(rest[0], int) else 0
    key = next((part for part in rest if isinstance(part, str)), None)
    lines = text.splitlines()
    headers = [
        number
        for number, line in enumerate(lines)
        if re.match(rf"\s*\[\[?\s*{re.escape(table)}\b", line)
    ]
    if index >= len(headers):
        return max(1, len(lines))
    for number in range(headers[index] + 1, len(lines)):
        if lines[number].lstrip().startswith("["):
            break
        if key and re.match(rf"\s*\"?{re.escape(key)}\"?\s*=", lines[number]):
            return number + 1
    return headers[index] + 1


def plain(where: Iterable[int | str], message: str) -> str:
    """What pydantic says, as a person would."""
    path = ".".join(str(part) for part in where if not isinstance(part, int))
    known = {
        "Field required": "is missing; add it",
        "Extra inputs are not permitted": "is not a known key; remove it or correct its spelling",
    }
    return f"{path}: {known.get(message, message.removeprefix('Value error, '))}"
