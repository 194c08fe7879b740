"""A million made-up payloads through the decoder: none may raise, all must be counted.

    python -m tests.benchmarks.fuzz [--count 1000000] [--seed N]

Each is a payload of a device, in any format of the registry, right or gone wrong in some of the
ways that devices, gateways and attackers know: values of every kind and size, names repeated or missing, times of any
year, cut, spliced, re-encoded, nested. Prints readings, refusals by reason and payloads per
second; exits with 1 if anything raised or a count does not add up.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from collector.decode import Decoding
from collector.formats.registry import FORMATS
from collector.source import Message
from storage.intake import Intake
from storage.reading import Flag
from storage.routes import BindingRow
from tests.benchmarks.messages import Sample, samples
from tests.unit.small_routes import (
    LISTED,
    NOW_US,
    OLDEST,
    PAYLOAD_BYTES,
    TOPICS,
    message,
    routes,
    written,
)

BATCH = 1_000
NAMES = (
    "no2", "temp", "door.open", "door", "index", "value", "battery", "status", "odd", "t", "ts",
    "time", "Time", "meta", "meta.time", "", "imei", "phone", "a4:c1:38:00:11:22", "\u00e9t\u00e9",
    "x" * 300,
)  # fmt: skip
LABELS = ("bn", "bt", "bu", "bv", "bs", "bver", "n", "u", "v", "vs", "vb", "vd", "s", "t", "x_")
VALUES = (
    b"0", b"-0.0", b"12.5", b"41", b"1e3", b"1e308", b"-1e308", b"1e999", b"5e-324", b"NaN",
    b"Infinity", b"-Infinity", b"18446744073709551616", b"-9223372036854775809", b"9" * 400,
    b"true", b"false", b"null", b'""', b'"12.5"', b'" 7 "', b'"NaN"', b'"1_000"', b'"\xd9\xa3"',
    b'"ok"', b'"\\u0000"', b'"\\ud800"', b'"\\u00e9"', b'"AB-123-CD"', b'"0612345678"',
    b'"+33 6 12 34 56 78"', b'"jean@ville.fr"', b'"a4:c1:38:00:11:22"', b'"490154203237518"',
    b"490154203237518", b'{"open": 1}', b'{"time": 1772355000}', b"[1, 2]", b"[]", b"{}",
    b"[" * 20 + b"]" * 20,
)  # fmt: skip
TIMES = (
    b'"2026-03-01T08:00:00Z"', b'"2026-03-01T09:00:00.123456789+01:00"', b'"2026-03-29T02:30"',
    b"1772355000", b"1772355000123", b"1772355000.5", b'"1772355000"', b'"20260301T080000Z"',
    b'"0001-01-01T00:00:00+14:00"', b'"9999-12-31T23:59:60Z"', b'"2026-02-30"', b'"24:00"',
    b"0", b"-1", b"1e19", b"1e20", b"1e300", b"NaN", b"null", b'""', b"true", b"[]", b'"soon"',
)  # fmt: skip
UNITS = (b'"ug/m3"', b'"Cel"', b'"K"', b'"lux"', b'"9**9**9"', b'""', b"null", b"7")
MARK, QUOTED = "@odd@", b'"@odd@"'
ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "cp500")


class Generator:
    """Payloads from one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._choice = self._random.choice
        self._samples = samples()
        self._topics = (*TOPICS, *(sample.hints.topic for sample in self._samples))
        self._topic = ""
        self._makers: tuple[Callable[[], bytes], ...] = (
            *(self._sample,) * 12, *(self._usual,) * 6, *(self._object,) * 4, *(self._pack,) * 4, self._list,
            self._nested, self._many, self._bytes, self._bare,
        )  # fmt: skip

    def message(self, number: int) -> Message:
        """The next message; one in three is damaged after it was made."""
        self._topic = ""
        payload = self._choice(self._makers)()
        if self._random.random() < 0.33:
            payload = self._damaged(payload)
        topic = self._topic or self._choice(self._topics)
        return message(topic, payload, number, retain=self._random.random() < 0.1)

    def _sample(self) -> bytes:
        """A message of any format on its topic, or on one of its format; JSON with odd members."""
        sample = self._choice(self._samples)
        others = [one for one in self._samples if one.format == sample.format]
        self._topic = self._choice((sample, sample, *others)).hints.topic
        if self._random.random() < 0.2:
            return sample.payload
        try:
            whole = [json.loads(sample.payload)]
        except ValueError:
            return self._damaged(sample.payload)
        for _ in range(self._random.randrange(1, 4)):
            parent, key = self._place(whole)
            if self._random.random() < 0.3 and parent is not whole:
                del parent[key]
            else:
                parent[key] = MARK
        written = json.dumps(whole[0]).encode()
        while QUOTED in written:
            written = written.replace(QUOTED, self._choice((*VALUES, *TIMES, *UNITS)), 1)
        return written

    def _place(self, whole: list[Any]) -> tuple[Any, Any]:
        """Somewhere in a message: an object or list, and a name or position in it."""
        parent, key = whole, 0
        while isinstance(parent[key], (dict, list)) and parent[key] and self._random.random() < 0.8:
            parent = parent[key]
            key = self._choice(list(parent) if isinstance(parent, dict) else range(len(parent)))
        return parent, key

    def _member(self) -> bytes:
        return json.dumps(self._choice(NAMES)).encode() + b": " + self._choice(VALUES)

    def _time(self) -> bytes:
        name = self._choice((b"time", b"ts", b"Time", b"timestamp", b"t"))
        return b'"' + name + b'": ' + self._choice(TIMES)

    def _usual(self) -> bytes:
        at = 1_772_355_000 - self._random.randrange(100_000_000)
        value = self._random.uniform(-50, 2100)
        return b'{"time": %d, "no2": %.2f, "temp": %.1f}' % (at, value, value / 10)

    def _object(self) -> bytes:
        members = [self._member() for _ in range(self._random.randrange(7))]
        if self._random.random() < 0.7:
            members.insert(0, self._time())
        return b"{" + b", ".join(members) + b"}"

    def _record(self, first: bool) -> bytes:
        if self._random.random() < 0.6:
            members = [
                b'"n": "' + self._choice((b"no2", b"temp", b"index", b"odd", b"")) + b'"',
                b'"v": ' + self._choice(VALUES),
                b'"u": ' + self._choice(UNITS),
            ]
            if first:
                sensor = self._choice(("air-1", "meter-1", LISTED, "nobody", "a4c138001133"))
                members += [b'"bn": "%s:"' % sensor.encode(), b'"bt": ' + self._choice(TIMES[3:6])]
            return b"{" + b", ".join(members) + b"}"
        labels = self._random.sample(LABELS, self._random.randrange(1, 5))
        return b"{" + b", ".join(
            b'"' + label.encode() + b'": ' + self._choice(VALUES) for label in labels
        ) + b"}"  # fmt: skip

    def _pack(self) -> bytes:
        count = self._random.randrange(1, 5)
        return b"[" + b", ".join(self._record(n == 0) for n in range(count)) + b"]"

    def _list(self) -> bytes:
        return b"[" + b", ".join(self._object() for _ in range(self._random.randrange(4))) + b"]"

    def _nested(self) -> bytes:
        depth = self._choice((2, 15, 16, 17, 100, 600))
        opened, closed = self._choice(((b'{"door":', b"}"), (b"[", b"]"), (b'{"a":[', b"]}")))
        return opened * depth + self._choice(VALUES) + closed * self._choice((depth, depth - 1))

    def _many(self) -> bytes:
        count = self._random.randrange(30, 120)
        return b"{" + b", ".join(b'"odd%d": %d' % (n, n) for n in range(count)) + b"}"

    def _bytes(self) -> bytes:
        return self._random.randbytes(self._random.randrange(64))

    def _bare(self) -> bytes:
        return self._choice((b"", b" ", b" " * (PAYLOAD_BYTES + 1), *VALUES, *TIMES))

    def _damaged(self, payload: bytes) -> bytes:
        pick = self._random.randrange(7)
        at = self._random.randrange(len(payload) + 1)
        if pick == 0:
            return payload[:at]
        if pick == 1:
            return payload[:at] + self._random.randbytes(2) + payload[at + 1 :]
        if pick == 2:
            return payload[:at] + self._object()[at:]
        if pick == 3:
            return payload + payload
        if pick == 4:
            return payload.decode("utf-8", "replace").encode(self._choice(ENCODINGS), "replace")
        if pick == 5:
            return payload[:at] + self._choice((b"\x00", b'"', b"\\", b"}", b",")) + payload[at:]
        return payload.replace(b'"', b"'") if at % 2 else payload[at:] + payload[:at]


def reading_all() -> Decoding:
    """What reads the topics of all samples: half of what they say is registered."""
    small = routes()
    sensors, bindings = dict(small.sensors), list(small.bindings)
    for sample in samples():
        bindings.append(_binding(sample))
        decode, hints = FORMATS[sample.format].decode, sample.hints
        for reading in decode(sample.payload, hints._replace(births=None), NOW_US).readings[::2]:
            _, fields = sensors.setdefault(reading.sensor, (len(sensors) + 1, {}))
            fields.setdefault(reading.field, len(fields) % len(small.unit))
    return Decoding(
        replace(small, bindings=tuple(bindings), sensors=sensors),
        payload_bytes=PAYLOAD_BYTES,
        oldest=OLDEST,
        ahead_s=600,
    )


def _binding(sample: Sample) -> BindingRow:
    """The binding of a sample's topic, with the sensor named where the sample's is."""
    hints = sample.hints
    topic = "/".join(
        "{sensor}" if segment == hints.sensor else segment for segment in hints.topic.split("/")
    )
    ignored = frozenset({"battery"})
    return BindingRow(topic, sample.format, hints.timezone, hints.time_field, ignored, hints.codec)


def counts(intake: Intake, messages: list[Message]) -> Counter[str]:
    """What became of the messages; raises where it does not add up."""
    batch = intake.batch
    lengths = {len(c) for c in (batch, intake.message, intake.sensor, intake.domain, intake.field)}
    whole = [
        n for n, row in zip(intake.refusal_message, intake.refusals, strict=True) if not row.field
    ]
    if len(lengths) != 1 or whole != np.flatnonzero(intake.message_refused).tolist():
        raise ValueError("columns of different length, or messages that nobody counted")
    if not np.all(np.isfinite(batch.value) | (batch.flag == Flag.MISSING)):
        raise ValueError("a value that is not finite")
    if len(batch) and not 0 < batch.time.view(np.int64).min() <= batch.time.view(
        np.int64
    ).max() <= (NOW_US + 1_000_000_000):
        raise ValueError("a time that nobody believes")
    if any("\0" in row.field + row.detail and "\0" not in row.topic for row in intake.refusals):
        raise ValueError("a text that PostgreSQL cannot hold")
    found = Counter({str(row.reason): 0 for row in intake.refusals})
    for row in written(intake):
        found[str(row.reason)] += row.readings
        found["masked rows"] += row.masked
    found["readings"] += len(batch)
    found["messages refused"] += len(whole)
    return found


def run(count: int, seed: int, reader: Decoding) -> tuple[Counter[str], int, float]:
    """Totals, how many batches raised, and seconds spent decoding."""
    generator, total, raised, spent = Generator(seed), Counter[str](), 0, 0.0
    for first in range(0, count, BATCH):
        if first and first % 100_000 == 0:
            print(f"{first:,} of {count:,}", file=sys.stderr, flush=True)
        messages = [generator.message(n) for n in range(min(BATCH, count - first))]
        started = time.perf_counter()
        try:
            intake = reader.intake(messages)
            spent += time.perf_counter() - started
            total += counts(intake, messages)
        except Exception:
            raised += 1
            print(
                f"payloads {first} to {first + len(messages) - 1} of seed {seed}:", file=sys.stderr
            )
            traceback.print_exc()
    return total, raised, spent


def main() -> None:
    """Run, print what became of the payloads, and fail where one raised."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=1_000_000, help="payloads")
    parser.add_argument("--seed", type=int, help="of an earlier run; a new one otherwise")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    print(f"{options.count:,} payloads of seed {seed}", flush=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        total, raised, spent = run(options.count, seed, reading_all())
    for name, found in sorted(total.items(), key=lambda item: -item[1]):
        print(f"{name:20}{found:12,}")
    print(f"{'raised (batches)':20}{raised:12,}")
    print(f"{options.count / max(spent, 1e-9):,.0f} payloads/s decoded, {spent:.1f} s")
    sys.exit(1 if raised else 0)


if __name__ == "__main__":
    main()
