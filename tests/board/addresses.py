"""Every page that people can open, and how to ask for it."""

from __future__ import annotations

from urllib.parse import urlencode

from dashboards.board.language import codes
from dashboards.board.views.catalogue import views
from dashboards.settings import Settings

THEMES = ("light", "dark")
LANGUAGES = codes()

VIEWS = {
    name: "/" if number == 0 else f"/{name}" for number, name in enumerate(views(Settings()))
}  # fmt: skip

# Pages besides views: they say the same in every state of the city.
OTHERS = ("/method", "/method/no2", "/accessibility", "/screens")

# Of the screens in tests/board/city.py: one of a hall, one of a school; pages of their own kind.
SCREENS = ("/screen/hall", "/screen/school")


def asked(path: str, *, language: str = "", theme: str = "", territory: str = "") -> str:
    """The address with what is asked for."""
    given = {"lang": language, "theme": theme, "territory": territory}
    query = urlencode({name: value for name, value in given.items() if value})
    return f"{path}?{query}" if query else path
