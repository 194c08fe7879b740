"""What ``[mobility]`` of ``city.toml`` may say of motor traffic, and what is told of mistakes."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from storage.city import parse
from storage.facts.mobility import MobilityFacts
from storage.mistakes import MistakesError

CITY = '[city]\nname = "Toy"\ntimezone = "Europe/Paris"\n[[territory]]\ncode = "x"\nname = "X"\n'
CSV = "territory,site,sensor,metric,field,unit,step_s\n"

BRIDGE = {"site": "bridge", "name": "in", "sensors": ["a", "b"]}


def test_a_city_that_says_nothing_has_the_defaults():
    facts = MobilityFacts()

    assert (facts.heavy_pcu, facts.vehicle_length_m, facts.loop_length_m) == (2.0, 4.5, 2.0)
    assert facts.state_bounds == (15, 30, 50)
    assert facts.los_bounds == (7, 11, 16, 22, 28)
    assert (facts.night, facts.congested_above) == ((22, 6), 0.5)
    assert facts.direction == facts.individual_speeds == facts.motorway == ()


def test_directions_and_coefficients_are_read_from_a_city():
    said = parse(
        CITY + "[mobility]\nheavy_pcu = 2.5\nnight = [23, 5]\n"
        '[[mobility.direction]]\nsite = "bridge"\nname = "in"\nsensors = ["a", "b-*"]\n',
        CSV,
    ).facts.mobility

    assert (said.heavy_pcu, said.night) == (2.5, (23, 5))
    (one,) = said.direction
    assert (one.site, one.name, one.sensors, one.territory) == ("bridge", "in", ("a", "b-*"), None)


def test_facts_come_back_from_the_database_as_they_were():
    facts = MobilityFacts(direction=(BRIDGE,), state_bounds=(10, 20, 40))  # type: ignore[arg-type]

    assert MobilityFacts.model_validate_json(facts.model_dump_json()) == facts


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"state_bounds": [15, 50, 30]}, "30 stands after 50; write the bounds in ascending order"),
        ({"los_bounds": [7, 7, 16, 22, 28]}, "7 stands after 7"),
        ({"night": [6, 6]}, "from 6 to 6 there is no hour; write two hours like [22, 6]"),
        ({"night": [22, 24]}, "less than or equal to 23"),
        ({"heavy_pcu": 0}, "greater than 0"),
        ({"loop_length_m": float("nan")}, "finite number"),
        ({"direction": [BRIDGE, {**BRIDGE, "sensors": ["c"]}]}, "two directions named 'in'"),
        (
            {"direction": [BRIDGE, {**BRIDGE, "name": "out"}]},
            "sensor 'a' of site 'bridge' is in 'in' and in 'out'; leave it in one of them",
        ),
        ({"direction": [{**BRIDGE, "sensors": []}]}, "at least 1 item"),
        ({"heavy_pcus": 2}, "Extra inputs are not permitted"),
    ],
)
def test_a_mistake_says_what_is_wrong_and_what_to_write(said: dict[str, Any], told: str):
    with pytest.raises(ValidationError) as mistake:
        MobilityFacts(**said)

    assert told in str(mistake.value)


def test_a_mistake_in_the_file_is_told_with_its_line():
    with pytest.raises(MistakesError) as mistake:
        parse(CITY + "[mobility]\nnight = [6, 6]\n", CSV)

    assert "city.toml:8: mobility.night: from 6 to 6 there is no hour" in str(mistake.value)


def test_two_territories_may_have_a_site_of_one_code():
    other = {**BRIDGE, "territory": "x"}

    assert len(MobilityFacts(direction=(BRIDGE, other)).direction) == 2  # type: ignore[arg-type]
