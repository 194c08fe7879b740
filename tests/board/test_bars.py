"""Columns of a day tell apart what was counted, too few to be told, zero, missing and to come."""

from datetime import datetime, timedelta

from dashboards.board.drawing.bars import BOTTOM, FEW, LEFT, MISSING, RIGHT, TOP, ZERO, Bar, bars
from dashboards.board.figures import NOTHING, Amount
from dashboards.board.language import language

MIDNIGHT = datetime(2026, 3, 12)


def drawn(*hours, usual=()):
    """A day of the given amounts; what is left of 24 hours is to come."""
    amounts = [*hours, *[NOTHING] * (24 - len(hours))]
    usuals = [*usual, *[NOTHING] * (24 - len(usual))]
    return bars(
        [Bar(MIDNIGHT + k * timedelta(hours=1), amounts[k], usuals[k], to_come=k >= len(hours))
         for k in range(24)],
        language=language("fr"), unit="1", kind="count",
    ).shapes  # fmt: skip


def boxes(shapes):
    return [(s.attributes["class"], float(s.attributes["height"])) for s in shapes
            if s.tag == "rect"]  # fmt: skip


def test_four_kinds_of_hours_look_different_and_hours_to_come_are_empty():
    shapes = drawn(Amount(100.0), Amount(0.0), Amount(2.5, True), NOTHING)

    assert boxes(shapes) == [("bar", BOTTOM - TOP), ("bar", ZERO), ("few", FEW), ("none", MISSING)]


def test_every_hidden_count_is_drawn_alike():
    def hidden(value):
        return boxes(drawn(Amount(100.0), Amount(value, True)))[1]

    assert hidden(2.5) == hidden(4.9)
    assert hidden(2.5)[0] == "few"


def test_the_usual_is_one_line_of_steps_with_a_gap_where_it_is_not_known():
    shapes = drawn(Amount(100.0), usual=[Amount(50.0), Amount(100.0), NOTHING, Amount(100.0)])
    # Below it a line of paper, on which it is seen before the columns as well.
    halo, line = (s.attributes["d"] for s in shapes if s.attributes["class"] in ("halo", "usual"))
    assert halo == line

    middle, width = (TOP + BOTTOM) / 2, (RIGHT - LEFT) / 24
    assert line == (
        f"M{LEFT:.1f} {middle:.1f}H{LEFT + width:.1f}V{TOP:.1f}H{LEFT + 2 * width:.1f}"
        f"M{LEFT + 3 * width:.1f} {TOP:.1f}H{LEFT + 4 * width:.1f}"
    )


def test_without_a_usual_day_there_is_no_dashed_line():
    assert "usual" not in {s.attributes["class"] for s in drawn(Amount(100.0))}


def test_the_axis_ends_at_a_round_number_above_the_usual():
    texts = [s.text for s in drawn(Amount(1100.0), usual=[Amount(1340.0)]) if s.tag == "text"]

    assert texts == ["1\u202f500", "0", "0\u00a0h", "6\u00a0h", "12\u00a0h", "18\u00a0h"]


def test_texts_keep_18_units_apart():
    shapes = drawn(Amount(1100.0))
    places = [
        (float(s.attributes["x"]), float(s.attributes["y"])) for s in shapes if s.tag == "text"
    ]

    for one, (x, y) in enumerate(places):
        for u, v in places[:one]:
            assert abs(x - u) >= 18 or abs(y - v) >= 18


def test_an_empty_day_draws_an_axis():
    assert [s.tag for s in bars([], language=language("de"), unit="1", kind="count").shapes]
