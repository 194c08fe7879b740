"""Bytes → rows of text cells: encodings, compression, CSV and JSON."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from collector.replay.mapping import Mapping
from storage.mistakes import Mistake, MistakesError


class Row(NamedTuple):
    """The cells of the columns a mapping reads; None where a cell says nothing at all.

    ``present`` and ``wanted`` count the cells of the row and the columns of the file.
    ``line`` is, in JSON, the number of the record, from 1.
    """

    line: int
    cells: dict[str, str | None]
    present: int
    wanted: int


def rows(mapping: Mapping, file: Path) -> Iterator[Row]:
    """Every row of a file, in file order."""
    kind = mapping.file
    zipped = kind.compression == "gzip" or (
        kind.compression == "suffix" and file.suffix.lower() == ".gz"
    )
    # A byte order mark is no part of the first column's name.
    encoding = "utf-8-sig" if kind.encoding.lower() in ("utf-8", "utf8") else kind.encoding
    try:
        content = file.read_bytes()
        text = (gzip.decompress(content) if zipped else content).decode(encoding)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        what = f"cannot be read ({error}); check encoding and compression in {mapping.path}"
        raise MistakesError([Mistake(str(file), 1, what)]) from error
    yield from (_records if kind.kind == "json" else _lines)(mapping, file, text)


def _lines(mapping: Mapping, file: Path, text: str) -> Iterator[Row]:
    kind = mapping.file
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=kind.separator, strict=True)
    try:
        header = list(kind.header) or next(reader, [])
        names = mapping.columns()
        if absent := [name for name in names if name not in header]:
            there = ", ".join(map(repr, header))
            raise MistakesError(
                [
                    Mistake(
                        str(file),
                        1,
                        f"has no column {name!r}, only {there}; correct {mapping.path}",
                    )
                    for name in absent
                ]
            )
        places = [(name, header.index(name)) for name in names]
        for row in reader:
            if not row:
                continue
            full = row + [""] * (len(header) - len(row))
            cells: dict[str, str | None] = {name: full[at] for name, at in places}
            yield Row(reader.line_num, cells, len(row), len(header))
    except csv.Error as error:
        what = f"this is not CSV: {error}; check the separator in {mapping.path}"
        raise MistakesError([Mistake(str(file), reader.line_num, what)]) from error


def _records(mapping: Mapping, file: Path, text: str) -> Iterator[Row]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        what = f"this is not JSON: {error.msg}; check kind in {mapping.path}"
        raise MistakesError([Mistake(str(file), error.lineno, what)]) from error
    where = mapping.file.records
    if where:
        found = _at(found, where)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        what = f"holds no list of objects at {where!r}; correct records in {mapping.path}"
        raise MistakesError([Mistake(str(file), 1, what)])
    names = mapping.columns()
    for number, record in enumerate(found, 1):
        yield Row(number, {name: _text(_at(record, name)) for name in names}, 0, 0)


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str | None:
    if value is None:
        return None
    # Booleans are words in JSON, and no numbers.
    return json.dumps(value) if isinstance(value, bool) else str(value)
