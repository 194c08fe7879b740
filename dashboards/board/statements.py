"""Files of named SQL: a comment ``-- name --`` before each statement."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files


@cache
def statements(package: str, name: str) -> dict[str, str]:
    """The statements of ``<name>.sql`` in a package, by their names."""
    text = files(package).joinpath(f"{name}.sql").read_text("utf-8")
    pieces = re.split(r"^-- (\w+) --$", text, flags=re.MULTILINE)[1:]
    return dict(zip(pieces[::2], pieces[1::2], strict=True))
