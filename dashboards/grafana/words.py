"""Codes of the database in the reader's language, as SQL that a page's query is made of."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.grafana.text import LANGUAGES, Text


def words(column: str, known: Mapping[str, Text]) -> str:
    """A column's codes as words; a code that nobody knows stays as it is.

    >>> print(words("kind", {"jump": {"fr": "saut d'un jour", "en": "jump", "de": "Sprung"}}))
    CASE '@language ' || kind
         WHEN 'fr jump' THEN 'saut d''un jour'
         WHEN 'en jump' THEN 'jump'
         WHEN 'de jump' THEN 'Sprung'
         ELSE kind END
    """
    lines = [
        f"     WHEN '{language} {code}' THEN '{quoted(said[language])}'"
        for code, said in known.items()
        for language in LANGUAGES
    ]
    return "\n".join([f"CASE '@language ' || {column}", *lines, f"     ELSE {column} END"])


def quoted(text: str) -> str:
    """Text as it stands between quotes in SQL."""
    return text.replace("'", "''")
