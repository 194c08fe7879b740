"""Cost of decoding one message, and of whole batches, beside that of parsing JSON alone.

Run with ``python -m tests.benchmarks.formats`` on an idle machine.
"""

from __future__ import annotations

import platform
import timeit
from collections.abc import Callable

import orjson

from collector.formats.format import Hints
from collector.formats.registry import FORMATS
from tests.unit.small_routes import decoding, message

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
HINTS = Hints("a", "Europe/Paris")


def best_us(call: Callable[[], object], calls: int = 1_000, repeats: int = 100) -> float:
    """Least time of one call over many short runs, so that other programs hardly count. [us]"""
    return min(timeit.repeat(call, number=calls, repeat=repeats)) / calls * 1e6


def main() -> None:
    """Print one line per kind of message."""
    print(f"Python {platform.python_version()} on {platform.machine()}, microseconds per message")
    print(f"{'message':32}{'decode':>8}{'JSON alone':>12}")
    for name, (form, payload) in MESSAGES.items():
        decode = FORMATS[form].decode
        whole = best_us(lambda decode=decode, payload=payload: decode(payload, HINTS, 0))  # type: ignore[misc]
        alone = best_us(lambda payload=payload: orjson.loads(payload))  # type: ignore[misc]
        print(f"{name:32}{whole:8.2f}{alone:12.2f}")
    print("\nwhole intakes of 1,000 messages: decoded, matched, converted, checked")
    reader = decoding()
    for name, payload in INTAKES.items():
        batch = [message("city/99001/mairie/air-1", payload, n) for n in range(1_000)]
        intake = best_us(lambda batch=batch: reader.intake(batch), 1, 50) / 1_000  # type: ignore[misc]
        alone = best_us(lambda payload=payload: orjson.loads(payload))  # type: ignore[misc]
        print(f"{name:32}{intake:8.2f}{alone:12.2f}{intake / alone:8.1f} times")


if __name__ == "__main__":
    main()
