"""A question that cannot be answered as it is asked, told in a sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer


class QuestionError(Exception):
    """The options do not say what is meant; the message says what to write instead."""


@contextmanager
def told() -> Iterator[None]:
    """Mistakes on the command line end in a sentence and status 2."""
    # Here, so that commands which ask no database need not load its driver.
    from beffroi.records.instants import NotAMoment
    from storage.review import NotNamed

    try:
        yield
    except (QuestionError, NotNamed, NotAMoment) as error:
        print(f"beffroi: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
