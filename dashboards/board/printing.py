"""Sheets to HTML: the templates, and the words that frame every page."""

from __future__ import annotations

from urllib.parse import urlencode

import jinja2

from dashboards.board import language as languages
from dashboards.board.ground import Ground
from dashboards.board.known import Known
from dashboards.board.language import Language
from dashboards.board.method import Themes
from dashboards.board.views.view import View
from dashboards.settings import Settings

THEMES = ("light", "dark")


class Printing:
    """Prints pages; the same for everybody who asks for the same."""

    def __init__(self, settings: Settings, views: tuple[View, ...]) -> None:
        self._settings = settings
        self._views = views
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("dashboards.board"),
            autoescape=True, trim_blocks=True, lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )  # fmt: skip
        self._languages = {code: languages.language(code) for code in languages.codes()}

    def page(self, known: Known, ground: Ground, theme: str = "") -> str:
        """A view for telephones, desks and paper."""
        name = known.view.name
        path = "/" if name == self._views[0].name else f"/{name}"
        return self._sheet("page.html", known, ground, theme, path=path, events=True)

    def method(self, known: Known, ground: Ground, theme: str, name: str, entries: Themes) -> str:
        """How one figure is made, or the list of all whose method can be asked for."""
        path = f"/method/{name}" if name else "/method"
        return self._sheet("method.html", known, ground, theme, path=path, events=False,
                           entries=entries)  # fmt: skip

    def declaration(self, known: Known, ground: Ground, theme: str) -> str:
        """How accessible the board is, and what is known not to be."""
        return self._sheet("page.html", known, ground, theme, path="/accessibility", events=False)

    def _sheet(
        self, template: str, known: Known, ground: Ground, theme: str, **context: object
    ) -> str:
        asked = {"territory": known.where.code, "theme": theme if theme in THEMES else ""}
        return self._print(
            template, known.language, known=known, sheet=known.sheet, where=known.where,
            ground=ground, asked=asked, **context,
        )  # fmt: skip

    def screen(self, template: str, language: Language, **context: object) -> str:
        """A slide of a screen, its test pattern, or the list of screens."""
        return self._print(template, language, asked={}, **context)

    def nothing_yet(self, language: Language) -> str:
        """Where the database was never reached."""
        text = language.say("The data cannot be reached yet. This page tries again by itself.")
        return self._print("plain.html", language, text=text, back=False, asked={})

    def unknown(self, language: Language) -> str:
        """Where somebody asks for a place that is not here."""
        return self.plain(language, language.say("There is no such place here."))

    def plain(self, language: Language, text: str) -> str:
        """A sentence, and a way back."""
        return self._print("plain.html", language, asked={}, back=True, text=text)

    def _print(self, template: str, language: Language, *, asked: dict[str, str],
               **context: object) -> str:  # fmt: skip
        def link(path: str, **changes: str) -> str:
            """An address that keeps language, territory and theme, but for what changes."""
            lang = "" if language.code == self._settings.language else language.code
            query = {"lang": lang, **asked, **changes}
            kept = {name: value for name, value in query.items() if value}
            return f"{path}?{urlencode(kept)}" if kept else path

        return self._templates.get_template(template).render(
            language=language, say=language.say, link=link, settings=self._settings,
            theme=asked.get("theme", ""), languages=self._languages, views=self._views,
            home=self._views[0].name, **context,
        )  # fmt: skip
