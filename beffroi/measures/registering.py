"""Measures written into the register, corrected and taken out of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from beffroi.measures import wording
from beffroi.records.question import QuestionError
from beffroi.terminal import printable
from collector import personal
from storage import measure_store
from storage.measure_store import Became
from storage.measures import Measure, contradictions, parse_measures, understood
from storage.mistakes import plain, read_text
from storage.review import Author

_TEXTS = ("title_fr", "title_en", "title_de", "objective", "decision", "contact")


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one measure."""

    code: str
    became: Became
    version: int


def add(cells: dict[str, str], author: Author, dry_run: bool, as_json: bool) -> None:
    """Register one measure from the options of the command line."""
    measure, wrong = understood({key: said for key, said in cells.items() if said})
    if measure is not None:
        wrong = [plain([key], what) for key, what in contradictions(measure)]
    if measure is None or wrong:
        raise QuestionError("\n".join(map(_as_option, wrong)))
    _register([measure], author, dry_run, as_json, of_option=True)


def import_measures(file: Path, author: Author, dry_run: bool, as_json: bool) -> None:
    """Register all measures of a file."""
    measures = parse_measures(read_text(file), str(file))
    if not measures:
        raise QuestionError(f"{file} names no measure; nothing was changed")
    _register(measures, author, dry_run, as_json)


def retire(code: str, author: Author, as_json: bool) -> None:
    """Take a measure out of the register."""
    if not author.why:
        raise QuestionError("--why is empty; say in a few words why, for those who will wonder")
    with wording.connected() as connection, connection.transaction():
        became, version = measure_store.retire(connection, code, author)
    _tell([Done(code, became, version)], False, as_json)


def _register(
    measures: Sequence[Measure],
    author: Author,
    dry_run: bool,
    as_json: bool,
    *,
    of_option: bool = False,
) -> None:
    with wording.connected() as connection:
        wrong = [
            _as_option(plain([key], what)) if of_option else f"{measure.code}: {plain([key], what)}"
            for measure in measures
            for key, what in (*_personal(measure), *measure_store.unknown(connection, measure))
        ]
        if wrong:
            raise QuestionError("\n".join(wrong))
        done = []
        with connection.transaction():
            for measure in measures:
                became, version = measure_store.save(connection, measure, author)
                if became is Became.CORRECTED and not author.why:
                    raise QuestionError(
                        f"measure {measure.code!r} is registered otherwise; a correction says why:"
                        ' add --why "the reason"'
                    )
                done.append(Done(measure.code, became, version))
            if dry_run:
                raise psycopg.Rollback
    _tell(done, dry_run, as_json)


def _personal(measure: Measure) -> list[tuple[str, str]]:
    """Texts are read by everybody and kept for ever."""
    kinds = ((key, personal.kind(getattr(measure, key))) for key in _TEXTS)
    return [
        (key, f"holds {kind}, and is public and kept for ever; name a service instead")
        for key, kind in kinds
        if kind
    ]


def _as_option(mistake: str) -> str:
    """A key as the command line spells it."""
    key, colon, what = mistake.partition(":")
    return f"--{key.replace('_', '-')}{colon}{what}"


def _tell(done: Sequence[Done], dry_run: bool, as_json: bool) -> None:
    if as_json:
        print(
            json.dumps(
                {
                    "dry_run": dry_run,
                    "measures": [
                        {"code": one.code, "became": one.became, "version": one.version}
                        for one in done
                    ],
                }
            )
        )
        return
    for one in done:
        would = "would be " if dry_run else ""
        what = (
            "nothing to change; it is so already"
            if one.became is Became.UNCHANGED
            else f"{would}{one.became}, version {one.version}"
        )
        print(printable(f"{one.code}: {what}"))
