"""Units and scales on their way from the message to the reading, and what bindings ignore."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import json

import numpy as np
import pytest

from collector.decode import Decoding
from collector.topics import ignored
from storage.codec import Codec
from storage.intake import Intake
from storage.routes import BindingRow, Routes
from tests.unit.small_routes import OLDEST, PAYLOAD_BYTES, message, routes


def intake(topic: str, payload: object, known: Routes) -> Intake:
    decoding = Decoding(known, payload_bytes=PAYLOAD_BYTES, oldest=OLDEST, ahead_s=600)
    return decoding.intake([message(topic, json.dumps(payload).encode())])


def scaled(**factors: float) -> Routes:
    """The small registry, with numbers of some fields multiplied before their unit counts."""
    known = routes()
    scale = known.scale.copy()
    for field, factor in factors.items():
        scale[known.sensors["air-1"][1][field]] *= factor
    return dataclasses.replace(known, scale=scale)


def test_a_gas_sent_in_parts_per_billion_is_kept_as_a_mass():
    pack = [{"n": "no2", "u": "ppb", "v": 40}, {"n": "o3", "u": "ug/m3", "v": 100}]

    found = intake("senml/air-1", pack, routes())

    assert found.batch.value == pytest.approx([76.520, 100], abs=1e-3)
    assert found.refusals == []


def test_what_does_not_fit_is_refused_and_the_rest_kept():
    pack = [{"n": "no2", "u": "Cel", "v": 40}, {"n": "o3", "u": "mg/m3", "v": 0.1}]

    found = intake("senml/air-1", pack, routes())

    assert found.batch.value == pytest.approx([100])
    assert [str(refusal.reason) for refusal in found.refusals] == ["bad_unit"]


@pytest.mark.parametrize(
    ("unit", "sent", "kept"),
    [("Cel", 215, 21.5), ("K", 2931.5, 20), (None, 500, 10), ("degF", 500, 10)],
)
def test_a_scale_counts_before_the_unit_whoever_says_the_unit(
    unit: str | None, sent: float, kept: float
):
    record = {"n": "temp", "v": sent} | ({} if unit is None else {"u": unit})

    found = intake("senml/air-1", [record], scaled(temp=0.1))

    assert found.batch.value == pytest.approx([kept])


def test_units_of_many_messages_are_applied_each_to_its_own_reading():
    decoding = Decoding(scaled(no2=2.0), payload_bytes=PAYLOAD_BYTES, oldest=OLDEST, ahead_s=600)
    units = ["ug/m3", "mg/m3", "ppb", None]
    sent = [
        message(
            "senml/air-1",
            json.dumps(
                [{"n": "no2", "v": n / 1000} | ({"u": units[n % 4]} if units[n % 4] else {})]
            ).encode(),
            n,
        )
        for n in range(400)
    ]

    found = decoding.intake(sent)

    by_unit = np.array([1, 1000, 1.91301, 1])
    expected = [2 * n / 1000 * by_unit[n % 4] for n in range(400)]
    assert found.batch.value == pytest.approx(expected, rel=1e-5)


def test_a_stored_unit_that_no_longer_fits_counts_as_it_was_stored():
    known = routes()
    position = known.sensors["air-1"][1]["temp"]
    unit = (*known.unit[:position], "V.A", *known.unit[position + 1 :])

    found = intake(
        "senml/air-1", [{"n": "temp", "u": "Cel", "v": 20}], dataclasses.replace(known, unit=unit)
    )

    assert found.batch.value == pytest.approx([20])


@pytest.mark.parametrize(
    ("ignore", "left"),
    [
        ({"status.*"}, ["rssi", "status_2"]),
        ({"status*"}, ["rssi"]),
        ({"status.*", "rssi"}, ["status_2"]),
        ({"status.x"}, ["rssi", "status.y.z", "status_2"]),
        (set(), ["rssi", "status.x", "status.y.z", "status_2"]),
    ],
)
def test_a_binding_ignores_names_and_beginnings_of_names(ignore: set[str], left: list[str]):
    known = dataclasses.replace(
        routes(), bindings=(BindingRow("b/{sensor}", "plain", "UTC", "", frozenset(ignore)),)
    )
    said = {"no2": 5, "rssi": -90, "status": {"x": 1, "y": {"z": 2}}, "status_2": 3}

    found = intake("b/air-1", said, known)

    assert found.batch.value.tolist() == [5]
    assert sorted(refusal.field for refusal in found.refusals) == left


@pytest.mark.parametrize("ignore", ["no2", "no*"])
def test_what_somebody_registered_is_taken_whatever_the_binding_ignores(ignore: str):
    known = dataclasses.replace(
        routes(), bindings=(BindingRow("b/{sensor}", "plain", "UTC", "", frozenset({ignore})),)
    )

    flat = intake("b/air-1", {"no2": 5, "o3": 6}, known)
    nested = intake("b/air-1", {"no2": 5, "o3": 6, "nothing": {"more": 1}}, known)

    assert flat.batch.value.tolist() == [5, 6]
    assert nested.batch.value.tolist() == [5, 6]


def test_names_without_a_star_stay_a_plain_set():
    names = frozenset({"a", "b.c"})

    assert ignored(names) is names
    assert "a" not in ignored(frozenset({"b*"}))


@pytest.mark.parametrize(
    ("sensors", "binding", "kept"),
    [
        ({"air-1": "tenths"}, None, 21.5),
        ({}, "hundredths", 2.15),
        ({"air-1": "tenths"}, "hundredths", 21.5),  # the device's own comes first
        ({}, None, None),
    ],
)
def test_bytes_are_read_by_the_codec_of_the_device_else_of_the_binding(
    sensors: dict[str, str], binding: str | None, kept: float | None
):
    codecs = {
        name: Codec.model_validate(
            {
                "field": [
                    {"name": "temp", "offset": 0, "type": "u16be", "scale": scale, "unit": "Cel"}
                ]
            }
        )
        for name, scale in (("tenths", 0.1), ("hundredths", 0.01))
    }
    row = BindingRow(
        "application/+/device/{sensor}/event/+", "chirpstack", "UTC", "", frozenset(),
        codecs[binding] if binding else None,
    )  # fmt: skip
    known = dataclasses.replace(
        routes(), bindings=(row,), codecs={code: codecs[name] for code, name in sensors.items()}
    )
    at = datetime.datetime(2026, 3, 1, 9, tzinfo=datetime.UTC).isoformat()
    up = {"deviceInfo": {"devEui": "a84041ffff000001"}, "fPort": 2, "time": at,
          "data": base64.b64encode(bytes([0, 215])).decode()}  # fmt: skip

    found = intake("application/a/device/air-1/event/up", up, known)

    if kept is None:
        assert [str(refusal.reason) for refusal in found.refusals] == ["no_codec"]
    else:
        assert found.batch.value == pytest.approx([kept])
