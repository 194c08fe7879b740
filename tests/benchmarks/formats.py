"""Cost of decoding one message, beside the cost of parsing its JSON alone.

Run with ``python -m tests.benchmarks.formats`` on an idle machine.
"""

from __future__ import annotations

import platform
import timeit
from collections.abc import Callable

import orjson

from collector.formats.format import Hints
from collector.formats.registry import FORMATS

VALUES = b'"no2": 12.5, "o3": 41, "pm10": 18.25, "temperature": 17.5}'
MESSAGES = {
    "plain, 4 values, ISO time": ("plain", b'{"time": "2024-05-01T12:34:56.123456Z", ' + VALUES),
    "plain, 4 values, local time": ("plain", b'{"time": "2024-05-01T12:34:56", ' + VALUES),
    "plain, 4 values, epoch ms": ("plain", b'{"ts": 1714566896123, ' + VALUES),
    "plain, 4 values, no time": ("plain", b"{" + VALUES),
    "plain, 4 values as text": (
        "plain",
        b'{"time": "2024-05-01T12:34:56Z", "a": "1.5", "b": "2", "c": "3", "d": "4"}',
    ),
    "senml, 4 records": (
        "senml",
        b'[{"bn": "urn:dev:a:", "bt": 1714566896.5, "n": "no2", "u": "ug/m3", "v": 12.5},'
        b'{"n": "o3", "u": "ug/m3", "v": 41}, {"n": "pm10", "u": "ug/m3", "v": 18.25},'
        b'{"n": "temperature", "u": "Cel", "v": 17.5}]',
    ),
}
HINTS = Hints("a", "Europe/Paris")


def best_us(call: Callable[[], object], calls: int = 1_000, repeats: int = 100) -> float:
    """Least time of one call over many short runs, so that other programs hardly count. [us]"""
    return min(timeit.repeat(call, number=calls, repeat=repeats)) / calls * 1e6


def main() -> None:
    """Print one line per kind of message."""
    print(f"Python {platform.python_version()} on {platform.machine()}, microseconds per message")
    print(f"{'message':32}{'decode':>8}{'JSON alone':>12}")
    for name, (form, payload) in MESSAGES.items():
        decode = FORMATS[form]
        whole = best_us(lambda decode=decode, payload=payload: decode(payload, HINTS, 0))  # type: ignore[misc]
        alone = best_us(lambda payload=payload: orjson.loads(payload))  # type: ignore[misc]
        print(f"{name:32}{whole:8.2f}{alone:12.2f}")


if __name__ == "__main__":
    main()
