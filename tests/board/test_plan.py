"""Outlines and places become areas in a box: projected, light, and with room for a label."""

import math
import re

import pytest

from dashboards.board.drawing.map import HEIGHT, MAP_WIDTH, WIDTH, Entry, Named, classes, dots
from dashboards.board.drawing.plan import PATH_BYTES, plan, simplify

SQUARE = [[7.0, 48.0], [7.1, 48.0], [7.1, 48.1], [7.0, 48.1], [7.0, 48.0]]
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def polygon(*rings):
    return {"type": "Polygon", "coordinates": [*rings]}


def laid(outlines, around=None, points=None, width=MAP_WIDTH, margin=13.0):
    return plan(outlines, around or {}, points or {}, width=width, height=HEIGHT, margin=margin)


def corners(path):
    """Corners of the first ring of a path of steps."""
    first = path.split("z")[0].removeprefix("M")
    start, steps = first.split("l")
    x, y = map(float, NUMBER.findall(start))
    found = [(x, y)]
    numbers = [float(n) for n in NUMBER.findall(steps)]
    for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
        found.append((found[-1][0] + dx, found[-1][1] + dy))
    return found


def test_a_square_of_degrees_is_as_narrow_as_it_is_at_its_latitude_and_north_is_up():
    (area,) = laid({"a": polygon(SQUARE)}).areas

    xs, ys = zip(*corners(area.path), strict=True)
    width, height = max(xs) - min(xs), max(ys) - min(ys)

    assert height == pytest.approx(136, abs=0.2)
    assert width / height == pytest.approx(math.cos(math.radians(48.05)), abs=0.002)
    # The first corner is the south-west one.
    assert corners(area.path)[0] == (min(xs), max(ys))


def test_a_hole_stays_and_the_label_keeps_out_of_it():
    hole = [[7.02, 48.02], [7.08, 48.02], [7.08, 48.08], [7.02, 48.08], [7.02, 48.02]]

    (area,) = laid({"a": polygon(SQUARE, hole)}).areas

    assert area.path.count("z") == 2
    ring = corners(area.path.split("z")[1])
    xs, ys = zip(*ring, strict=True)
    assert not (min(xs) < area.x < max(xs) and min(ys) < area.y < max(ys))
    assert area.room == pytest.approx(0.2 * 136 * math.cos(math.radians(48.05)) / 2, abs=2.5)


def test_an_outline_of_5000_points_and_60_neighbours_weigh_at_most_6000_bytes_together():
    def round_one(x, y, points):
        turn = [i * math.tau / points for i in range(points)]
        wave = [1 + 0.08 * math.sin(40 * a) for a in turn]
        ring = [[x + 0.05 * w * math.cos(a), y + 0.03 * w * math.sin(a)]
                for a, w in zip(turn, wave, strict=True)]  # fmt: skip
        return polygon([*ring, ring[0]])

    cities = {f"c{n}": round_one(7 + n % 10 / 10, 48 + n // 10 / 15, 300) for n in range(60)}
    cities["large"] = round_one(7.5, 48.2, 5000)

    areas = laid(cities).areas

    assert len(areas) == 61
    weight = sum(len(area.path) for area in areas)
    assert PATH_BYTES / 2 < weight <= PATH_BYTES == 6000
    assert all(len(corners(area.path)) > 2 for area in areas)


def test_simplifying_moves_no_line_farther_than_the_tolerance():
    ring = [
        (100 * math.cos(a), 100 * math.sin(a)) for a in (i * math.tau / 720 for i in range(720))
    ]

    simple = simplify(ring, 1.0)

    assert 20 < len(simple) < 60
    # The farthest a circle bulges over a chord between two corners that are kept.
    for a, b in zip(simple, [*simple[1:], simple[0]], strict=True):
        middle = math.dist((0, 0), ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2))
        assert 100 - middle <= 1.001


def test_a_territory_smaller_than_a_dot_is_still_a_shape():
    speck = [[8.0, 48.0], [8.00001, 48.0], [8.00001, 48.00001], [8.0, 48.0]]

    areas = laid({"a": polygon(SQUARE), "speck": polygon(speck)}).areas

    assert [area.code for area in areas] == ["a", "speck"]
    assert areas[1].path.endswith("h1v1h-1z")


def test_without_an_outline_a_hull_is_drawn_around_the_sites_and_without_those_nothing():
    made = laid(
        {"a": None, "b": None, "c": None},
        {"a": [(7.0, 48.0)], "b": [(7.2, 48.0), (7.3, 48.0), (7.25, 48.05), (7.25, 48.02)]},
    )

    assert [(area.code, area.known) for area in made.areas] == [("a", False), ("b", False)]
    assert made.lost == ("c",)
    single, hull = (area.path for area in made.areas)
    assert single.count("a13 13 0 1 1") == 2
    # Three corners of the four sites are on the outside: three straight lines, three round ones.
    assert (hull.count("L"), hull.count("A13 13 0 0 1")) == (3, 3)
    left = min(area.x for area in made.areas) - 13
    assert left >= 2 - 0.1


def test_every_name_that_fits_is_written_once_and_covers_no_other():
    outlines = {f"t{n}": polygon([[x + n % 3 * 0.1, y + n // 3 * 0.08] for x, y in SQUARE])
                for n in range(9)}  # fmt: skip
    named = {code: Named(f"Ry{n}", n % 7) for n, code in enumerate(outlines)}

    drawing, called = classes(laid(outlines), named, [Entry(1, "good"), Entry(0, "no index")])

    plates = [s.attributes for s in drawing.shapes if s.attributes.get("class") == "plate"]
    boxes = [(float(p["x"]), float(p["y"]), float(p["width"]), float(p["height"])) for p in plates]
    assert len(boxes) == len(called) >= 3
    for position, (x, y, wide, high) in enumerate(boxes):
        assert 0 <= x <= x + wide <= WIDTH
        assert 0 <= y <= y + high <= HEIGHT
        for other_x, other_y, other_wide, other_high in boxes[position + 1 :]:
            assert (x + wide <= other_x or other_x + other_wide <= x
                    or y + high <= other_y or other_y + other_high <= y)  # fmt: skip


def test_class_5_is_written_in_white_class_4_in_ink_and_none_as_a_dash_in_a_dashed_area():
    outlines = {code: polygon([[x + n * 0.1, y] for x, y in SQUARE])
                for n, code in enumerate("abc")}  # fmt: skip
    named = {"a": Named("A", 5), "b": Named("B", 4), "c": Named("C", 0)}

    drawing, _ = classes(laid(outlines), named, [])

    paths = [s.attributes["class"] for s in drawing.shapes if s.tag == "path"]
    assert paths == ["g5 outline", "g4 outline", "none"]
    texts = {s.text: s.attributes["class"] for s in drawing.shapes if s.tag == "text"}
    assert texts["5"] == "strong middle on-dark"
    assert texts["4"] == "strong middle on-light"
    assert texts["\u2013"] == "strong middle"


def test_sites_of_one_territory_are_dots_with_their_numbers_where_these_do_not_meet():
    points = {"one": (7.02, 48.02), "two": (7.08, 48.08), "same": (7.08, 48.0801)}

    drawing = dots(laid({"a": polygon(SQUARE)}, points=points, width=WIDTH),
                   {"one": 1, "two": 2, "same": 3})  # fmt: skip

    assert sum(s.tag == "circle" for s in drawing.shapes) == 3
    assert {s.text for s in drawing.shapes if s.tag == "text"} >= {"1", "2"}
