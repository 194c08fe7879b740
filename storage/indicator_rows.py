"""The table of indicators, derived from the catalogue."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from storage.indicators.word import Indicator

_COLUMNS = (
    "domain", "subject", "period", "unit", "label_fr", "label_en", "label_de", "source", "methods",
    "words", "bits", "public",
)  # fmt: skip


def save_indicators(connection: psycopg.Connection, indicators: Sequence[Indicator]) -> None:
    """Make the table say what the catalogue says; what is no longer in it stays, with its figures."""
    names = ", ".join(_COLUMNS)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"""
            INSERT INTO city.indicator (indicator, {names})
            VALUES (%s{", %s" * len(_COLUMNS)})
            ON CONFLICT (indicator) DO UPDATE
               SET ({names}) = ({", ".join(f"excluded.{name}" for name in _COLUMNS)})
            """.encode(),
            [
                (
                    one.name, one.domain, one.subject, one.period, one.unit, one.labels["fr"],
                    one.labels["en"], one.labels["de"], one.source, list(one.methods),
                    list(one.words), one.bits, one.public,
                )
                for one in indicators
            ],
        )  # fmt: skip
