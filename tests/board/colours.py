"""The colours of a style sheet, theme by theme, and their contrast as WCAG 2.2 computes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

STATIC = Path(__file__).parents[2] / "dashboards" / "board" / "static"

_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_NAMES = {"#fff": "#ffffff", "#000": "#000000", "white": "#ffffff", "black": "#000000"}


def sheet() -> str:
    """All style sheets of the board without comments and without what is for paper."""
    text = "\n".join(path.read_text("utf-8") for path in sorted(STATIC.glob("*.css")))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    # Blocks for paper and for colours that the reader forces hold rules, but no further blocks.
    return re.sub(r"@media (print|\(forced-colors)[^{]*\{([^{}]*\{[^{}]*\})*[^{}]*\}", "", text)


def rules() -> list[tuple[str, dict[str, str]]]:
    """Every selector with its declarations, one by one, in order."""
    found = []
    for selectors, body in _RULE.findall(sheet()):
        declarations = dict(
            (part.strip() for part in line.split(":", 1)) for line in body.split(";") if ":" in line
        )
        for selector in re.split(r",(?![^(]*\))", selectors):
            found.append((" ".join(selector.split()), declarations))
    return found


def theme(name: str) -> dict[str, str]:
    """Custom properties of ``light`` or ``dark``; the media query and the attribute must agree."""
    light: dict[str, str] = {}
    dark: list[dict[str, str]] = []
    for selector, declarations in rules():
        own = {key: value for key, value in declarations.items() if key.startswith("--")}
        if "dark" in selector or "light" in selector:
            dark += [own] if own else []
        elif selector.endswith(":root"):
            light |= own
    if name == "light":
        return light
    if not dark or any(one != dark[0] for one in dark):
        raise AssertionError("dark by the system and dark by choice are not the same colours")
    return light | dark[0]


def colour(value: str, properties: Mapping[str, str]) -> str:
    """A declared colour as ``#rrggbb``; empty where it is none."""
    value = value.split("!")[0].strip()
    for _ in range(4):
        if found := re.fullmatch(r"var\((--[\w-]+)\)", value):
            value = properties[found[1]]
    value = _NAMES.get(value, value)
    return value if re.fullmatch(r"#[0-9a-f]{6}", value) else ""


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2.

    >>> round(contrast("#000000", "#ffffff")), round(contrast("#777777", "#ffffff"), 2)
    (21, 4.48)
    """
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
