"""No personal identifier reaches the disk: what is found, what is left alone, what is kept."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.formats.format import Hints, Undecodable
from collector.formats.registry import FORMATS
from collector.masking import mask_payload
from collector.personal import kind, mask, names_identifier
from storage.intake import RefusalRow
from storage.reading import Reason
from tests.unit.small_routes import LISTED, NOW_US, decoding, message, written

PERSONAL = {
    "a MAC address": [
        "a4:c1:38:00:11:22", "A4-C1-38-00-11-22", "a4c1.3800.1122", "A4C138001122",
        "00:15:8d:00:01:a2:b3:c4", "shellyplus1pm-a8032ab12345",
    ],
    "an IMEI": ["490154203237518", "35-693803-564380-9", "35 693803 564380 9"],
    "a phone number": [
        "+33612345678", "+33 6 12 34 56 78", "+33 (0)6 12 34 56 78", "0033612345678",
        "0612345678", "06 12 34 56 78", "06.12.34.56.78", "06-12-34-56-78",
        "06\u00a012\u00a034\u00a056\u00a078", "+49 151 12345678", "+32 2 123 45 67",
        "+44 20 7946 0958", "+1-212-555-0123", "+352 621 123 456",
    ],
    "a vehicle plate": [
        "AB-123-CD", "AB123CD", "AB 123 CD", "ab-123-cd", "123 AB 45", "1234 XY 2A",
        "B-MW 1234", "HH-X 12", "M-AB-1234E", "1-ABC-234", "1234 BCD", "12-BDF-3", "G-123-BB",
        "AB12 CDE",
    ],
    "an e-mail address": [
        "jean.dupont@ville.example", "jean.dupont+bus@mail.ville.fr", "é.x@mairie.fr",
        "jean%40ville.fr",
    ],
}  # fmt: skip
IDENTIFIERS = [(what, text) for what, texts in PERSONAL.items() for text in texts]
INNOCENT = [
    "2024-05-01T12:34:56+02:00", "2024-05-01 12:34:56.123456", "24-05-01-12-34-56",
    "20240501T123456Z", "1714566896", "1714566896123", "1714566896123456", "1714566896123456789",
    "0000123456", "021961012345", "000923.271", "+12.5", "-123456789.123456789", "+1.2345678901",
    "0.0612345678", "1.5e-10", "123456789e12", "123456789012", "9999999999999",
    "490154203237517", "192.168.10.23", "2001:db8::ff00:42:8329", "v1.12.3-beta", "1.2.3+20240501",
    "230 V 50 Hz", "1013 HPA", "1200 RPM", "2400 MHZ", "12 DEC 25", "01 JAN 26", "100 KM 20",
    "20 MIN 45", "PM10 AVG", "CO2 400 ppm", "WI-FI 24", "EU868", "EM300-TH-868", "200 OK",
    "550e8400-e29b-41d4-a716-446655440000", "00158d0001a2b3c4", "urn:dev:mac:0024befffe804ff1",
    "48.117266, -1.677793", "FR-35000", "75001 Paris", "user@localhost", "@context", "HC..",
    "temperature", "ENERGY.ApparentPower", "switch:0", "d41d8cd98f00b204e9800998ecf8427e",
]  # fmt: skip


@pytest.mark.parametrize(("what", "text"), IDENTIFIERS)
def test_an_identifier_is_found_by_itself_and_inside_other_text(what: str, text: str):
    assert [kind(text), kind(f"seen: {text}, twice"), kind(f"({text})")] == [what] * 3


@pytest.mark.parametrize("text", INNOCENT)
def test_what_devices_send_is_no_identifier(text: str):
    assert kind(text) == ""
    assert mask(text) == text


@pytest.mark.parametrize(("what", "text"), IDENTIFIERS)
def test_a_masked_identifier_has_its_length_and_nothing_readable(what: str, text: str):
    masked = mask(f"<{text}>")

    assert len(masked.encode()) == len(text.encode()) + 2
    own = masked[1:-1].removeprefix("shellyplus1pm-")
    assert not re.search(r"[^\W_]", own.replace("%40", ""))


@pytest.mark.parametrize(("what", "text"), IDENTIFIERS)
def test_a_value_that_is_an_identifier_is_refused_without_being_repeated(what: str, text: str):
    payload = json.dumps({"time": "2026-03-01T08:00:00Z", "no2": 21.5, "seen": text})
    intake = decoding().intake([message("city/99001/mairie/air-1", payload.encode())])

    assert intake.batch.value.tolist() == [21.5]
    (row,) = written(intake)
    assert (row.field, row.reason, row.masked) == ("seen", Reason.PERSONAL, True)
    assert row.detail == f"{what} must not be sent"
    kept = json.loads(row.payload)
    assert (kept["no2"], kept["time"]) == (21.5, "2026-03-01T08:00:00Z")
    assert len(row.payload) == len(payload)
    assert text not in repr(row)


@pytest.mark.parametrize("text", ["+33612345678", "0612345678", "490154203237518"])
def test_an_identifier_that_reads_as_a_number_is_no_reading_even_of_a_known_field(text: str):
    intake = decoding().intake(
        [message("city/99001/mairie/air-1", json.dumps({"no2": text}).encode())]
    )

    assert len(intake.batch) == 0
    assert [(row.field, row.reason) for row in intake.refusals] == [("no2", "personal")]


def test_a_text_value_of_a_pack_is_refused_as_personal():
    pack = b'[{"bn": "air-1:", "n": "no2", "vs": "AB-123-CD"}, {"n": "no2", "v": 3}]'
    intake = decoding().intake([message("packs/x", pack)])

    assert intake.batch.value.tolist() == [3.0]
    assert [(row.reason, row.field) for row in intake.refusals] == [("personal", "no2")]
    assert b"AB-123-CD" not in written(intake)[0].payload


def test_an_address_as_a_field_name_is_refused_as_personal_and_masked():
    payload = b'{"a4:c1:38:00:11:22": -61, "no2": 3}'
    (row,) = written(decoding().intake([message("city/99001/mairie/air-1", payload)]))

    assert (row.reason, row.field) == (Reason.PERSONAL, "**:**:**:**:**:**")
    assert row.payload == b'{"**:**:**:**:**:**": -61, "no2": 3}'
    assert "a4:c1" not in row.detail


@pytest.mark.parametrize(("what", "text"), [one for one in IDENTIFIERS if "." not in one[1]])
def test_an_identifier_inside_the_path_of_a_field_is_masked(what: str, text: str):
    payload = json.dumps({"seen": {text: {"0": 1}}}).encode()
    (row,) = written(decoding().intake([message("city/99001/mairie/air-1", payload)]))

    assert row.reason == Reason.PERSONAL
    assert [kept for kept in (row.field, row.detail, row.payload.decode()) if text in kept] == []


@pytest.mark.parametrize(
    ("payload", "masked"),
    [
        (b'{"x": 1, "imei": 490154203237518}', b'{"x": 1, "imei": null           }'),
        (b'{"x": 1, "driver phone": 33612345678}', b'{"x": 1, "driver phone": null       }'),
        (b'{"x": 1, "plate": "ZH 12345"}', b'{"x": 1, "plate": "** *****"}'),
        (b'{"x": 1, "device": {"mac": "123456789012"}}',
         b'{"x": 1, "device": {"mac": "************"}}'),
        (b'{"x": 1, "ADCO": "021528603314"}', b'{"x": 1, "ADCO": "************"}'),
    ],
)  # fmt: skip
def test_a_name_that_announces_an_identifier_hides_what_no_pattern_can_tell(
    payload: bytes, masked: bytes
):
    rows = written(decoding().intake([message("city/99001/mairie/air-1", payload)]))

    assert rows[0].payload == masked
    assert [row.reason for row in rows] == ["unknown_field", "personal"]


@pytest.mark.parametrize(
    "name", ["microphone", "email_count", "template", "platelet", "index", "hotel"]
)
def test_a_name_of_a_measurement_announces_nothing(name: str):
    assert not names_identifier(name)


def test_numbers_are_never_taken_for_identifiers():
    payload = b'{"energy": 490154203237518, "ts_us": 1714566896123456, "seen": [490154203237518]}'

    assert mask_payload(payload) == payload
    assert mask_payload(b'{"seen": "490154203237518"}') == b'{"seen": "***************"}'


@pytest.mark.parametrize(
    ("payload", "hidden"),
    [
        (rb'{"a": "jean\u0040ville.fr"}', rb'{"a": "****\u002a*****.**"}'),
        (rb'{"a": "\u0041B-123-CD"}', rb'{"a": "\u002a*-***-**"}'),
        (rb'{"a": "\nAB-123-CD\t"}', rb'{"a": "\n**-***-**\t"}'),
        (rb'{"a": "06\u00a012\u00a034\u00a056\u00a078"}',
         rb'{"a": "**\u002a**\u002a**\u002a**\u002a**"}'),
        ('{"a": "é AB-123-CD é"}'.encode(), '{"a": "é **-***-** é"}'.encode()),
        ('{"a": "AB-123-CD'.encode("utf-16-le"), '{"a": "**-***-**'.encode("utf-16-le")),
        (b'\xff AB-123-CD \xfe', b"\xff **-***-** \xfe"),
        (b"490154203237518;06 12 34 56 78\r\n", b"***************;** ** ** ** **\r\n"),
        (b"id=a4%3Ac1%3a38%3A00%3A11%3A22&load=50%25",
         b"id=**%****%****%****%****%****&load=50%25"),
        (b"call=%2B33612345678&of=AB%2D123%2DCD", b"call=%*************&of=**%*****%****"),
    ],
)  # fmt: skip
def test_no_encoding_hides_an_identifier(payload: bytes, hidden: bytes):
    assert mask_payload(payload) == hidden


def test_registered_names_stay_readable_in_payload_topic_and_detail():
    topic = f"city/99001/mairie/{LISTED}"
    payload = json.dumps({"mac": LISTED, "other": "a4c138001133", "no2": 9e9}).encode()
    rows = written(decoding().intake([message(topic, payload)]))

    assert {row.topic for row in rows} == {topic}
    kept = json.loads(rows[0].payload)
    assert (kept["mac"], kept["other"]) == (LISTED, "************")
    assert [row.reason for row in rows] == ["personal", "personal", "out_of_range"]


def test_an_unknown_device_of_the_topic_stays_readable_so_that_it_can_be_registered():
    (row,) = written(decoding().intake([message("city/99001/mairie/a4c138001133", b'{"no2": 1}')]))

    assert (row.topic, row.masked) == ("city/99001/mairie/a4c138001133", False)
    assert row.detail == "sensor 'a4c138001133' is not registered"


def test_an_unknown_device_of_a_payload_is_masked_and_a_known_one_is_not():
    pack = [
        {"bn": f"{LISTED}:", "n": "odd", "v": 1},
        {"bn": "a4c138001133:", "n": "no2", "v": 1},
    ]
    rows = written(decoding().intake([message("packs/x", json.dumps(pack).encode())]))

    assert [row.reason for row in rows] == ["unknown_field", "unknown_sensor"]
    assert [record["bn"] for record in json.loads(rows[0].payload)] == [
        f"{LISTED}:", "************:",
    ]  # fmt: skip
    assert rows[1].detail == "sensor '************' is not registered"


@pytest.mark.parametrize(
    ("topic", "kept"),
    [
        ("tele/a4c138001122/AB-123-CD/up", "tele/************/**-***-**/up"),
        ("bare/jean@ville.fr", "bare/****@*****.**"),
        ("packs/a4c138001122/x", "packs/************/x"),
        ("tele/tasmota_D6C0C0/SENSOR", "tele/tasmota_D6C0C0/SENSOR"),
    ],
)
def test_levels_of_a_topic_that_no_binding_names_are_masked(topic: str, kept: str):
    (row,) = written(decoding().intake([message(topic, b'{"n": 1}')]))

    assert (row.topic, row.masked) == (kept, topic != kept)


def test_what_the_database_rejects_or_finds_in_conflict_is_masked_too():
    reader = decoding()
    one = message("city/99001/mairie/air-1", b'{"no2": 1, "battery": "AB-123-CD"}')
    (rejected,) = written(reader.rejected(one, "error at 'jean@ville.fr'"))
    intake = reader.intake([one])
    conflict = intake.mask(
        RefusalRow(NOW_US, 1, one.topic, intake.payload[0], "no2", Reason.CONFLICT, "other"), 0
    )
    conflict = intake.mask_payload(conflict, 0)

    assert intake.refusals == []
    assert (rejected.detail, rejected.masked) == ("error at '****@*****.**'", True)
    assert rejected.payload == conflict.payload == b'{"no2": 1, "battery": "**-***-**"}'
    assert conflict.masked


def test_the_cut_of_a_large_message_leaves_no_half_of_an_identifier():
    payload = b'{"a": "' + b" " * 4080 + b"jean.dupont@ville.fr" + b" " * 9000 + b'"}'
    (row,) = written(decoding().intake([message("city/99001/mairie/air-1", payload)]))

    assert (row.reason, len(row.payload), row.bytes) == (Reason.TOO_LARGE, 4096, len(payload))
    assert b"jean" not in row.payload


@pytest.mark.parametrize(
    "piece",
    [
        b"@a.",
        b"a@b.fr ",
        b"AB-12-",
        b'"',
        b'"a_',
        b"\\u0041",
        b"+1 2 ",
        b"aa:bb:",
        b"0 ",
        b"1",
        b"00-",
        b"00:",
        b"0000.",
        b"a0",
        b"A1 ",
        b"a.",
        b'"imei":',
        b"06.",
    ],
)
def test_hiding_takes_time_in_proportion_to_the_length(piece: bytes):
    def seconds(length: int) -> float:
        payload = piece * (length // len(piece)) + b"x"
        spent = []
        for _ in range(3):
            started = time.process_time()
            mask_payload(payload)
            spent.append(time.process_time() - started)
        return min(spent)

    assert seconds(128_000) < 40 * seconds(16_000) + 0.05


words = st.sampled_from([text for _, text in IDENTIFIERS] + INNOCENT)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | words | st.text(max_size=20)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(words | st.sampled_from(["imei", "phone", "plate", "mac", "no2"]), inner, max_size=4)
    ),
    max_leaves=12,
)  # fmt: skip


@given(value=anything, ascii=st.booleans())
def test_masked_json_is_json_of_equal_length_and_holds_no_identifier(value: object, ascii: bool):
    payload = json.dumps(value, ensure_ascii=ascii).encode("utf-8", "surrogatepass")
    try:
        payload.decode()
    except UnicodeDecodeError:
        return
    masked = mask_payload(payload)

    assert len(masked) == len(payload)
    assert list(texts(json.loads(masked))) == [
        text for text in texts(json.loads(masked)) if kind(text) == ""
    ]
    assert mask_payload(masked) == masked


def texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [one for key, inner in value.items() for one in [key, *texts(inner)]]
    return [one for inner in value for one in texts(inner)] if isinstance(value, list) else []


@given(text=st.lists(words | st.text(max_size=6), max_size=6).map("".join))
def test_masked_text_is_as_long_and_masked_again_the_same(text: str):
    masked = mask(text)

    assert len(masked.encode()) == len(text.encode())
    assert mask(masked) == masked


@given(payload=st.binary(max_size=300))
def test_any_bytes_can_be_masked(payload: bytes):
    assert len(mask_payload(payload)) == len(payload)


def test_every_recorded_payload_decodes_as_before_and_is_masked_where_it_must_be(shared: Path):
    masked_files, personal = set(), set()
    for path in sorted((shared / "data" / "payloads").rglob("*")):
        whole = path.read_bytes() if path.is_file() and path.name != "README.md" else b""
        for payload in whole.splitlines() if path.suffix == ".ndjson" else [whole]:
            masked = mask_payload(payload)
            assert len(masked) == len(payload)
            if masked != payload:
                masked_files.add(path.name)
            for decode in (one.decode for one in FORMATS.values()):
                try:
                    decoded = decode(payload, Hints("s1"), NOW_US)
                except Undecodable:
                    with pytest.raises(Undecodable):
                        decode(masked, Hints("s1"), NOW_US)
                    continue
                again = decode(masked, Hints("s1"), NOW_US)
                # A meter's address is digits alone: until it is masked it reads as a number.
                readings = [r for r in decoded.readings if not names_identifier(r.field)]
                assert [r[:3] for r in again.readings] == [r[:3] for r in readings]
                personal |= {r.field for r in decoded.refusals if r.reason is Reason.PERSONAL}

    assert masked_files <= {
        "station_information.1.json", "gen2_plus1pm_device_dump.json", "teleinfo_sensor.ndjson",
        "TELEGRAM_V2_2.txt", "TELEGRAM_V4_2.txt",
    }  # fmt: skip
    assert personal == {
        "config.mqtt.client_id", "config.sys.device.mac", "data.stations.0.contact_phone",
        "shelly.id", "shelly.mac", "status.sys.mac",
    }  # fmt: skip
