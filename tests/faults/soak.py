"""The fault run: round after round until enough faults were played or the time is up.

``make soak`` runs it. Exit code 1 when anything was lost, doubled or false.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time

from tests.faults.room import enter_namespace

SOURCES = ("paho", "mqtt5")


def main() -> int:
    """Play, tell, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0, help="start nothing new after")
    parser.add_argument("--faults", type=int, default=100, help="enough")
    parser.add_argument("--seed", type=int, help="the same seed strikes the same way")
    parser.add_argument("--source", choices=SOURCES, help="one source only, not both in turn")
    parser.add_argument("--kinds", help="these kinds only, in this order, separated by commas")
    parser.add_argument(
        "--outage", type=float, default=60.0, help="how long a database refuses [s]"
    )
    parser.add_argument("--rate", type=float, default=150.0, help="messages published a second")
    parser.add_argument("--exclusive", action="store_true", help="no shared subscription")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    options = parser.parse_args()
    # A new user name space is for a process with one thread; numpy, for one, starts others.
    namespace = enter_namespace()
    if unknown := _unknown(options.kinds):
        parser.error(f"no such kind: {', '.join(unknown)}; tests/faults/README.md lists them")
    return run(options, namespace)


def run(options: argparse.Namespace, namespace: bool) -> int:
    """Rounds until enough; the programs' exit code."""
    from rich.console import Console

    from tests.faults.report import show, summarise
    from tests.faults.round import Report, play

    console = Console(stderr=True)
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    console.print(f"seed {seed}")
    deadline = time.monotonic() + 60 * options.minutes
    reports: list[Report] = []
    while (left := options.faults - sum(len(r.faults) for r in reports)) > 0:
        number = len(reports)
        if time.monotonic() > deadline:
            break
        # Both sources, with a shared subscription and with one of their own, in turn.
        source = options.source or SOURCES[number % len(SOURCES)]
        shared = not options.exclusive and number // len(SOURCES) % 2 == 0
        kinds = _kinds(options.kinds, shared, random.Random(seed + number))[:left]
        console.print(f"round {number + 1}: {source}, {'shared' if shared else 'exclusive'}")

        def tell(text: str) -> None:
            console.print(f"  {text}", highlight=False)

        report = play(
            kinds, seed + number, source=source, shared=shared, namespace=namespace,
            outage_s=options.outage, rate=options.rate, deadline=deadline, tell=tell,
        )  # fmt: skip
        reports.append(report)
        for problem in report.problems:
            console.print(f"  [red]{problem}[/red]")
        if not report.faults:
            break  # The next would fare no better.
    summary = summarise(seed, reports)
    if summary["faults"] < options.faults:
        console.print(f"ended after {summary['faults']} of {options.faults} faults")
    if options.json:
        print(json.dumps({**summary, "rounds": [report.as_json() for report in reports]}))
    else:
        show(Console(), summary)
    return 0 if summary["well"] else 1


def _unknown(wanted: str | None) -> list[str]:
    from tests.faults.breaks import KINDS, SHARED_KINDS

    return [kind for kind in (wanted or "").split(",") if kind not in {"", *KINDS, *SHARED_KINDS}]


def _kinds(wanted: str | None, shared: bool, order: random.Random) -> list[str]:
    from tests.faults.breaks import KINDS, SHARED_KINDS

    kinds = [*KINDS, *(SHARED_KINDS if shared else {})]
    if wanted:
        return [kind for kind in wanted.split(",") if kind in kinds]
    order.shuffle(kinds)
    return kinds


if __name__ == "__main__":
    sys.exit(main())
