"""Rate of decoding each format beside that of parsing JSON alone, and cost of whole batches.

    python -m tests.benchmarks.formats [--only NAME] [--json]

A ratio is decoded messages per second over ``json.loads`` of the same bytes, or of JSON that
says the same where the message is none; exits with 1 if one is below 1/8.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import timeit
from collections.abc import Callable, Iterator
from functools import partial
from time import process_time
from typing import Any

import orjson

from collector.formats.registry import FORMATS
from tests.benchmarks.messages import NOW_US, samples
from tests.unit.small_routes import decoding, message

RUN_S, ROUNDS = 0.001, 300

LEAST = 0.125
"""Messages decoded in the time in which the standard library parses as many of them as JSON."""
SAID = (
    b'{"time": "2026-03-01T08:00:00.123456Z", "no2": 12.5, "temp": 41, "door.open": 1, "o3": 18.25'
)
INTAKES = {
    "4 values, ISO time": SAID + b"}",
    "the same and ignored text": SAID + b', "battery": "ok"}',
    "the same, left to the format": SAID + b', "battery": "\\u0031"}',
    "4 values, 1 refused": SAID + b', "odd": 1}',
    "4 values, 1 refused and masked": SAID + b', "seen": "AB-123-CD"}',
}


def best_us(call: Callable[[], object], calls: int = 1_000, repeats: int = 100) -> float:
    """Least time of one call over many short runs, so that other programs hardly count. [us]"""
    return min(timeit.repeat(call, number=calls, repeat=repeats)) / calls * 1e6


def both_us(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """Least processor times of two calls, in short runs that take turns. [us]

    Runs of a millisecond are seldom interrupted, and meet the same machine.
    """
    runs = []
    for call in (one, other):
        calls = max(1, round(RUN_S / timeit.timeit(call, number=20, timer=process_time) * 20))
        runs.append((timeit.Timer(call, timer=process_time), calls))
    best = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        for place, (timer, calls) in enumerate(runs):
            best[place] = min(best[place], timer.timeit(calls) / calls)
    return best[0] * 1e6, best[1] * 1e6


def formats(only: str = "") -> Iterator[dict[str, Any]]:
    """One row per message: both rates and their ratio."""
    measured = samples()
    if unmeasured := set(FORMATS) - {sample.format for sample in measured}:
        raise SystemExit(f"no message of {', '.join(sorted(unmeasured))} in messages.py; add one")
    for sample in measured:
        if only not in sample.format:
            continue
        decode = partial(FORMATS[sample.format].decode, sample.payload, sample.hints, NOW_US)
        same = sample.equivalent or sample.payload
        whole, alone = both_us(decode, partial(json.loads, same))
        said = decode()
        yield {
            "format": sample.format,
            "message": sample.name,
            "bytes": len(sample.payload),
            "readings": len(said.readings) + len(said.offered),
            "decoded_per_s": round(1e6 / whole),
            "json_loads_per_s": round(1e6 / alone),
            "json_loads_of": "equivalent JSON" if sample.equivalent else "the same bytes",
            "ratio": round(alone / whole, 3),
        }


def intakes() -> Iterator[dict[str, Any]]:
    """One row per kind of message: the way from bytes to columns, beside the fastest parser."""
    reader = decoding()
    for name, payload in INTAKES.items():
        batch = [message("city/99001/mairie/air-1", payload, n) for n in range(1_000)]
        intake = best_us(partial(reader.intake, batch), 1, 50) / 1_000
        alone = best_us(partial(orjson.loads, payload))
        yield {"message": name, "intake_us": round(intake, 2), "orjson_us": round(alone, 2)}


def main() -> None:
    """Measure, print, and fail where a format is slower than it may be."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--only", default="", help="formats whose name contains this; no intakes")
    options = parser.parse_args()
    rows = []
    if not options.json:
        print(f"Python {platform.python_version()} on {platform.machine()}, one core")
        print(
            f"{'format':13}{'message':42}{'bytes':>6}{'decoded/s':>11}{'json.loads/s':>14}{'ratio':>7}"
        )
    for row in formats(options.only):
        rows.append(row)
        if not options.json:
            star = "*" if row["json_loads_of"] != "the same bytes" else " "
            print(
                f"{row['format']:13}{row['message'][:41]:42}{row['bytes']:6,}"
                f"{row['decoded_per_s']:11,}{row['json_loads_per_s']:13,}{star}{row['ratio']:7.2f}",
                flush=True,
            )
    whole = [] if options.only else list(intakes())
    slow = [row for row in rows if row["ratio"] < LEAST]
    if options.json:
        print(json.dumps({"formats": rows, "intakes": whole, "least": LEAST}, indent=2))
    else:
        print("* json.loads of JSON that says the same; the message itself is none")
        if whole:
            print("\nwhole intakes of 1,000 messages: decoded, matched, converted, checked [us]")
        for row in whole:
            times = row["intake_us"] / row["orjson_us"]
            print(
                f"{row['message']:32}{row['intake_us']:8.2f}{row['orjson_us']:12.2f}{times:8.1f} times"
            )
    for row in slow:
        print(
            f"{row['format']}, {row['message']}: ratio {row['ratio']} is below {LEAST}",
            file=sys.stderr,
        )
    sys.exit(1 if slow else 0)


if __name__ == "__main__":
    main()
