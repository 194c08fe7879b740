"""SensorThings: the recorded message, the order of qualities, and what damage may do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.formats import sensorthings
from collector.formats.format import Hints, Undecodable
from collector.formats.observed_quality import flag_of
from tests.unit.damaged import ODD, check, damaged, damaged_bytes, text

TOPIC = "v1.1/Datastreams(12)/Observations"
OBSERVATION: dict[str, Any] = {
    "@iot.id": 77,
    "phenomenonTime": "2026-03-01T08:00:00Z/2026-03-01T09:00:00Z",
    "resultTime": "2026-03-01T09:00:01Z",
    "result": {"car": 12, "truck": [1, 2.5]},
    "resultQuality": {"DQ_Element": {"result": {"pass": True}}},
    "Datastream": {"@iot.id": 12, "unitOfMeasurement": {"name": "one", "symbol": "1"}},
    "parameters": {"lane": 1},
}
ARRAYS: list[dict[str, Any]] = [
    {
        "Datastream": {"@iot.id": 1},
        "components": ["phenomenonTime", "result", "resultQuality"],
        "dataArray": [["2026-03-01T08:00:00Z", 20, "good"], ["2026-03-01T08:01:00Z", 30, 3]],
    }
]


def test_the_recorded_message_with_a_misspelt_time_is_refused_with_a_remedy(shared: Path) -> None:
    recorded = (shared / "data/payloads/sensorthings/mqtt_observation_create.txt").read_text()
    topic = recorded.split("Topic: ")[1].split("\n")[0]
    payload = recorded.split("Message:")[1].encode()

    with pytest.raises(Undecodable) as refused:
        sensorthings.decode(payload, Hints("", topic=topic), 1_717_236_000_000_000)

    assert refused.value.reason == "bad_time"
    assert refused.value.detail == (
        "'phenonmenonTime' is no member of an Observation: send phenomenonTime,"
        " or name the member as the binding's time_field"
    )


@pytest.mark.parametrize(
    "name", ["phenomenontime", "PhenomenonTime", "phenomenTime", "phenomenon_time", "resulttime",
             "time", "timestamp", "dateTime"],
)  # fmt: skip
def test_a_member_that_may_be_the_time_is_never_passed_over_for_now(name: str) -> None:
    payload = json.dumps({name: "2026-03-01T08:00:00Z", "result": 1}).encode()

    with pytest.raises(Undecodable, match="phenomenonTime"):
        sensorthings.decode(payload, Hints("", topic=TOPIC), 0)


def test_a_member_of_a_vendor_beside_a_time_is_passed_over() -> None:
    payload = b'{"phenomenonTime": "2026-03-01T08:00:00Z", "receivedTime": "soon", "result": 1}'

    [reading] = sensorthings.decode(payload, Hints("", topic=TOPIC), 0).readings

    assert reading.time_us == 1_772_352_000_000_000


@pytest.mark.parametrize(
    ("quality", "flag"),
    [
        (1, 1), (2, 2), (3, 3), (4, 4), (9, 9), ("4", 4), (4.0, 4), (0, 2), (7, 2), (True, 2),
        ("OK", 1), ("validated", 1), ("not evaluated", 2), ("raw", 2), ("Suspect", 3),
        ("probably bad", 3), ("FAIL", 4), ("bad", 4), ("no_data", 9),
        ({"status": "9"}, 2), ({"uncertainty": 4}, 2), ({"value": 4}, 2), ({"pass": True}, 1),
        (["good", "bad", "suspect"], 4), (["missing", "good"], 1), ([], 2), ({}, 2),
    ],
)  # fmt: skip
def test_a_quality_becomes_the_flag_of_its_table(quality: Any, flag: int) -> None:
    assert flag_of(quality) == flag


@given(quality=ODD | st.lists(ODD, max_size=4) | st.dictionaries(st.text(max_size=9), ODD))
def test_any_quality_becomes_some_flag(quality: Any) -> None:
    assert flag_of(quality) in (1, 2, 3, 4, 9)


@pytest.mark.parametrize(
    ("topic", "message", "fits"),
    [
        (TOPIC, {"result": 1}, True),
        ("city/a", {"phenomenonTime": "2026-03-01T08:00:00Z", "result": 1}, True),
        ("v1.1/CreateObservations", ARRAYS, True),
        ("city/a", [{"phenomenonTime": "2026-03-01T08:00:00Z", "result": 1}], True),
        ("city/a", {"result": 1}, False),
        (TOPIC, {"no2": 1}, False),
        ("city/a", [], False),
    ],
)
def test_observations_are_told_from_other_messages(topic: str, message: Any, fits: bool) -> None:
    assert sensorthings.fits(topic, json.dumps(message).encode()) is fits


@given(message=damaged(OBSERVATION) | damaged(ARRAYS), topic=st.sampled_from([TOPIC, "v1.1/x", ""]))
@settings(max_examples=400)
def test_no_damaged_message_raises_anything_but_undecodable(message: Any, topic: str) -> None:
    check("sensorthings", text(message), Hints("", topic=topic))


@given(payload=st.sampled_from([text(OBSERVATION), text(ARRAYS)]).flatmap(damaged_bytes))
@settings(max_examples=200)
def test_no_cut_or_spliced_message_raises_anything_but_undecodable(payload: bytes) -> None:
    check("sensorthings", payload, Hints("loop-1", topic="city/loop-1"))
