"""Contrast of every colour that the style sheets declare, in both themes, and of drawn text.

Automatic rules read the CSS property `color` alone, so that fills and strokes are computed here.
"""

import re
from collections.abc import Callable

import pytest
from playwright.async_api import Browser

from dashboards.grafana.pages.air_words import INDEX_COLORS
from tests.board.addresses import THEMES, VIEWS, asked
from tests.board.browser import opened
from tests.board.city import State
from tests.board.colours import colour, contrast, rules, theme
from tests.board.serving import serving

TEXT, GRAPHIC = 4.5, 3.0

# Lines that help the eye and carry no meaning: nothing is lost where they are not seen.
ORNAMENTS = {"--rule": "edges of rows, grids, grounds of curves"}

# Words that take another colour over, or that draw nothing.
WORDS = {"inherit", "none", "transparent", "currentcolor", "currentColor"}

# Shapes that are filled by the page itself, or edged by ink that is seen in their stead.
_EDGED = re.compile(r"\.g[1-6]$|\.quiet$|\.dark$")


def _pairs(name: str) -> list[tuple[str, str, str, float]]:
    """Selector, foreground, ground and the ratio that the pair needs."""
    known = theme(name)
    grounds = [known["--paper"], known["--card"]]
    hues = [colour(d["--hue"], known) for _, d in rules() if "--hue" in d]
    found = []
    for selector, declared in rules():
        own = colour(declared.get("background", ""), known)
        below = [own] if own else grounds
        if "color" in declared:
            mark = "content" in declared
            colours = (
                hues if declared["color"] == "var(--hue)" else [colour(declared["color"], known)]
            )
            found += [(selector, one, ground, GRAPHIC if mark else TEXT)
                      for one in colours if one for ground in below]  # fmt: skip
        for key in ("fill", "stroke"):
            value = declared.get(key, "")
            if not value or value in WORDS or _EDGED.search(selector):
                continue
            if (
                value in ("var(--paper)", "var(--card)")
                or value.removeprefix("var(").rstrip(")") in ORNAMENTS
            ):
                continue
            if selector.endswith((".on-dark", ".on-light")):
                continue
            written = "text" in selector or selector.endswith((".soft", ".strong"))
            colours = hues if value == "var(--hue)" else [colour(value, known)]
            found += [(f"{selector} {key}", one, ground, TEXT if written else GRAPHIC)
                      for one in colours for ground in grounds]  # fmt: skip
    return found


@pytest.mark.parametrize("name", THEMES)
def test_every_declared_colour_is_told_apart_from_what_it_stands_on(name: str) -> None:
    pairs = _pairs(name)

    assert len(pairs) >= 40
    weak = [
        (*pair, round(contrast(*pair[1:3]), 2)) for pair in pairs if contrast(*pair[1:3]) < pair[3]
    ]
    assert weak == []


def test_every_colour_is_one_that_can_be_computed() -> None:
    known = theme("light")
    unknown = [
        (selector, value)
        for selector, declared in rules()
        for key in ("color", "fill", "stroke", "background")
        if (value := declared.get(key, "")) and value not in WORDS and not colour(value, known)
    ]

    assert unknown == []


def test_classes_of_an_index_have_the_official_colours_a_readable_number_and_an_edge() -> None:
    classes = {selector: d for selector, d in rules() if re.fullmatch(r"\.g[1-6]", selector)}

    assert [classes[f".g{n}"]["fill"].upper() for n in range(1, 7)] == list(INDEX_COLORS)
    for declared in classes.values():
        assert declared["fill"] == declared["background"]
        assert contrast(declared["fill"], colour(declared["color"], {})) >= TEXT
    outline = next(d for selector, d in rules() if selector == ".drawing .outline")
    for name in THEMES:
        known = theme(name)
        assert contrast(colour(outline["stroke"], known), known["--paper"]) >= GRAPHIC
    light, dark = (
        colour(next(d["fill"] for s, d in rules() if s.endswith(end)), {})
        for end in (".on-light", ".on-dark")
    )
    assert min(contrast(light, one.lower()) for one in INDEX_COLORS[:4]) >= TEXT
    assert min(contrast(dark, one.lower()) for one in INDEX_COLORS[4:]) >= TEXT


# Every text of every drawing with its fill, and the fill of the topmost shape below each of its
# corners and its middle; the page's own paper where there is none.
_DRAWN = """() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const paper = getComputedStyle(document.documentElement).backgroundColor;
  const solid = (fill) => fill !== "none" && (rgb(fill).length < 4 || rgb(fill)[3] > 0);
  return [...document.querySelectorAll("svg.drawing text")].flatMap((text) => {
    const svg = text.ownerSVGElement, box = text.getBBox(), to = text.getScreenCTM();
    const shapes = [...svg.querySelectorAll("rect, path, circle, polygon, ellipse")]
      .filter((shape) => shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING)
      .filter((shape) => solid(getComputedStyle(shape).fill));
    return [[0.5, 0.5], [0.05, 0.3], [0.95, 0.3], [0.05, 0.7], [0.95, 0.7]].map(([across, down]) => {
      const at = new DOMPoint(box.x + across * box.width, box.y + down * box.height).matrixTransform(to);
      const below = shapes.findLast((shape) =>
        shape.isPointInFill(at.matrixTransform(shape.getScreenCTM().inverse())));
      return [text.textContent, rgb(getComputedStyle(text).fill),
              rgb(below ? getComputedStyle(below).fill : paper)];
    });
  });
}"""


def _hex(parts: list[float]) -> str:
    return "#" + "".join(f"{round(part):02x}" for part in parts[:3])


@pytest.mark.parametrize("name", THEMES)
async def test_every_text_of_every_drawing_stands_out_from_the_shape_below_it(
    browser: Browser, filled: Callable[[State], str], name: str
) -> None:
    drawn = []
    async with serving(filled(State.FRESH)) as home, opened(browser, home, "") as (page, _):
        for path in VIEWS.values():
            await page.goto(home + asked(path, theme=name))
            drawn += [(path, *one) for one in await page.evaluate(_DRAWN)]

    assert len(drawn) >= 5 * 30
    weak = {
        (path, text, _hex(fill), _hex(ground))
        for path, text, fill, ground in drawn
        if contrast(_hex(fill), _hex(ground)) < TEXT
    }
    assert weak == set()
