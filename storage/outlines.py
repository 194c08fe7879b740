"""Outlines of territories: a GeoJSON file beside ``city.toml``, checked."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from storage.mistakes import Mistake, MistakesError

Geometry = dict[str, Any]
"""A ``Polygon`` or ``MultiPolygon`` of GeoJSON: ``type`` and ``coordinates``, WGS84."""

_DECIMALS = 6
"""Of a degree: a tenth of a metre."""
_DEEP = {"Polygon": 1, "MultiPolygon": 2}


def parse_outlines(text: str, name: str, territories: Collection[str]) -> dict[str, Geometry]:
    """The outline of each territory, by code.

    Features of other codes are passed over, since such files are often of a whole department or
    region; heights are dropped.

    Raises
    ------
    MistakesError
        Listing every mistake with its line and remedy.
    """
    try:
        told = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise MistakesError([Mistake(name, line, f"this is not JSON: {error}")]) from error
    features = told.get("features") if isinstance(told, dict) else None
    if not isinstance(features, list) or told.get("type") != "FeatureCollection":
        what = "is no FeatureCollection of GeoJSON; export the outlines as one"
        raise MistakesError([Mistake(name, 1, what)])
    found: dict[str, Geometry] = {}
    mistakes, others = [], []
    for number, feature in enumerate(features, 1):
        try:
            code = _code(feature)
            if code not in territories:
                others.append(code)
            elif code in found:
                raise ValueError("the outline stands there twice; keep one, as a MultiPolygon")
            else:
                found[code] = _geometry(feature.get("geometry"))
        except ValueError as error:
            mistakes.append(Mistake(name, _line(text, feature), f"feature {number}: {error}"))
    if not found and not mistakes:
        seen = f", but {', '.join(map(repr, others[:3]))}" if others else ""
        what = (
            f"holds no outline of a territory of the city{seen}; the property 'code' must be the"
            " code of a [[territory]]"
        )
        mistakes.append(Mistake(name, 1, what))
    if mistakes:
        raise MistakesError(mistakes)
    return found


def as_geojson(outlines: Mapping[str, Geometry]) -> str:
    """The file of such outlines, a line each."""
    features = ",\n".join(
        json.dumps(
            {"type": "Feature", "properties": {"code": code}, "geometry": geometry},
            ensure_ascii=False,
        )
        for code, geometry in outlines.items()
    )
    return f'{{"type": "FeatureCollection", "features": [\n{features}\n]}}\n'


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


def _code(feature: Any) -> str:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    code = properties.get("code") if isinstance(properties, dict) else None
    if isinstance(code, int) and not isinstance(code, bool):
        raise ValueError(f"code {code} is a number, which loses leading zeros; write it in quotes")
    if not isinstance(code, str) or not code:
        raise ValueError("has no property 'code', which says of which territory it is; add it")
    return code


def _geometry(told: Any) -> Geometry:
    kind = told.get("type") if isinstance(told, dict) else None
    if kind not in _DEEP:
        raise ValueError(f"geometry: {kind!r} is no outline; it is a Polygon or a MultiPolygon")
    polygons = told.get("coordinates")
    if kind == "Polygon":
        polygons = [polygons]
    if not isinstance(polygons, list) or not polygons:
        raise ValueError("geometry: has no coordinates")
    read = [list(_rings(polygon)) for polygon in polygons]
    return {"type": kind, "coordinates": read[0] if kind == "Polygon" else read}


def _rings(polygon: Any) -> Iterator[list[list[float]]]:
    if not isinstance(polygon, list) or not polygon:
        raise ValueError("geometry: has no coordinates")
    for ring in polygon:
        if not isinstance(ring, list) or len(ring) < 4:
            raise ValueError("geometry: a ring has less than four positions")
        read = [_position(one) for one in ring]
        if read[0] != read[-1]:
            raise ValueError("geometry: a ring does not end where it begins; close it")
        yield read


def _position(told: Any) -> list[float]:
    if (
        not isinstance(told, list)
        or len(told) < 2
        or not all(isinstance(one, int | float) and not isinstance(one, bool) for one in told)
        or not all(abs(one) < 1e9 for one in told)
    ):
        raise ValueError(f"geometry: {told!r:.60} is no position; it is [longitude, latitude]")
    longitude, latitude = (round(float(one), _DECIMALS) for one in told[:2])
    if abs(longitude) > 180 or abs(latitude) > 90:
        raise ValueError(
            f"geometry: [{longitude:g}, {latitude:g}] lies nowhere on Earth; export the outlines in"
            " WGS84 (EPSG:4326), longitude first"
        )
    return [longitude, latitude]


def _line(text: str, feature: Any) -> int:
    """Where its code stands; the first line where it has none."""
    properties = feature.get("properties") if isinstance(feature, dict) else None
    code = properties.get("code") if isinstance(properties, dict) else None
    found = list(re.finditer(rf'"code"\s*:\s*{re.escape(json.dumps(code))}', text))
    return 1 + text.count("\n", 0, found[-1].start()) if found and code is not None else 1
