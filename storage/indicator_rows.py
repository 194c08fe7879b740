"""The table of indicators, derived from the catalogue."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from storage.indicators.word import Indicator

_COLUMNS = (
    "domain", "subject", "period", "unit", "label_fr", "label_en", "label_de", "source", "methods",
    "words", "bits", "public", "classes",
)  # fmt: skip


def save_indicators(connection: psycopg.Connection, indicators: Sequence[Indicator]) -> None:
    """Make the table say what the catalogue says; what is no longer in it stays, with its figures.

    Only what is new is inserted: an insert that meets a row uses up a number all the same, of
    which there are 32,767.
    """
    names = ", ".join(_COLUMNS)
    there = {name for (name,) in connection.execute("SELECT indicator FROM city.indicator")}
    rows = [
        (
            one.domain, one.subject, one.period, one.unit, one.labels["fr"], one.labels["en"],
            one.labels["de"], one.source, list(one.methods), list(one.words), one.bits, one.public,
            list(one.classes), one.name,
        )
        for one in indicators
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(
            f"""
            INSERT INTO city.indicator ({names}, indicator)
            VALUES (%s{", %s" * len(_COLUMNS)})
            ON CONFLICT (indicator) DO NOTHING
            """.encode(),
            [row for row in rows if row[-1] not in there],
        )
        cursor.executemany(
            f"""
            UPDATE city.indicator
               SET ({names}) = (%s{", %s" * (len(_COLUMNS) - 1)})
             WHERE indicator = %s
            """.encode(),
            [row for row in rows if row[-1] in there],
        )
