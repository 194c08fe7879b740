"""A realistic message of every format, and the JSON that says the same where it is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from google.protobuf.json_format import MessageToJson

from collector.formats.births import LiveBirths
from collector.formats.format import Hints
from collector.formats.registry import FORMATS
from collector.formats.senml import read_pack, resolve
from collector.formats.senml_write import write_pack
from collector.formats.sparkplug_schema import DataType, Payload
from storage.codec import Codec

CASES = Path(__file__).parent.parent / "cases"
NOW_US = 1_772_355_600_000_000

# Cases that are messages as devices send them; of other formats the largest one is taken.
OF_CASES = (
    "chirpstack/members_of_the_object_are_readings",
    "chirpstack/bytes_are_read_by_the_profile_s_codec",
    "chirpstack/cayenne_lpp_names_fields_by_channel",
    "tts/members_of_the_decoded_payload_are_readings",
    "tts/bytes_are_read_by_the_profile_s_codec",
    "ngsi/ld_normalised",
    "ngsi/v2_normalised",
    "ngsi/v2_key_values",
    "shelly/notification_of_a_switch",
    "shelly/three_phase_meter",
    "shelly/first_generation_meter_totals_are_watt_hours",
    "tasmota/energy_of_a_plug",
    "tasmota/a_meter_over_teleinfo",
    "zigbee2mqtt/climate_sensor",
    "zigbee2mqtt/metering_plug_with_settings",
    "tic/standard_frame_in_summer_time",
    "tic/historic_frame",
    "tic/flat_json_of_zero_padded_text",
    "dsmr/dsmr_4_with_gas",
)

VALUES = b'"no2": 12.5, "o3": 41, "pm10": 18.25, "temperature": 17.5}'
PLAIN = {
    "4 values, ISO time": b'{"time": "2024-05-01T12:34:56.123456Z", ' + VALUES,
    "4 values, local time": b'{"time": "2024-05-01T12:34:56", ' + VALUES,
    "4 values, epoch ms": b'{"ts": 1714566896123, ' + VALUES,
    "4 values, no time": b"{" + VALUES,
    "4 values as text": (
        b'{"time": "2024-05-01T12:34:56Z", "a": "1.5", "b": "2", "c": "3", "d": "4"}'
    ),
    "one number": b"21.5",
}
PACK = (
    b'[{"bn": "urn:dev:a:", "bt": 1714566896.5, "n": "no2", "u": "ug/m3", "v": 12.5},'
    b'{"n": "o3", "u": "ug/m3", "v": 41}, {"n": "pm10", "u": "ug/m3", "v": 18.25},'
    b'{"n": "temperature", "u": "Cel", "v": 17.5}]'
)
AIRROHR = {
    "esp8266id": "12041741",
    "software_version": "NRZ-2020-133",
    "sensordatavalues": [
        {"value_type": name, "value": value}
        for name, value in (
            ("SDS_P1", "35.67"), ("SDS_P2", "17.00"), ("BME280_temperature", "-2.83"),
            ("BME280_humidity", "66.73"), ("BME280_pressure", "100535.97"), ("samples", "3016882"),
            ("min_micro", "77"), ("max_micro", "26303"), ("interval", "145000"), ("signal", "-66"),
        )
    ],
}  # fmt: skip
OBSERVATION = {
    "@iot.selfLink": "https://sta.example.org/v1.1/Observations(7700123)",
    "@iot.id": 7700123,
    "phenomenonTime": "2026-03-01T08:00:00Z/2026-03-01T08:15:00Z",
    "resultTime": "2026-03-01T08:15:02Z",
    "result": 42,
    "resultQuality": "good",
    "Datastream@iot.navigationLink": "https://sta.example.org/v1.1/Observations(7700123)/Datastream",
    "FeatureOfInterest@iot.navigationLink": "https://sta.example.org/v1.1/Observations(7700123)/FeatureOfInterest",
}
ARRAYS = [
    {
        "Datastream": {"@iot.id": 12},
        "components": ["phenomenonTime", "result", "FeatureOfInterest/id"],
        "dataArray@iot.count": 10,
        "dataArray": [[f"2026-03-01T08:{n:02}:00+01:00", 20 + n, 1] for n in range(10)],
    }
]


class Sample(NamedTuple):
    """One message; ``equivalent`` is JSON that says the same, where the message is no JSON."""

    name: str
    format: str
    payload: bytes
    hints: Hints
    equivalent: bytes = b""


def samples() -> list[Sample]:
    """At least one message of every format of the registry."""
    found = [*_plain(), *_senml(), *_sparkplug(), *_others(), *map(_of_case, OF_CASES)]
    have = {sample.format for sample in found}
    return found + [_of_case(_largest(name)) for name in FORMATS if name not in have]


def _plain() -> list[Sample]:
    return [
        Sample(name, "plain", payload, Hints("a", "Europe/Paris", topic="city/a"))
        for name, payload in PLAIN.items()
    ]


def _senml() -> list[Sample]:
    records = resolve(read_pack(PACK), NOW_US / 1e6)
    hints = Hints("a", topic="senml/a")
    return [
        Sample("4 records", "senml", PACK, hints),
        Sample("4 records in CBOR", "senml", write_pack(records, "cbor"), hints, PACK),
    ]


def _sparkplug() -> list[Sample]:
    names = ("no2", "o3", "pm10", "pm25", "temperature", "humidity")
    at = NOW_US // 1000

    def message(**said: Any) -> Any:
        metrics = [
            {"timestamp": at, "alias": alias, "double_value": 12.5 + alias,
             **({"name": name.encode(), "datatype": DataType.DOUBLE} if said else {})}
            for alias, name in enumerate(names, 1)
        ]  # fmt: skip
        return Payload(timestamp=at, metrics=metrics, **said)

    births = LiveBirths()
    birth, data = message(seq=0), message()
    topic = "spBv1.0/city/{}/gw-1"
    born = Hints("gw-1", topic=topic.format("NBIRTH"), births=births)
    FORMATS["sparkplug"].decode(birth.SerializeToString(), born, NOW_US)
    return [
        Sample(name, "sparkplug", one.SerializeToString(), hints, _protobuf_json(one))
        for name, one, hints in (
            ("NBIRTH of 6 metrics", birth, born),
            ("NDATA of 6 aliases", data, born._replace(topic=topic.format("NDATA"))),
        )
    ]


def _protobuf_json(message: Any) -> bytes:
    return MessageToJson(message, preserving_proto_field_name=True).encode()


def _others() -> list[Sample]:
    return [
        Sample("5 values and 5 of its own", "airrohr", _json(AIRROHR), Hints("a", topic="a")),
        Sample(
            "Observation", "sensorthings", _json(OBSERVATION),
            Hints("", topic="v1.1/Datastreams(12)/Observations"),
        ),
        Sample(
            "data array of 10", "sensorthings", _json(ARRAYS),
            Hints("", topic="v1.1/CreateObservations"),
        ),
    ]  # fmt: skip


def _json(message: Any) -> bytes:
    return json.dumps(message).encode()


def _largest(name: str) -> str:
    """The longest message among the cases of a format that are read."""
    folders = [
        one for one in (CASES / name).iterdir()
        if '"undecodable"' not in (one / "expected.json").read_text()
    ]  # fmt: skip
    return f"{name}/{max(folders, key=lambda one: len(_payload(one))).name}"


def _payload(folder: Path) -> bytes:
    [file] = folder.glob("payload.*")
    return file.read_bytes()


def _of_case(case: str) -> Sample:
    folder = CASES / case
    name, _, rule = case.partition("/")
    said = json.loads((folder / "expected.json").read_text())["hints"]
    if "codec" in said:
        said["codec"] = Codec.model_validate(said["codec"])
    hints = Hints(**{"topic": (folder / "topic.txt").read_text().strip(), **said})
    payload = _payload(folder)
    try:
        json.loads(payload)
    except ValueError:
        return Sample(rule.replace("_", " "), name, payload, hints, _lines_as_json(payload))
    return Sample(rule.replace("_", " "), name, payload, hints)


def _lines_as_json(payload: bytes) -> bytes:
    """A telegram as an object: what stands before the first blank or parenthesis, and the rest."""
    pairs = (
        line.replace("(", " (", 1).split(maxsplit=1)
        for line in payload.decode("latin-1").splitlines()
    )
    return _json({pair[0]: pair[-1] for pair in pairs if pair})
