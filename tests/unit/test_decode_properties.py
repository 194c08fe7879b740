"""Whatever is sent becomes readings or refusals, all counted; nothing raises."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decode import Decoding
from collector.source import Message
from storage.intake import Intake
from storage.reading import Flag, Reason
from tests.unit.small_routes import (
    LISTED,
    NOW_US,
    OLDEST,
    PAYLOAD_BYTES,
    TOPICS,
    decoding,
    message,
    written,
)  # fmt: skip

FIELDS = st.sampled_from(
    ["no2", "temp", "door.open", "door", "index", "value", "battery", "status", "time", "ts", "t",
     "meta", "meta.time", "Time", "date", "", "x" * 300, "\x00", "a4:c1:38:00:11:22"]
)  # fmt: skip
LABELS = st.sampled_from(
    ["bn", "bt", "bu", "bv", "bs", "bver", "n", "u", "v", "vs", "vb", "vd", "s", "t", "ut", "x_"]
)
NUMBERS = (
    st.floats()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from(
        [0, -0.0, 1e308, -1e308, 5e-324, 10**400, NOW_US, NOW_US // 1000, NOW_US / 1e6]
    )
)
TEXTS = st.text(max_size=10) | st.sampled_from(
    ["12.5", " 7 ", "NaN", "-inf", "1e999", "1_000", "٣", "9" * 500, "2026-03-01T08:00:00Z", "yesterday",
     "0001-01-01", "9999-12-31T23:59:59.999999-23:59", "2026-03-29T02:30:00", "24:00", "1" * 40,
     "+33612345678", "AB-123-CD", "lux", "[degF]", "K", "9**9**9", "air-1:", f"{LISTED}:", "nobody:"]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS | LABELS, inner, max_size=5),
    max_leaves=15,
)
OBJECTS = st.dictionaries(FIELDS | st.text(max_size=5), SCALARS, max_size=6)
PACKS = st.lists(st.dictionaries(LABELS, SCALARS, max_size=5), min_size=1, max_size=4)
USUAL = st.fixed_dictionaries(
    {"no2": st.floats(0, 3000) | st.integers(0, 3000)},
    optional={
        "time": st.sampled_from(["2026-03-01T08:00:00Z", NOW_US // 1000, "1970-01-01", 1e11, None]),
        "temp": NUMBERS,
        "battery": SCALARS | st.just({"level": 3}),
        "index": st.integers(),
    },
)
MEASURES = st.lists(
    st.fixed_dictionaries(
        {"bn": st.sampled_from(["air-1:", "nobody:", f"{LISTED}:"]), "n": FIELDS, "v": NUMBERS},
        optional={"u": TEXTS, "bt": NUMBERS, "t": NUMBERS, "s": NUMBERS},
    ),
    min_size=1,
    max_size=4,
)


def as_json(value: Any) -> bytes:
    # Lone surrogates stay escapes; Python's own NaN, Infinity and long digits stay as they are.
    return json.dumps(value).encode()


@st.composite
def with_repeated_names(draw: st.DrawFn) -> bytes:
    members = draw(st.lists(st.tuples(FIELDS, SCALARS), max_size=6))
    return b"{" + b",".join(as_json(name) + b":" + as_json(value) for name, value in members) + b"}"


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    payload = bytearray(as_json(draw(OBJECTS | PACKS)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(payload)))
        payload[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(payload)


@st.composite
def in_other_encodings(draw: st.DrawFn) -> bytes:
    text = json.dumps(draw(OBJECTS), ensure_ascii=False)
    encoding = draw(
        st.sampled_from(["utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "cp500"])
    )
    return text.encode(encoding, "replace")


PAYLOADS = (
    st.binary(max_size=60)
    | (OBJECTS | PACKS | VALUES | USUAL | MEASURES).map(as_json)
    | st.lists(OBJECTS, max_size=4).map(as_json)
    | with_repeated_names()
    | damaged()
    | in_other_encodings()
    | st.sampled_from(
        [
            b"", b"{}", b"[]", b"null", b"NaN", b"-Infinity", b"1e999", b'"\\ud800"', b'{"no2": NaN}',
            b"[" * 5000, b'{"a":' * 500, b"[" * 90 + b"]" * 90, b'{"no2": ' + b"9" * 3000 + b"}",
            b'{"no2":1}' * 2, b'\xef\xbb\xbf{"no2": 1}', b'{"no2": 1, "battery": "\\u0000"}',
            json.dumps({f"odd{n}": n for n in range(200)}).encode(),
            json.dumps([{"no2": n} for n in range(200)]).encode(), b" " * (PAYLOAD_BYTES + 1),
        ]
    )
)  # fmt: skip
MESSAGES = st.lists(
    st.builds(
        message,
        st.sampled_from(TOPICS) | st.text(max_size=8),
        PAYLOADS,
        st.integers(0, 100),
        retain=st.booleans(),
    ),
    max_size=6,
)
READER = decoding()


def counted(intake: Intake, messages: list[Message]) -> Counter[str]:
    """Every law of one intake holds; returns how often each thing happened."""
    count, batch = len(messages), intake.batch
    columns = (batch.time, batch.value, batch.series, batch.flag, intake.domain, intake.sensor)
    assert {len(column) for column in columns} == {len(intake.message)} == {len(intake.field)}
    assert {
        len(intake.topic), len(intake.payload), len(intake.received_us),
        len(intake.message_sensor), len(intake.message_refused), len(intake.message_qos0),
    } == {count}  # fmt: skip
    # Finite and inside what the columns of the tables hold.
    assert bool(np.all(np.isfinite(batch.value) | (batch.flag == Flag.MISSING)))
    time_us = batch.time.view(np.int64)
    assert bool(np.all(time_us >= OLDEST.timestamp() * 1e6 - 900e6))
    assert bool(np.all(time_us <= NOW_US + 601e6))
    assert batch.series.dtype == np.int32
    assert batch.flag.dtype == np.int16
    assert intake.message_sensor.dtype == intake.sensor.dtype == np.int32
    # A message is refused whole in one row, or what is refused of it are readings.
    assert len(intake.refusals) == len(intake.refusal_message)
    assert list(intake.refusal_message) == sorted(intake.refusal_message)
    whole = [
        n for n, row in zip(intake.refusal_message, intake.refusals, strict=True) if not row.field
    ]
    assert whole == np.flatnonzero(intake.message_refused).tolist()
    assert not set(whole) & set(intake.message.tolist())
    rows = Counter(intake.refusal_message)
    assert all(rows[n] == 1 for n in whole)
    assert all(n <= 50 for n in rows.values())
    for row in written(intake):
        row.topic.encode("utf-8", "surrogatepass")
        row.field.encode()
        row.detail.encode()
        assert row.detail
        assert len(row.field) <= 200
        assert len(row.detail) <= 500
        assert len(row.payload) <= PAYLOAD_BYTES
        assert row.readings >= 1
    refused = Counter(str(row.reason) for row in intake.refusals)
    return refused + Counter(readings=len(batch), messages=count)


@given(messages=MESSAGES)
def test_any_messages_become_readings_and_refusals_in_balanced_numbers(messages: list[Message]):
    counted(READER.intake(messages), messages)


@given(messages=MESSAGES)
def test_a_message_is_read_the_same_alone_and_among_others(messages: list[Message]):
    together = READER.intake(messages)
    alone = [READER.intake([one]) for one in messages]

    assert together.batch.value.tobytes() == b"".join(one.batch.value.tobytes() for one in alone)
    assert together.batch.time.tolist() == [t for one in alone for t in one.batch.time.tolist()]
    assert together.batch.series.tolist() == [s for one in alone for s in one.batch.series.tolist()]
    assert together.field == [name for one in alone for name in one.field]
    assert list(together.refusals) == [row for one in alone for row in one.refusals]
    assert together.message_sensor.tolist() == [int(one.message_sensor[0]) for one in alone]


def without_shapes(reader: Decoding, topics: list[str]) -> Decoding:
    """The same reader, with every message left to its format."""
    for topic in topics:
        route = reader.topics.route(topic)
        if route is not None:
            reader.topics._known[topic] = route._replace(shapes=None)
    return reader


def read_the_same(messages: list[Message]) -> Intake:
    quick = READER.intake(messages)
    slow = without_shapes(decoding(), [one.topic for one in messages]).intake(messages)
    assert quick.batch.value.tobytes() == slow.batch.value.tobytes()
    assert quick.batch.time.tolist() == slow.batch.time.tolist()
    assert quick.batch.series.tolist() == slow.batch.series.tolist()
    assert quick.batch.flag.tolist() == slow.batch.flag.tolist()
    assert quick.sensor.tolist() == slow.sensor.tolist()
    assert quick.message.tolist() == slow.message.tolist()
    assert list(quick.refusals) == list(slow.refusals)
    assert quick.message_refused.tolist() == slow.message_refused.tolist()
    return quick


@given(messages=MESSAGES)
def test_messages_of_a_usual_shape_are_read_as_their_format_reads_them(messages: list[Message]):
    read_the_same(messages)


@pytest.mark.parametrize(
    "topic", ["city/99001/mairie/air-1", "city/99001/mairie/meter-1", "paris/air-1"]
)
@pytest.mark.parametrize("retain", [False, True])
@pytest.mark.parametrize(
    ("payload"),
    [
        b'{"no2": 1}', b'{"index": 1, "battery": 7}', b'{"no2": 1, "battery": "\\u0000"}',
        b'{"no2": 1, "time": ""}', b'{"no2": 1, "time": null}', b'{"no2": 1, "time": true}',
        b'{"no2": 1, "meta.time": 1772355000}', b'{"no2": 1, "ts": 1, "time": 1772355000}',
        b'{"t": 1772355000, "index": 4}', b'{"t": 4, "index": 4}', b'{"no2": 1, "no2": 2}',
        b'{"no2": true, "temp": 18446744073709551615}', b'{"no2": null}', b'{"no2": "1"}', b"{}",
        b'{"time": 1772355000}', b'{"battery": 1}', b'{"no2": 1, "status": []}',
        b'{"time": "2026-03-29T02:30:00", "no2": -0.0}', b'{"time": "24:00", "no2": 1}',
    ],
)  # fmt: skip
def test_a_shape_with_something_unusual_is_read_as_its_format_reads_it(
    topic: str, payload: bytes, retain: bool
):
    read_the_same([message(topic, payload, retain=retain)])


def test_a_usual_shape_is_read_without_its_format():
    route = READER.topics.route("city/99001/mairie/air-1")
    payload = b'{"time": 1772355000, "temp": 50, "no2": 1.5, "battery": "low"}'

    assert route is not None
    assert route.shapes is not None
    temp, no2 = (READER.routes.sensors["air-1"][1][name] for name in ("temp", "no2"))
    assert route.shapes.read(payload) == ((temp, no2), (50, 1.5), 1_772_355_000_000_000)


@given(
    values=st.lists(NUMBERS | TEXTS | st.none() | st.booleans(), min_size=1, max_size=70),
    retain=st.booleans(),
)
def test_every_reading_of_a_message_ends_in_the_batch_or_in_a_refusal(
    values: list[Any], retain: bool
):
    payload = as_json([{"time": "2026-03-01T08:00:00Z", "no2": value} for value in values])
    intake = READER.intake([message("city/99001/mairie/air-1", payload, retain=retain)])

    assert len(payload) <= PAYLOAD_BYTES or intake.message_refused.all()
    if not intake.message_refused.all():
        assert len(intake.batch) + sum(row.readings for row in intake.refusals) == len(values)


@given(number=NUMBERS)
def test_no_number_is_stored_as_another(number: float):
    payload = as_json({"time": "2026-03-01T08:00:00Z", "no2": number})
    intake = READER.intake([message("city/99001/mairie/air-1", payload)])

    known = abs(number) <= sys.float_info.max  # false for NaN too
    stored = known and 0 <= number <= 2000
    reason = Reason.OUT_OF_RANGE if known else Reason.BAD_VALUE
    assert intake.batch.value.tolist() == ([float(number)] if stored else [])
    assert [row.reason for row in intake.refusals] == ([] if stored else [reason])


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"value": 1.7e9}', Reason.BAD_VALUE),  # overflows in the canonical unit
        (b'{"time": "9999-12-31T23:59:59Z", "index": 1}', Reason.IN_FUTURE),
        (b'{"time": "0001-01-01T00:00:00+14:00", "index": 1}', Reason.TOO_OLD),
        (b'{"time": -9e18, "index": 1}', Reason.TOO_OLD),
        (b'{"time": 1e300, "index": 1}', Reason.BAD_TIME),
    ],
)
def test_what_no_column_could_hold_is_refused(payload: bytes, reason: Reason):
    intake = READER.intake([message("city/99001/mairie/meter-1", payload)])

    assert (len(intake.batch), [row.reason for row in intake.refusals]) == (0, [reason])


def test_a_stranger_that_says_nothing_is_counted_and_not_refused():
    intake = decoding().intake([message("city/99001/mairie/nobody", b"{}")])

    assert (intake.refusals, intake.message_refused.tolist()) == ([], [False])
    assert intake.message_sensor.tolist() == [0]


def test_the_members_of_an_ignored_object_are_not_ignored():
    payload = b'{"no2": 1, "battery": {"level": 3}}'
    intake = READER.intake([message("city/99001/mairie/air-1", payload)])

    assert [(row.field, row.reason) for row in intake.refusals] == [
        ("battery.level", "unknown_field")
    ]
