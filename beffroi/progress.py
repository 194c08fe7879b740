"""Progress in a terminal: bars where somebody looks, plain lines where output is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from beffroi.embedded import packages


@contextmanager
def fetching(console: Console) -> Iterator[packages.Listener]:
    """Shows what is fetched for the embedded servers; silent when all is cached."""
    if not console.is_terminal:
        said: set[tuple[str, str]] = set()

        def print_steps(step: packages.Progress) -> None:
            key = (step.bundle, step.step)
            if key not in said:
                said.add(key)
                console.print(f"{step.bundle}: {step.step}")

        yield print_steps
        return
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as bars:
        tasks: dict[str, int] = {}

        def move_bar(step: packages.Progress) -> None:
            if step.bundle not in tasks:
                tasks[step.bundle] = int(bars.add_task(step.bundle, total=1.0))
            bars.update(
                tasks[step.bundle],  # type: ignore[arg-type]  # a NewType of int
                description=f"{step.bundle}: {step.step}",
                completed=1.0 if step.finished else step.share or 0.0,
            )

        yield move_bar


@contextmanager
def busy(console: Console, what: str) -> Iterator[None]:
    """A sign of life of work whose amount is not known."""
    with console.status(what) if console.is_terminal else nullcontext():
        yield


@contextmanager
def bar(console: Console, what: str) -> Iterator[Progress]:
    """A bar of work whose amount is known."""
    with Progress(
        TextColumn(what),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as bars:
        yield bars
