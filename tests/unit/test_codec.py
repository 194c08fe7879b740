"""Codecs as people write them, and what bytes become by them."""

from __future__ import annotations

import math
import struct
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from collector.formats import raw
from collector.formats.format import Undecodable
from storage.city import parse
from storage.codec import LAYOUTS, Codec
from tests.unit.lht65 import LHT65

FORMATS = Path(raw.__file__).parent
SENSORS = "territory,site,sensor,metric,step_s\n"


def codec(*fields: dict[str, Any], **more: Any) -> Codec:
    return Codec.model_validate({"field": list(fields), **more})


def values(of: Codec, payload: bytes, port: int = 1) -> dict[str, float]:
    return {field: value for field, (value, _) in raw.read(of, payload, port).values.items()}


def one(payload: str, **field: Any) -> float:
    return values(codec({"name": "x", "offset": 0, **field}), bytes.fromhex(payload))["x"]


def refusal(payload: bytes, of: Codec, port: int = 1) -> tuple[str, str]:
    with pytest.raises(Undecodable) as refused:
        raw.read(of, payload, port)
    return str(refused.value.reason), refused.value.detail


def test_the_vendor_s_own_example_becomes_what_the_vendor_says() -> None:
    lht65 = Codec.model_validate(tomllib.loads(LHT65))

    assert raw.read(lht65, bytes.fromhex("cbf60b0d0376010add7fff"), 2).values == {
        "BatV": (3.062, "V"),
        "TempC_SHT": (28.29, "Cel"),
        "Hum_SHT": (88.6, "%"),
        "TempC_DS": (27.81, "Cel"),
    }


def test_another_frame_of_the_same_device_has_other_fields() -> None:
    lht65 = Codec.model_validate(tomllib.loads(LHT65))

    said = values(lht65, bytes.fromhex("cbf6ff9c03760500c8ffff"), 2)

    assert said == {"BatV": 3.062, "TempC_SHT": -1.0, "Hum_SHT": 88.6, "ILL_lx": 200.0}


def test_a_codec_survives_the_database() -> None:
    lht65 = Codec.model_validate(tomllib.loads(LHT65))

    assert Codec.model_validate_json(lht65.model_dump_json()) == lht65
    assert Codec.model_validate_json(lht65.model_dump_json(exclude_defaults=True)) == lht65


@pytest.mark.parametrize(
    ("payload", "field", "value"),
    [
        ("80", {"type": "u8"}, 128.0),
        ("80", {"type": "i8"}, -128.0),
        ("1234", {"type": "u16be"}, 4660.0),
        ("1234", {"type": "u16le"}, 13330.0),
        ("feff", {"type": "i16le"}, -2.0),
        ("fffffe", {"type": "i24be"}, -2.0),
        ("010000", {"type": "u24le"}, 1.0),
        ("00010000", {"type": "u32be"}, 65536.0),
        ("ffffffff", {"type": "i32le"}, -1.0),
        ("8000000000000000", {"type": "u64be"}, 9223372036854775808.0),
        ("41c80000", {"type": "f32be"}, 25.0),
        ("0000c841", {"type": "f32le"}, 25.0),
        ("4039000000000000", {"type": "f64be"}, 25.0),
        ("02", {"type": "bool"}, 1.0),
        ("00", {"type": "bool"}, 0.0),
        ("04", {"type": "bool", "bits": [2, 1]}, 1.0),
        ("04", {"type": "bool", "bits": [0, 2]}, 0.0),
        ("a5", {"bits": [4, 4]}, 10.0),
        ("0fff", {"type": "i16be", "bits": [0, 12]}, -1.0),
        ("07ff", {"type": "i16be", "bits": [0, 12]}, 2047.0),
        ("0003", {"type": "u16be", "scale": 0.1}, 0.3),
        ("0116", {"type": "u16be", "scale": 0.1, "shift": -40}, -12.2),
        ("05", {"scale": 2.5}, 12.5),
        ("05", {"scale": -1, "shift": 100}, 95.0),
    ],
)
def test_every_type_reads_as_devices_write_it(
    payload: str, field: dict[str, Any], value: float
) -> None:
    assert one(payload, **field) == value


def test_an_offset_below_zero_counts_from_the_end() -> None:
    last = codec({"name": "x", "offset": -2, "type": "u16be"})

    assert values(last, bytes.fromhex("ffff0102")) == {"x": 258.0}
    assert refusal(b"\x01", last) == ("bad_payload", "1 bytes are too few for field x")


def test_a_raw_value_that_means_none_is_missing_and_never_zero() -> None:
    assert math.isnan(one("7fff", type="i16be", scale=0.01, missing=32767))
    assert math.isnan(one("0000", type="u16be", missing=[0, 65535]))
    assert one("0001", type="u16be", missing=[0, 65535]) == 1.0


def test_a_number_that_is_not_finite_refuses_its_field_alone() -> None:
    both = codec(
        {"name": "bad", "offset": 0, "type": "f32be"}, {"name": "good", "offset": 4, "type": "u8"}
    )

    for odd in (math.nan, math.inf):
        frame = raw.read(both, struct.pack(">fB", odd, 7), 1)
        assert frame.values == {"good": (7.0, None)}
        assert [(one.field, str(one.reason)) for one in frame.refusals] == [("bad", "bad_value")]
    assert raw.read(codec({"name": "x", "offset": 0, "scale": 1e308}), b"\xff", 1).values == {}


def test_a_payload_too_short_for_one_field_is_refused_whole() -> None:
    two = codec({"name": "a", "offset": 0}, {"name": "b", "offset": 1, "type": "u16be"})

    assert refusal(b"\x01\x02", two) == ("bad_payload", "2 bytes are too few for field b")


def test_an_optional_field_may_lie_beyond_the_end() -> None:
    two = codec({"name": "a", "offset": 0}, {"name": "b", "offset": 1, "optional": True})

    assert values(two, b"\x01") == {"a": 1.0}
    assert values(two, b"\x01\x02") == {"a": 1.0, "b": 2.0}


def test_another_length_is_refused_where_the_codec_says_one() -> None:
    fixed = codec({"name": "a", "offset": 0}, length=2)

    assert values(fixed, b"\x01\x02") == {"a": 1.0}
    assert refusal(b"\x01", fixed) == ("bad_payload", "1 bytes where the codec wants 2")


def test_frames_are_told_apart_by_their_length() -> None:
    two = codec(
        {"name": "a", "offset": 0, "when": {"length": 1}},
        {"name": "b", "offset": 0, "when": {"length": [2, 3]}},
    )

    assert values(two, b"\x05") == {"a": 5.0}
    assert values(two, b"\x05\x06\x07") == {"b": 5.0}
    assert refusal(b"\x05\x06\x07\x08", two)[0] == "no_codec"


def test_a_frame_no_field_is_for_waits_for_a_codec() -> None:
    of_port_2 = codec({"name": "a", "offset": 0, "port": 2}, ignore_ports=[5, 202])

    assert refusal(b"\x01", of_port_2, 3)[0] == "no_codec"
    assert raw.read(of_port_2, b"\x01", 5) == ({}, [], set())
    assert values(of_port_2, b"\x01", 2) == {"a": 1.0}


def test_the_first_of_two_fields_of_one_name_counts() -> None:
    both = codec(
        {"name": "a", "offset": 0, "when": {"offset": 0, "equals": [1, 2]}},
        {"name": "a", "offset": 1},
    )

    assert values(both, b"\x01\x09") == {"a": 1.0}
    assert values(both, b"\x03\x09") == {"a": 9.0}


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        # The first five are the examples of myDevices and The Things Stack.
        ("03670110056700ff", {"temperature_3": 27.2, "temperature_5": 25.5}),
        ("0167ffd7", {"temperature_1": -4.1}),
        (
            "067104d2fb2e0000",
            {"accelerometer_6.x": 1.234, "accelerometer_6.y": -1.234, "accelerometer_6.z": 0.0},
        ),
        (
            "018806765ff2960a0003e8",
            {"gps_1.latitude": 42.3519, "gps_1.longitude": -87.9094, "gps_1.altitude": 10.0},
        ),
        ("007327bf006700de", {"barometric_pressure_0": 1017.5, "temperature_0": 22.2}),
        ("010001020100", {"digital_in_1": 1.0, "digital_out_2": 0.0}),
        (
            "0168a0026501f4036601",
            {"relative_humidity_1": 80.0, "luminosity_2": 500, "presence_3": 1},
        ),
        ("017401480275ea60037d01a4", {"voltage_1": 3.28, "current_2": 60, "concentration_3": 420}),
        ("018300003039028000640384010e", {"energy_1": 12.345, "power_2": 100, "direction_3": 270}),
        ("0167001001670020", {"temperature_1": 3.2}),
        ("0185659ed3c0", {"unixtime_1": 1704907712}),
        ("", {}),
    ],
)
def test_cayenne_lpp_reads_as_its_documentation_says(payload: str, said: dict[str, float]) -> None:
    lpp = Codec(standard="cayenne-lpp")

    assert values(lpp, bytes.fromhex(payload)) == said


@pytest.mark.parametrize(
    ("payload", "detail"),
    [
        ("0163", "byte 1: Cayenne LPP has no type 99"),
        ("01670110ff", "byte 4 is alone: a channel needs its type"),
        ("016701", "temperature_1 is cut: it needs 4 bytes"),
    ],
)
def test_cayenne_lpp_that_breaks_its_rules_is_refused_with_its_place(
    payload: str, detail: str
) -> None:
    lpp = Codec(standard="cayenne-lpp")

    assert refusal(bytes.fromhex(payload), lpp) == ("bad_payload", detail)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "either standard = 'cayenne-lpp' or a list of fields"),
        ("standard = 'cayenne'", "Input should be 'cayenne-lpp'"),
        ("standard = 'cayenne-lpp'\nfield = [{name = 'a', offset = 0}]", "either standard"),
        ("standard = 'cayenne-lpp'\nlength = 4", "remove length"),
        ("field = [{name = 'a'}]", "Field required"),
        ("field = [{name = '', offset = 0}]", "at least 1 character"),
        ("field = [{name = 'a', offset = '0'}]", "valid integer"),
        ("field = [{name = 'a', offset = 0, typ = 'u8'}]", "Extra inputs"),
        ("field = [{name = 'a', offset = 0, type = 'u16'}]", "write u16be or u16le"),
        ("field = [{name = 'a', offset = 0, type = 'word'}]", "'word' is no type; known are u8"),
        ("field = [{name = 'a', offset = -1, type = 'u16be'}]", "offset is -2 or less"),
        ("field = [{name = 'a', offset = 5000}]", "less than 1000"),
        ("field = [{name = 'a', offset = 0, scale = 0}]", "a scale of 0"),
        ("field = [{name = 'a', offset = 0, scale = inf}]", "finite"),
        ("field = [{name = 'a', offset = 0, shift = nan}]", "finite"),
        ("field = [{name = 'a', offset = 0, bits = [4, 5]}]", "u8 has 8"),
        ("field = [{name = 'a', offset = 0, bits = [0, 4], type = 'f32be'}]", "not from f32be"),
        ("field = [{name = 'a', offset = 0, type = 'bool', scale = 2}]", "a bool is 0 or 1"),
        ("field = [{name = 'a', offset = 0, missing = 256}]", "between 0 and 255"),
        ("field = [{name = 'a', offset = 0, missing = 1.5}]", "are whole"),
        ("field = [{name = 'a', offset = 0, type = 'f32be', missing = nan}]", "finite"),
        ("field = [{name = 'a', offset = 0, type = 'i16be', missing = 65535}]", "-32768 and 32767"),
        ("field = [{name = 'a', offset = 0, port = 0}]", "greater than or equal to 1"),
        ("field = [{name = 'a', offset = 0, when = {}}]", "say offset and equals"),
        ("field = [{name = 'a', offset = 0, when = {offset = 1}}]", "belong together"),
        (
            "field = [{name = 'a', offset = 0, when = {offset = 1, mask = 15, equals = 16}}]",
            "16 cannot come out of a byte under mask 15",
        ),
        ("field = [{name = 'a', offset = 0}, {name = 'a', offset = 1}]", "stands there twice"),
    ],
)
def test_a_codec_that_cannot_be_meant_is_refused_in_plain_words(written: str, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Codec.model_validate(tomllib.loads(written))

    assert said in str(refused.value)


FIELD = st.fixed_dictionaries(
    {
        "name": st.sampled_from("abcd"),
        "offset": st.integers(-12, 12),
        "type": st.sampled_from(sorted(LAYOUTS)),
    },
    optional={
        "bits": st.tuples(st.integers(0, 7), st.integers(1, 8)),
        "scale": st.floats(allow_nan=False, allow_infinity=False),
        "shift": st.floats(allow_nan=False, allow_infinity=False),
        "missing": st.integers(0, 255),
        "port": st.integers(1, 3),
        "optional": st.booleans(),
        "when": st.fixed_dictionaries(
            {"offset": st.integers(-3, 3), "equals": st.integers(0, 255)}
        ),
    },
)


@settings(max_examples=500)
@given(fields=st.lists(FIELD, min_size=1, max_size=4), payload=st.binary(max_size=16))
def test_no_codec_and_no_bytes_raise_anything_but_undecodable(
    fields: list[dict[str, Any]], payload: bytes
) -> None:
    try:
        of = codec(*fields)
    except ValidationError:
        return
    try:
        frame = raw.read(of, payload, 2)
    except Undecodable:
        return
    assert all(not math.isinf(value) for value, _ in frame.values.values())


@settings(max_examples=500)
@given(payload=st.binary(max_size=40))
def test_no_bytes_break_cayenne_lpp(payload: bytes) -> None:
    try:
        frame = raw.read(Codec(standard="cayenne-lpp"), payload, 1)
    except Undecodable:
        return
    assert all(math.isfinite(value) for value, _ in frame.values.values())
    assert frame.itself <= set(frame.values)


@given(raw_value=st.integers(-32768, 32767))
def test_hundredths_come_out_as_they_are_written(raw_value: int) -> None:
    assert one(raw_value.to_bytes(2, "big", signed=True).hex(), type="i16be", scale=0.01) == float(
        f"{raw_value}e-2"
    )


def test_the_codec_that_the_documentation_shows_is_the_one_tried_here() -> None:
    read_me = (FORMATS / "README.md").read_text()
    [shown] = [block for block in read_me.split("```toml\n") if "dragino-lht65" in block]
    head = '[city]\nname = "x"\ntimezone = "UTC"\n[[territory]]\ncode = "99001"\nname = "x"\n'
    [profile] = parse(head + shown.split("```")[0], SENSORS).profiles

    assert profile.codec == Codec.model_validate(tomllib.loads(LHT65))
