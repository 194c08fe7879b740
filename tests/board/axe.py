"""axe-core in a page: what it found against the law's rules, and what it could not decide."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from playwright.async_api import Page

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "RGAAv4", "EN-301-549")

_RUN = """
async (tags) => {
  const told = await axe.run(document, {
    runOnly: { type: "tag", values: tags },
    resultTypes: ["violations", "incomplete", "passes"],
  });
  const brief = (results) => results.map(({ id, tags, nodes }) => ({
    id, tags, nodes: nodes.map((node) => ({
      target: (document.querySelector(node.target)?.closest("svg") ? "svg " : "") + node.target,
      why: [...node.any, ...node.all, ...node.none].map((check) => check.message).join("; "),
    })),
  }));
  return { violations: brief(told.violations), incomplete: brief(told.incomplete),
           passes: told.passes.map(({ id, tags }) => ({ id, tags })) };
}
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule at one element; a target within a drawing begins with ``svg``."""

    rule: str
    target: str
    why: str

    def __str__(self) -> str:
        return f"{self.rule} {self.target}: {self.why}"


@dataclass(frozen=True, slots=True)
class Told:
    """What one run said; `passed` holds the tags of every rule that had something to look at."""

    violations: tuple[Finding, ...]
    incomplete: tuple[Finding, ...]
    passed: tuple[frozenset[str], ...]

    def rules_passed(self, tag: str) -> int:
        """How many rules of a tag had something to look at, and liked it."""
        return sum(tag in tags for tags in self.passed)


@cache
def script() -> str:
    """The text of axe-core: evaluated, since the board's policy lets no foreign script in."""
    return files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


async def axe(page: Page) -> Told:
    """Run every rule of the tags on the page as it stands."""
    if not await page.evaluate("typeof axe === 'object'"):
        await page.evaluate(script())
    told = await page.evaluate(_RUN, list(TAGS))
    return Told(
        tuple(_found(told["violations"])),
        tuple(_found(told["incomplete"])),
        tuple(frozenset(one["tags"]) for one in told["passes"]),
    )


def _found(results: list[dict[str, Any]]) -> list[Finding]:
    return [
        Finding(one["id"], node["target"], node["why"]) for one in results for node in one["nodes"]
    ]
