"""NGSI entities as published by the Smart Data Models, and what no mutation of them may do."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.formats import ngsi
from collector.formats.format import Hints, Undecodable
from collector.formats.ngsi_entities import sensor_of
from collector.formats.registry import FORMATS
from collector.formats.smart_models import MODELS
from collector.formats.unit_codes import UCUM
from storage.units import UnitError, check_unit, conversion

MADRID = Hints("", "Europe/Madrid")
ELEVEN_LOCAL = 1_458_036_000_000_000  # 2016-03-15T10:00:00Z
INTERVAL_START = 1_481_109_000_000_000  # 2016-12-07T11:10:00Z
GASES = {"co": 500, "no": 45, "nox": 139, "so2": 11}
WEATHER = {
    "precipitation": (0, "L/m2"), "relativeHumidity": (0.54, "1"), "temperature": (12.2, None),
    "windSpeed": (0.64, None), "airQualityIndex": (65, None),
}  # fmt: skip
PARTICLES = {"pm4": (37, None), "tpc": (108, None), "tsp": (73.3, None), "pressure": (1.1, "hPa")}
CODES = {"co": "mg/m3", "no": "ug/m3", "no2": "ug/m3", "nox": "ug/m3", "so2": "ug/m3"}
AIR = {
    "AirQualityObserved.example.json": {
        **{name: (value, None) for name, value in (GASES | {"co2": 69}).items()},
        **WEATHER, **PARTICLES, "windDirection": (176, "deg"),
    },
    "AirQualityObserved.example.jsonld": {
        **{name: (value, None) for name, value in (GASES | {"no2": 69}).items()},
        **WEATHER, "windDirection": (180, "deg"),
    },
    "AirQualityObserved.example-normalized.json": {
        **{name: (value, CODES[name]) for name, value in (GASES | {"no2": 69}).items()},
        **WEATHER, **PARTICLES, "windDirection": (176, "deg"),
    },
    "AirQualityObserved.example-normalized.jsonld": {
        **{name: (value, CODES[name]) for name, value in (GASES | {"no2": 69}).items()},
        **WEATHER, **PARTICLES, "windDirection": (186, "deg"),
    },
}  # fmt: skip
TRAFFIC = {
    "intensity": (197, "1"), "occupancy": (0.76, "1"), "averageVehicleSpeed": (52.6, "km/h"),
    "averageVehicleLength": (9.87, "m"), "averageHeadwayTime": (0.5, "s"),
    "reversedLane": (0, None),
}  # fmt: skip


@pytest.mark.parametrize("name", AIR)
def test_each_published_air_quality_entity_says_its_15_or_11_values(
    shared: Path, name: str
) -> None:
    decoded = ngsi.decode((shared / "data/payloads/ngsi" / name).read_bytes(), MADRID, 0)

    assert {one.field: (one.value, one.unit) for one in decoded.readings} == AIR[name]
    assert len(decoded.readings) == len(AIR[name])
    assert {one.sensor for one in decoded.readings} == {"Madrid-AmbientObserved-28079004"}
    assert {one.time_us for one in decoded.readings} == {ELEVEN_LOCAL}
    assert decoded.refusals == []
    assert next((o.value, o.unit) for o in decoded.offered if o.field == "reliability") == (
        0.7, "1",
    )  # fmt: skip


@pytest.mark.parametrize("ending", [".json", ".jsonld", "-normalized.json", "-normalized.jsonld"])
def test_each_published_traffic_entity_says_the_same_6_values(shared: Path, ending: str) -> None:
    file = shared / f"data/payloads/ngsi/TrafficFlowObserved.example{ending}"

    decoded = ngsi.decode(file.read_bytes(), MADRID, 0)

    assert {one.field: (one.value, one.unit) for one in decoded.readings} == TRAFFIC
    assert {one.time_us for one in decoded.readings} == {INTERVAL_START}
    assert {one.sensor for one in decoded.readings} == {
        "TrafficFlowObserved-Valladolid-osm-60821110"
    }
    assert decoded.refusals == []
    assert [(one.field, one.value) for one in decoded.offered] == [("laneId", 1.0)]


def test_every_published_entity_is_guessed_to_be_ngsi(shared: Path) -> None:
    files = sorted((shared / "data/payloads/ngsi").glob("*.json*"))

    assert len(files) == 8
    for file in files:
        payload = file.read_bytes()
        assert next(n for n, one in FORMATS.items() if one.fits("a/b", payload)) == "ngsi"


@pytest.mark.parametrize(
    "payload",
    [
        b'{"id": "switch-1", "type": "relay", "power": 12.5}',
        b'{"id": 7, "type": "AirQualityObserved", "no2": 1}',
        b'{"data": [{"id": "a", "type": "AirQualityObserved"}]}',
        b'[{"bn": "urn:dev:a:", "n": "no2", "v": 1}]',
        b'{"subscriptionId": "1", "data": []}',
        b'{"no2": {"value": 12.5, "unit": "ug/m3"}}',
        b"[]", b"12.5", b"", b"\xff",
    ],
)  # fmt: skip
def test_what_is_no_entity_is_not_claimed(payload: bytes) -> None:
    assert not ngsi.fits("ngsi/x", payload)


def test_every_unit_of_a_code_or_model_can_be_read() -> None:
    units = {*UCUM.values(), *(unit for model in MODELS.values() for unit in model.values())}

    for unit in units - {None}:
        check_unit(str(unit))


@pytest.mark.parametrize(
    ("code", "canonical", "factor"),
    [
        ("A97", "hPa", 1.0), ("KPA", "hPa", 10.0), ("PAL", "hPa", 0.01), ("GP", "ug/m3", 1000.0),
        ("GQ", "mg/m3", 0.001), ("P1", "1", 0.01), ("WHR", "kW.h", 0.001), ("GV", "kW.h", 277.777778),
        ("MTS", "km/h", 3.6), ("HUR", "s", 3600.0), ("K6", None, None), ("HPA", None, None),
    ],
)  # fmt: skip
def test_a_code_means_the_unit_of_recommendation_20(
    code: str, canonical: str | None, factor: float | None
) -> None:
    if canonical is None:
        assert code not in UCUM
    else:
        assert conversion(UCUM[code], canonical) == (pytest.approx(factor), 0.0)


def test_hectolitres_of_alcohol_are_no_pressure() -> None:
    with pytest.raises(UnitError):
        conversion("HPA", "hPa")


def test_the_refusal_of_text_does_not_quote_it() -> None:
    payload = b'{"id": "a", "type": "AirQualityObserved", "no2": "dupont@example.fr", "o3": "12,5"}'

    decoded = ngsi.decode(payload, MADRID, 0)

    assert [(one.field, str(one.reason)) for one in decoded.refusals] == [
        ("no2", "personal"),
        ("o3", "bad_value"),
    ]
    assert "dupont" not in str(decoded.refusals)
    assert "12,5" not in str(decoded.refusals)


VALID: list[Any] = [
    {
        "id": "urn:ngsi-ld:AirQualityObserved:a-2016-03-15T11:00:00",
        "type": "AirQualityObserved",
        "dateObserved": {"type": "Property", "value": {"@type": "DateTime", "@value": "2016-03-15T11:00:00"}},
        "no2": {"type": "Property", "value": 69, "unitCode": "GQ", "observedAt": "2016-03-15T11:00:00Z"},
        "co": {"type": "Number", "value": 1, "metadata": {"unitCode": {"value": "GP"}, "timestamp": {"value": "2016-03-15T11:00:00Z"}}},
        "o3": [{"type": "Property", "value": 1}, {"type": "Property", "value": 2, "datasetId": "urn:b"}],
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [1, 2]}},
    },
    {"id": "b", "type": ["TrafficFlowObserved"], "dateObservedFrom": "2016-12-07T11:10:00Z", "intensity": 197, "congested": True, "occupancy": "0.5", "windDirection": -90},
    {"subscriptionId": "1", "data": [{"id": "c", "type": "ThreePhaseAcMeasurement", "activePower": {"L1": 1.5, "L2": None}}]},
]  # fmt: skip
ODD = [
    math.nan, math.inf, "a/b#c", "9" * 400, "/", "2016/", "nan", "1_0", "urn:ngsi-ld:null", [], {}, [[]], {"value": {}},
    {"value": {"value": 1}}, {"@value": {"@value": 1}}, {"type": "Property"}, {"type": []},
    {"coordinates": 1}, {"unitCode": []}, [{"value": 1}, 2],
]  # fmt: skip
HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    # Copies: the messages they come to stand in are changed in place.
    st.sampled_from(ODD).map(copy.deepcopy),
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(place for key, one in inner for place in _places(one, (*path, key)))]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid message with up to 3 members replaced or taken away, perhaps cut."""
    message = copy.deepcopy(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from([p for p in _places(message) if p] or [("id",)]))
        at = message
        for key in place[:-1]:
            at = at[key]
        if draw(st.booleans()) or not isinstance(at, dict):
            at[place[-1]] = draw(HOSTILE)
        else:
            at.pop(place[-1], None)
        if not isinstance(message, dict | list):
            break
    payload = json.dumps(message).encode()
    return (
        payload[: draw(st.integers(0, len(payload)))] if draw(st.integers(0, 9)) == 0 else payload
    )


@settings(max_examples=500)
@given(payload=mutated(), sensor=st.sampled_from(["", "s1"]))
def test_no_mutation_of_an_entity_gives_anything_unsound(payload: bytes, sensor: str) -> None:
    ngsi.fits("ngsi/s1", payload)
    try:
        decoded = ngsi.decode(payload, Hints(sensor, "Europe/Madrid"), 1_717_236_000_000_000)
    except Undecodable:
        return
    for reading in (*decoded.readings, *decoded.offered):
        assert math.isfinite(reading.value) or reading.flag == 9
        assert type(reading.value) is float
        assert reading.time_us is None or type(reading.time_us) is int
        assert reading.unit is None or type(reading.unit) is str
        assert reading.sensor == sensor or not sensor
        assert not set(reading.sensor) & set("/+#")


@pytest.mark.parametrize("member", [b'{"@value":', b'{"value":', b'{"L1":', b"["])
def test_members_nested_900_deep_are_refused_in_a_sentence(member: bytes) -> None:
    close = b"]" if member == b"[" else b"}"
    payload = b'{"id": "a", "type": "x", "no2": ' + member * 900 + b"1" + close * 900 + b"}"

    with pytest.raises(Undecodable, match="nested deeper than 8 levels"):
        ngsi.decode(payload, MADRID, 0)


def test_an_id_of_a_million_characters_costs_no_more_than_its_length() -> None:
    for part in ("urn:ngsi-ld:", "-2016-03-15T11:00:00", "-" * 7, "2016-03-15T" + "0" * 30):
        sensor_of(part * (1_000_000 // len(part)))
