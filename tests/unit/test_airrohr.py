"""airRohr messages: a recorded one, and what damage may do to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.formats import airrohr
from collector.formats.format import Hints
from tests.unit.damaged import check, damaged, damaged_bytes, text

MESSAGE: dict[str, Any] = {
    "esp8266id": "12041741",
    "software_version": "NRZ-2020-133",
    "sensordatavalues": [
        {"value_type": "SDS_P1", "value": "35.67"},
        {"value_type": "SDS_P2", "value": "17.00"},
        {"value_type": "BME280_pressure", "value": "100535.97"},
        {"value_type": "signal", "value": "-66"},
        {"value_type": "GPS_timestamp", "value": "2024-05-01T12:34:56.000"},
    ],
}


def test_the_recorded_message_is_read_as_its_readme_says(shared: Path) -> None:
    payload = (shared / "data/payloads/sensor-community/airrohr.json").read_bytes()

    decoded = airrohr.decode(payload, Hints("", topic="airrohr"), 1_717_236_000_000_000)

    assert decoded.refusals == []
    assert {reading.sensor for reading in decoded.readings} == {"esp8266-12041741"}
    assert [one[1:5] for one in decoded.readings] == [
        ("SDS_P1", None, 35.67, "ug/m3"),
        ("SDS_P2", None, 17.0, "ug/m3"),
        ("BME280_temperature", None, -2.83, "Cel"),
        ("BME280_humidity", None, 66.73, "%"),
        ("BME280_pressure", None, 100535.97, "Pa"),
    ]
    assert [(one.field, one.value) for one in decoded.offered] == [
        ("samples", 3016882.0),
        ("min_micro", 77.0),
        ("max_micro", 26303.0),
        ("signal", -66.0),
    ]


@pytest.mark.parametrize(
    ("message", "fits"),
    [
        (MESSAGE, True),
        ({"sensordatavalues": []}, True),
        ({"sensordatavalues": 1}, False),
        ({"note": "sensordatavalues"}, False),
        ({"SDS_P1": 35.67}, False),
    ],
)
def test_only_a_list_of_sensordatavalues_looks_like_airrohr(message: Any, fits: bool) -> None:
    assert airrohr.fits("city/99001/mairie/air-1", json.dumps(message).encode()) is fits


@given(message=damaged(MESSAGE))
@settings(max_examples=300)
def test_no_damaged_message_raises_anything_but_undecodable(message: Any) -> None:
    check("airrohr", text(message), Hints("", topic="airrohr"))


@given(payload=st.just(json.dumps(MESSAGE).encode()).flatmap(damaged_bytes))
@settings(max_examples=200)
def test_no_cut_or_spliced_message_raises_anything_but_undecodable(payload: bytes) -> None:
    check("airrohr", payload, Hints("esp8266-1", topic="airrohr/esp8266-1"))
