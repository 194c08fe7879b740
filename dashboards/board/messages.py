"""Which texts the board says, and which of them a language lacks.

``python -m dashboards messages`` brings every file of a language up to date with the texts in
code and templates; what is already translated stays.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from dashboards.board.language import catalogue
from dashboards.board.views.catalogue import views
from dashboards.settings import Settings

BOARD = Path(__file__).parent

# Titles of views, and their words in menus, stand in constants and are said by the pages.
_KEYWORDS: dict[str, tuple[int, ...] | None] = {"say": None, "count": (1, 2)}
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]


@dataclass(frozen=True, slots=True)
class Lack:
    """A text that a language does not say; `where` it stands in the code."""

    text: str
    where: str


def texts() -> Catalog:
    """Every text of the board, as a catalogue without translations."""
    found = Catalog(charset="utf-8")
    for name, _line, text, _comments, _context in extract_from_dir(
        BOARD, _METHODS, keywords=_KEYWORDS
    ):
        if text:
            found.add(text, locations=[(name, 0)])
    for view in views(Settings()).values():
        for text in filter(None, (view.title, view.short)):
            found.add(text, locations=[(f"views/{view.name}.py", 0)])
    return found


def lacking(code: str) -> Iterator[Lack]:
    """What the file of that language leaves untranslated."""
    said = catalogue(code)
    for wanted in texts():
        if wanted.id and not _translated(said.get(wanted.id)):
            first = wanted.id if isinstance(wanted.id, str) else wanted.id[0]
            yield Lack(first, wanted.locations[0][0])


def renewed(code: str) -> str:
    """The file of that language with exactly the texts there are, in their order."""
    said, wanted = catalogue(code), texts()
    fresh = Catalog(
        locale=code, project="Beffroi", charset="utf-8", header_comment="",
        fuzzy=False, revision_date=None, creation_date=None,
    )  # fmt: skip
    for message in sorted((m for m in wanted if m.id), key=lambda m: m.locations[0][0]):
        known = said.get(message.id)
        kept = known.string if known and _translated(known) else ""
        fresh.add(message.id, kept, locations=message.locations[:1])
    written = io.BytesIO()
    write_po(written, fresh, width=0, include_lineno=False, omit_header=True)
    return _HEAD.format(code=code, plural=fresh.plural_forms) + written.getvalue().decode()


def renew() -> Iterator[Path]:
    """Write every file anew; tells which."""
    for path in sorted((BOARD / "locale").glob("*.po")):
        path.write_text(renewed(path.stem), "utf-8")
        yield path


_HEAD = """msgid ""
msgstr ""
"Project-Id-Version: Beffroi\\n"
"Language: {code}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural}\\n"

"""


def _translated(message: Message | None) -> bool:
    if message is None or not message.string:
        return False
    return all((message.string,) if isinstance(message.string, str) else message.string)
