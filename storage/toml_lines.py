"""On which line of a TOML text everything stands, which the parser of the library forgets.

The text is valid TOML, since it was parsed before; so only structure is looked for.
"""

from __future__ import annotations

import re
import tomllib
from typing import NamedTuple

Path = tuple[str | int, ...]
_KEY = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|[A-Za-z0-9_-]+')
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL
)
_BARE = re.compile(r"[^\s,\]}#]+(?: [0-9][^\s,\]}#]*)?")
_BLANK = re.compile(r"(?:\s|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")


def lines(text: str) -> dict[Path, int]:
    """Every table, key and item of a list, with the line where it begins."""
    return _Scan(text).whole()


def line_of(text: str, where: Path) -> int:
    """The line of a value, or of the innermost table around it that stands there.

    Parts of ``where`` that are not in the text are passed over; without any that is, it is
    the last line.
    """
    known = lines(text)
    found: Path = ()
    for part in where:
        if (*found, part) in known:
            found = (*found, part)
        elif isinstance(part, str) and (*found, *part.split(".")) in known:
            found = (*found, *part.split("."))  # a dotted name that TOML reads as tables
    return known.get(found, max(1, len(text.splitlines())))


class _Place(NamedTuple):
    path: Path
    at: int


class _Scan:
    """One pass from the first character to the last."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._found: dict[Path, int] = {}
        self._lists: dict[Path, int] = {}
        self._line = 1
        self._counted = 0

    def whole(self) -> dict[Path, int]:
        at, table = self._skip(0), Path()
        while at < len(self._text):
            if self._text[at] == "[":
                table, at = self._header(at)
            else:
                at = self._pair(table, at)
            at = self._skip(at)
        return self._found

    def _note(self, path: Path, at: int) -> None:
        # Places only ever go forward, so that line ends are counted once.
        if at > self._counted:
            self._line += self._text.count("\n", self._counted, at)
            self._counted = at
        for end in range(1, len(path) + 1):
            self._found.setdefault(path[:end], self._line)

    def _skip(self, at: int) -> int:
        found = _BLANK.match(self._text, at)
        return found.end() if found else at

    def _space(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        return found.end() if found else at

    def _keys(self, at: int) -> tuple[list[str], int]:
        """Dotted names, and the place after them."""
        names = []
        while found := _KEY.match(self._text, self._space(at)):
            names.append(_unquoted(found[0]))
            at = self._space(found.end())
            if self._text[at : at + 1] != ".":
                break
            at += 1
        return names, at

    def _header(self, at: int) -> _Place:
        of_list = self._text.startswith("[[", at)
        names, end = self._keys(at + 1 + of_list)
        path: Path = ()
        for name in names[:-1] if of_list else names:
            path = (*path, name)
            if path in self._lists:
                path = (*path, self._lists[path])
        if of_list:
            path = (*path, names[-1])
            self._lists[path] = self._lists.get(path, -1) + 1
            path = (*path, self._lists[path])
        self._note(path, at)
        return _Place(path, end + 1 + of_list)

    def _pair(self, table: Path, at: int) -> int:
        names, end = self._keys(at)
        path = (*table, *names)
        self._note(path, at)
        return self._value(path, self._space(end + 1))

    def _value(self, path: Path, at: int) -> int:
        """The place after a value; its members are noted."""
        if self._text.startswith("[", at):
            number, at = 0, self._skip(at + 1)
            while not self._text.startswith("]", at) and at < len(self._text):
                self._note((*path, number), at)
                at = self._comma(self._value((*path, number), at))
                number += 1
            return at + 1
        if self._text.startswith("{", at):
            at = self._skip(at + 1)
            while not self._text.startswith("}", at) and at < len(self._text):
                at = self._comma(self._pair(path, at))
            return at + 1
        found = _STRING.match(self._text, at) or _BARE.match(self._text, at)
        return found.end() if found else at + 1

    def _comma(self, at: int) -> int:
        at = self._skip(at)
        return self._skip(at + 1) if self._text.startswith(",", at) else at


def _unquoted(name: str) -> str:
    if name[:1] not in "\"'":
        return name
    return next(iter(tomllib.loads(f"{name} = 0")))
