"""The make-believe city's public board: ``[board]``, two screens, and outlines of its communes."""

from __future__ import annotations

from collections.abc import Iterator

from storage.outlines import Geometry, as_geojson

OUTLINES_FILE = "communes.geojson"

Line = tuple[tuple[float, float], ...]

# Borders from one corner to the next; each is drawn once, so that neighbours fit one another.
_WEST, _MIDDLE, _NORTH = (7.69, 48.628), (7.752, 48.602), (7.775, 48.652)
_SOUTH, _RIVER_S, _RIVER_N = (7.755, 48.575), (7.816, 48.575), (7.815, 48.655)
_VALBRUME_AUBRY: Line = (
    _WEST, (7.698, 48.619), (7.705, 48.614), (7.715, 48.6125), (7.722, 48.609), (7.737, 48.611),
    (7.744, 48.605), _MIDDLE,
)  # fmt: skip
_VALBRUME_PORT: Line = (
    _MIDDLE, (7.766, 48.606), (7.77, 48.613), (7.773, 48.62), (7.7685, 48.629), (7.769, 48.636),
    (7.7735, 48.643), _NORTH,
)  # fmt: skip
_VALBRUME: Line = (
    _NORTH, (7.763, 48.658), (7.75, 48.66), (7.737, 48.6565), (7.722, 48.655), (7.709, 48.6515),
    (7.7, 48.647), (7.697, 48.638), _WEST,
)  # fmt: skip
_AUBRY_PORT: Line = (_MIDDLE, (7.7485, 48.595), (7.748, 48.588), (7.7535, 48.581), _SOUTH)
_AUBRY: Line = (
    _WEST, (7.678, 48.626), (7.668, 48.62), (7.662, 48.611), (7.655, 48.603), (7.657, 48.592),
    (7.66, 48.583), (7.67, 48.576), (7.682, 48.571), (7.697, 48.5735), (7.712, 48.573),
    (7.724, 48.569), (7.735, 48.568), (7.746, 48.5725), _SOUTH,
)  # fmt: skip
_PORT: Line = (_SOUTH, (7.77, 48.571), (7.785, 48.57), (7.801, 48.5735), _RIVER_S)
_RIVER: Line = (
    _RIVER_S, (7.82, 48.582), (7.8223, 48.59), (7.8226, 48.606), (7.8222, 48.622), (7.822, 48.635),
    (7.819, 48.645), _RIVER_N,
)  # fmt: skip
_PORT_NORTH: Line = (_RIVER_N, (7.802, 48.6565), (7.789, 48.653), _NORTH)
_NEUHAUSEN: Line = (
    _RIVER_S, (7.83, 48.5745), (7.845, 48.578), (7.858, 48.5835), (7.868, 48.592), (7.873, 48.602),
    (7.874, 48.612), (7.8715, 48.623), (7.866, 48.632), (7.855, 48.6405), (7.842, 48.646),
    (7.828, 48.652), _RIVER_N,
)  # fmt: skip
_BORDERS: dict[str, tuple[Line, ...]] = {
    "99001": (_VALBRUME_AUBRY, _VALBRUME_PORT, _VALBRUME),
    "99002": (_AUBRY, _AUBRY_PORT[::-1], _VALBRUME_AUBRY[::-1]),
    "99003": (_AUBRY_PORT, _PORT, _RIVER, _PORT_NORTH, _VALBRUME_PORT[::-1]),
    "08999001": (_NEUHAUSEN, _RIVER[::-1]),
}


def outlines() -> str:
    """The communes as GeoJSON.

    >>> outlines().count('"Polygon"')
    4
    """
    return as_geojson({code: _polygon(lines) for code, lines in _BORDERS.items()})


def _polygon(lines: tuple[Line, ...]) -> Geometry:
    ring = [list(point) for line in lines for point in line[:-1]]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def wall_toml() -> Iterator[str]:
    """The lines of ``[board]`` and ``[[screen]]``: a town hall, and a station in two languages."""
    yield from (
        "", "[board]", 'contact = "contact@valbrume.example"',
        'operator = "Communauté de Valbrume"', f'outlines = "{OUTLINES_FILE}"',
        "", "[[screen]]", 'id = "hall"', 'title = "Hôtel de Ville"', 'territory = "99001"',
        'views = ["now", "air", "moving", "energy", "map", "measure", "platform"]',
        'address = "valbrume.example/hall"',
        "", "[[screen]]", 'id = "bahnhof"', 'title = "Bahnhof"', 'territory = "08999001"',
        'languages = ["de", "fr"]', 'views = ["air", "moving", "now", "map"]', "diagonal_in = 32",
        "distance_m = 2", "pixels = [1080, 1920]",
        'open = ["mon-fri 05:00-00:30", "sat,sun 06:00-01:30"]', "dwell_s = 20",
    )  # fmt: skip
