"""What a city says of its board, in the database and out again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from storage.outlines import Geometry
from storage.screens import Board, Said, Screen


def save_board(
    connection: psycopg.Connection[Any], said: Said, outlines: Mapping[str, Geometry] | None
) -> None:
    """Replace what the city's file speaks of, ``[board]`` and ``[[screen]]`` each; the rest stays.

    Outlines belong to ``[board]``: they go with a table that names none. ``None`` is a file that
    nobody read, which changes nothing.
    """
    told: dict[str, Any] = {}
    if said.board is not None:
        told["board"] = said.board.model_dump(mode="json", exclude_unset=True)
    if said.screens is not None:
        told["screen"] = [one.model_dump(mode="json", exclude_unset=True) for one in said.screens]
    if told:
        connection.execute(
            "INSERT INTO city.board AS b (said) VALUES (%s)"
            " ON CONFLICT (only_row) DO UPDATE SET said = b.said || excluded.said",
            [Jsonb(told)],
        )
    if said.board is not None and said.board.outlines is None:
        outlines = {}
    if said.board is not None and outlines is not None:
        connection.execute("DELETE FROM city.outline")
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO city.outline (territory_id, geometry)"
                " SELECT territory_id, %s FROM city.territory WHERE code = %s",
                [(Jsonb(geometry), code) for code, geometry in outlines.items()],
            )


def load_board(connection: psycopg.Connection[Any]) -> Said:
    """The tables as they were registered."""
    row = connection.execute("SELECT said FROM city.board").fetchone()
    told = row[0] if row else {}
    return Said(
        Board.model_validate(told["board"]) if "board" in told else None,
        tuple(Screen.model_validate(one) for one in told["screen"]) if "screen" in told else None,
    )


def load_outlines(connection: psycopg.Connection[Any]) -> dict[str, Geometry]:
    """The outline of each territory that has one, by code."""
    return dict(
        connection.execute(
            "SELECT t.code, o.geometry FROM city.outline o JOIN city.territory t USING (territory_id)"
            " ORDER BY t.code"
        ).fetchall()
    )
