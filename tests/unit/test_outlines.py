"""Outlines of territories as a city exports them, and what it is told of mistakes in them."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from collector.simulation.city import TOWNS, make_city
from storage.city import load, parse
from storage.mistakes import MistakesError
from storage.outlines import as_geojson, parse_outlines

SQUARE = [[2.0, 48.0], [2.1, 48.0], [2.1, 48.1], [2.0, 48.0]]
CODES = ("99001", "99002")


def feature(code: Any = "99001", coordinates: Any = (SQUARE,), kind: str = "Polygon") -> Any:
    return {
        "type": "Feature",
        "properties": {"code": code, "nom": "Beffroi"},
        "geometry": {"type": kind, "coordinates": coordinates},
    }


def collection(*features: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features}, indent=1)


def mistakes(text: str) -> list[str]:
    with pytest.raises(MistakesError) as caught:
        parse_outlines(text, "communes.geojson", CODES)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_outlines_are_read_by_code_with_holes_and_islands_and_without_heights():
    high = [[*one, 120.5] for one in SQUARE]
    hole = [[2.05, 48.02], [2.06, 48.02], [2.06, 48.03], [2.05, 48.02]]
    found = parse_outlines(
        collection(feature("99002", [[SQUARE], [high, hole]], "MultiPolygon"), feature()),
        "a",
        CODES,
    )

    assert found == {
        "99002": {"type": "MultiPolygon", "coordinates": [[SQUARE], [SQUARE, hole]]},
        "99001": {"type": "Polygon", "coordinates": [SQUARE]},
    }
    assert parse_outlines(as_geojson(found), "a", CODES) == found


def test_communes_of_others_are_passed_over():
    found = parse_outlines(collection(feature("75056"), feature()), "a", CODES)

    assert list(found) == ["99001"]


LAMBERT = [[1049052.5, 6840000.0]] * 4


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "communes.geojson:1: this is not JSON"),
        ('{"type": "FeatureCollection",\n "features": [NaN]}', "communes.geojson:1: this is not JSON"),
        ("[]", "communes.geojson:1: is no FeatureCollection of GeoJSON; export the outlines as one"),
        (collection(), "communes.geojson:1: holds no outline of a territory of the city; the property"),
        (collection(feature("75056")),
         "communes.geojson:1: holds no outline of a territory of the city, but '75056'; the property"),
        (collection(feature(99001)),
         "communes.geojson:7: feature 1: code 99001 is a number, which loses leading zeros; write it"),
        (collection({"type": "Feature", "geometry": None}),
         "communes.geojson:1: feature 1: has no property 'code', which says of which territory"),
        (collection(feature(), feature()), "communes.geojson:37: feature 2: the outline stands there"),
        (collection(feature(coordinates=[2.0, 48.0], kind="Point")),
         "communes.geojson:7: feature 1: geometry: 'Point' is no outline; it is a Polygon or"),
        (collection(feature(coordinates=[LAMBERT])),
         "communes.geojson:7: feature 1: geometry: [1.04905e+06, 6.84e+06] lies nowhere on Earth;"),
        (collection(feature(coordinates=[SQUARE[:3]])),
         "communes.geojson:7: feature 1: geometry: a ring has less than four positions"),
        (collection(feature(coordinates=[[*SQUARE[:3], [2.0, 48.01]]])),
         "communes.geojson:7: feature 1: geometry: a ring does not end where it begins; close it"),
        (collection(feature(coordinates=[[["2", "48"]] * 4])),
         "communes.geojson:7: feature 1: geometry: ['2', '48'] is no position; it is [longitude,"),
        (collection(feature(coordinates=[[[10**400, 48.0]] * 4])),
         "communes.geojson:7: feature 1: geometry: [1000"),
        (collection(feature(coordinates=[])), "communes.geojson:7: feature 1: geometry: has no"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_remedy(text: str, told: str):
    assert mistakes(text)[0].startswith(told)


TOML = """
[city]
name = "Val-de-Beffroi"
timezone = "Europe/Paris"
[[territory]]
code = "99001"
name = "Beffroi-le-Vieux"
[board]
contact = "contact@beffroi.example"
operator = "Ville"
outlines = "maps/communes.geojson"
"""
CSV = "territory,site,site_name,sensor,metric,field,unit,step_s\n99001,m,Mairie,a,no2,,,60\n"


def test_the_file_is_looked_for_beside_city_toml(tmp_path: Path):
    (tmp_path / "city.toml").write_text(TOML)
    (tmp_path / "sensors.csv").write_text(CSV)
    with pytest.raises(MistakesError, match=r"maps/communes.geojson:1: there is no such file"):
        load(tmp_path / "city.toml")

    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "communes.geojson").write_text(collection(feature()))

    assert load(tmp_path / "city.toml").outlines == {
        "99001": {"type": "Polygon", "coordinates": [SQUARE]}
    }
    assert parse(TOML, CSV).outlines is None


def test_the_sites_of_the_make_believe_city_lie_within_the_outlines_of_their_communes():
    made = make_city()
    city = parse(made.city_toml, made.sensors_csv, beside=lambda _: made.outlines)

    assert city.outlines is not None
    assert set(city.outlines) == {town.code for town in TOWNS}
    for one in {(s.line.territory, s.line.longitude, s.line.latitude) for s in city.series}:
        code, x, y = one
        (ring,) = city.outlines[code]["coordinates"]
        assert _within(ring, x or 0, y or 0), one


def _within(ring: list[list[float]], x: float, y: float) -> bool:
    inside = False
    for (x1, y1), (x2, y2) in pairwise(ring):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            inside = not inside
    return inside
