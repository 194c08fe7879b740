"""Files that people write, checked: every mistake with file, line and remedy, all at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from storage.toml_lines import line_of


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to put right, and where."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


_TOLD = 50
"""Of a file with more mistakes than these the first are told."""


class MistakesError(Exception):
    """A file holds mistakes; the message lists them."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        told = [str(one) for one in mistakes[:_TOLD]]
        if len(mistakes) > _TOLD:
            told.append(f"… and {len(mistakes) - _TOLD:,} more")
        super().__init__("\n".join(told))
        self.mistakes = mistakes


M = TypeVar("M", bound=BaseModel)


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, without its byte order mark."""
    line = 1
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        what = "there is no such file; check its name"
    except UnicodeDecodeError as error:
        line += error.object.count(b"\n", 0, error.start)
        what = "this is no UTF-8 text; save the file as UTF-8"
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
    raise MistakesError([Mistake(str(path), line, what)])


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
    except RecursionError as error:
        what = "holds tables or lists too deep within one another; write it flatter"
        raise MistakesError([Mistake(name, 1, what)]) from error
    except ValidationError as error:
        raise MistakesError(
            [
                Mistake(name, line_of(text, problem["loc"]), plain(problem["loc"], problem["msg"]))
                for problem in error.errors()
            ]
        ) from error


def plain(where: Iterable[int | str], message: str) -> str:
    """What pydantic says, as a person would."""
    path = ".".join(str(part) for part in where if not isinstance(part, int))
    known = {
        "Field required": "is missing; add it",
        "Extra inputs are not permitted": "is not a known key; remove it or correct its spelling",
        "Input should be a valid tuple": "is a list; write what it holds within [ ]",
        "Tuple should have at least 1 item after validation, not 0": "is empty; name one at least",
    }
    return f"{path}: {known.get(message, message.removeprefix('Value error, '))}"
