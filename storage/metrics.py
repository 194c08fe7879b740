"""The metric table, derived from the catalogue."""

from __future__ import annotations

import psycopg

from storage.catalogue import Metric


def save_metrics(connection: psycopg.Connection, metrics: tuple[Metric, ...]) -> None:
    """Make the metric table say what the catalogue says."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO city.metric (metric, domain, unit, kind, low, high, label_fr, label_en,
                                     label_de, spike, rate_per_h, flat_h, public_step_s)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (metric) DO UPDATE
               SET (low, high, label_fr, label_en, label_de, spike, rate_per_h, flat_h,
                    public_step_s)
                 = (excluded.low, excluded.high, excluded.label_fr, excluded.label_en,
                    excluded.label_de, excluded.spike, excluded.rate_per_h, excluded.flat_h,
                    excluded.public_step_s)
            """,
            [
                (
                    m.name, m.domain, m.unit, m.kind, m.low, m.high, m.labels["fr"],
                    m.labels["en"], m.labels["de"], m.spike, m.rate_per_h, m.flat_h,
                    m.public_step_s,
                )
                for m in metrics
            ],
        )  # fmt: skip
