"""No payload costs more than its length, in time or in memory."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from collector.decode import Decoding
from collector.formats.format import Hints, Undecodable
from collector.formats.registry import FORMATS
from collector.formats.sparkplug_schema import DataType, Payload
from tests.benchmarks.fuzz import reading_all
from tests.unit.small_routes import OLDEST, message, written

SIZE = 200_000
SECONDS = 10.0  # a hundred times what they cost; the square of the length takes minutes
CHARACTERS = 100  # of names, for one byte of the message


def many(unit: bytes, before: bytes, after: bytes) -> bytes:
    return before + unit * ((SIZE - len(before) - len(after)) // len(unit)) + after


def array_under_a_long_name() -> bytes:
    told = Payload(timestamp=1_772_355_600_000)
    told.metrics.add(
        name=b"a" * (SIZE // 2), datatype=int(DataType.INT8_ARRAY), bytes_value=b"\1" * 20_000
    )
    return bytes(told.SerializeToString())


LONG = b"a" * (SIZE // 2)
NAMES: dict[str, tuple[str, str, bytes]] = {
    "a list under a long name": ("plain", "city/a", many(b"1,", b'{"' + LONG + b'":[', b"1]}")),
    "an object under a long name": (
        "plain", "city/a", b'{"%s":{%s"z":1}}' % (LONG, b"".join(b'"%d":1,' % n for n in range(9_000))),
    ),
    "a list of a device": ("tasmota", "tele/a/SENSOR", many(b"1,", b'{"' + LONG + b'":[', b"1]}")),
    "a list of an entity": (
        "ngsi", "ngsi/a", many(b"1,", b'{"id":"a","type":"b","' + LONG + b'":{"c":[', b"1]}}"),
    ),
    "members of a component": (
        "shelly", "a/events/rpc",
        b'{"src":"a","method":"NotifyStatus","params":{"%s:0":{%s"z":1}}}'
        % (LONG, b"".join(b'"n%d":1,' % n for n in range(9_000))),
    ),
    "members of an object": (
        "zigbee2mqtt", "zigbee2mqtt/a",
        b'{"%s":{%s"z":1}}' % (LONG, b"".join(b'"%d":1,' % n for n in range(9_000))),
    ),
    "records under a base name": (
        "senml", "packs/a", many(b',{"n":"b","v":1}', b'[{"bn":"' + LONG + b'","n":"a","v":1}', b"]"),
    ),
    "the result of an observation": (
        "sensorthings", "v1.1/Datastreams(1)/Observations",
        many(b"1,", b'{"result":{"' + LONG + b'":[', b"1]}}"),
    ),
    "an array of a metric": ("sparkplug", "spBv1.0/g/NBIRTH/n", array_under_a_long_name()),
}  # fmt: skip


@pytest.mark.parametrize("shape", NAMES)
def test_values_under_a_very_long_name_are_not_worth_its_length_each(shape: str):
    name, topic, payload = NAMES[shape]

    with pytest.raises(Undecodable, match="under a name of more than 200 characters"):
        FORMATS[name].decode(payload, Hints("", topic=topic), 0)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("inner", [b"1,", b'"x",', b"null,", b'{"a":1},'])
def test_names_take_no_more_room_than_a_hundred_times_the_message(name: str, inner: bytes):
    for length in (150, 1_500):
        payload = many(inner, b'{"' + b"a" * length + b'":[', b"1]}")
        try:
            decoded = FORMATS[name].decode(payload, Hints("s1", topic="city/s1"), 0)
        except Undecodable:
            continue
        fields = [one.field for one in (*decoded.readings, *decoded.offered, *decoded.refusals)]
        assert sum(map(len, fields)) <= CHARACTERS * len(payload)


@pytest.fixture(scope="module")
def reader() -> Decoding:
    """Every format at once, and payloads of any size."""
    return Decoding(reading_all().routes, payload_bytes=1 << 28, oldest=OLDEST, ahead_s=600)


SHAPES: dict[str, Callable[[], bytes]] = {
    "a name of settings": lambda: many(b"_set", b'{"', b'\\n":1}'),
    "a name of times": lambda: many(b"a_time_", b'{"', b'\\nx":1}'),
    "slashes without an end": lambda: many(b"/", b"/K\r\n0-0:96.1.1(12345678)\r\n", b""),
    "escaped quotes": lambda: many(b'\\"', b'"', b""),
    "names of identifiers": lambda: many(b'"mac":"\\', b"{", b""),
    "digits": lambda: many(b"9", b'{"no2":', b"}"),
    "digits beside what is no number": lambda: many(b"9", b'{"a":NaN,"no2":', b"}"),
    "brackets": lambda: many(b"[", b"", b""),
    "brackets beside what is no number": lambda: many(b"[", b'{"NaN":', b""),
    "identifiers of entities": lambda: many(b"urn:ngsi-ld:a", b'{"type":"a","id":"', b'"}'),
    "times of entities": lambda: many(b"-2024-01-01T00:", b'{"type":"a","id":"', b'"}'),
    "links": lambda: many(b"Datastreams(''", b'{"result":1,"Datastream@iot.navigationLink":"', b'"}'),
    "misspelt members": lambda: (
        b'[{"components":["result",%s"a"],"dataArray":[%s[1]]}]'
        % (b"".join(b'"phenomenomtim%d",' % n for n in range(50)), b"[1%s]," % (b",2" * 51) * 1_000)
    ),
    "a frame of damaged groups": lambda: many(b"\nADCO 1\r", b"\x02", b"\x03"),
    "blanks": lambda: many(b" ", b"A", b""),
    "brackets of a telegram": lambda: many(b"(", b"/K\r\n\r\n1-0:1.8.1", b"x\r\n!\r\n"),
    "clocks of a telegram": lambda: many(b"0-0:1.0.0(", b"/K\r\n\r\n", b"\r\n!\r\n"),
    "bytes that do not come": lambda: many(b"a", b"\x81\xa1\x08\x5b\x00\x00\x00\x7f\xff\xff\xff\xff", b""),
    "arrays inside arrays": lambda: many(b"\x81", b"\x81\xa1\x61x", b""),
    "empty metrics": lambda: many(b"\x12\x00", b"", b""),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_every_format_reads_or_refuses_it_in_little_time(shape: str, reader: Decoding):
    payload = SHAPES[shape]()
    topics = {row.format: row for row in reader.routes.bindings}

    for name, binding in topics.items():
        topic = binding.topic.replace("#", "x").replace("+", "x").replace("{", "").replace("}", "")
        started = time.perf_counter()
        intake = reader.intake([message(topic, payload)])
        written(intake)
        FORMATS[name].fits(topic, payload)

        assert time.perf_counter() - started < SECONDS, name
        assert len(intake.message_sensor) == 1
