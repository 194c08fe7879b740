"""Screens of every shape that a city might hang up, and what a browser says of a slide."""

from __future__ import annotations

import json
from typing import Any

import psycopg

EVERY = ["now", "air", "moving", "energy", "map", "measure", "platform"]
SPOKEN = ["fr", "en", "de"]

# Panel by name: what is declared of it, and its window.
PANELS: dict[str, tuple[dict[str, Any], tuple[int, int]]] = {
    "hall": ({}, (1920, 1080)),
    "upright": ({"pixels": [1080, 1920]}, (1080, 1920)),
    "fine": ({"pixels": [3840, 2160], "theme": "dark"}, (3840, 2160)),
    "desk": ({"diagonal_in": 32, "distance_m": 2}, (1920, 1080)),
    "far": ({"distance_m": 5, "address": "beffroi.ville.example"}, (1920, 1080)),
}


def hang(conninfo: str, *screens: dict[str, Any]) -> None:
    """Describe these screens, as registering a city.toml does."""
    said = json.dumps({"screen": screens})
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO city.board AS b (said) VALUES (%s)"
            " ON CONFLICT (only_row) DO UPDATE SET said = b.said || excluded.said", [said],
        )  # fmt: skip


def panels() -> list[dict[str, Any]]:
    """All of them, through every view in three languages."""
    return [
        {"id": name, "views": EVERY, "languages": SPOKEN, **declared}
        for name, (declared, _) in PANELS.items()
    ]


# Fetches every slide of the screen, puts it in the place of the one before, and tells what is
# wrong with it: text that is out of the window, over the frame or smaller than the root's, and parts
# of the frame that lie on each other.
LOOK_AT_ALL = """async () => {
  const names = document.querySelector("main").dataset.slides.split(" "), wrong = [];
  let texts = 0;
  for (const name of names) {
    const url = new URL(location.href);
    url.searchParams.set("slide", name);
    const got = await fetch(url);
    const next = new DOMParser().parseFromString(await got.text(), "text/html");
    document.documentElement.lang = next.documentElement.lang;
    document.body.replaceWith(next.body);
    await new Promise(requestAnimationFrame);
    const say = (...what) => wrong.push([name, ...what].join(" "));
    const root = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const main = document.querySelector("main"), foot = document.querySelector("footer");
    const edge = foot.getBoundingClientRect(), all = document.documentElement;
    const frame = [...foot.querySelectorAll("button, svg, .where, .number")].filter((el) => el.checkVisibility());
    if (main.dataset.slide !== name) say("is", main.dataset.slide);
    if (all.scrollWidth > innerWidth || all.scrollHeight > innerHeight) say("scrolls");
    for (const part of [main, foot])
      if (part.scrollWidth > part.clientWidth + 1 || part.scrollHeight > part.clientHeight + 1)
        say("overflows", part.tagName, part.scrollHeight - part.clientHeight);
    const boxes = frame.map((el) => el.getBoundingClientRect());
    boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => {
      if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
          && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 6)
        say("on each other:", frame[i].textContent || frame[i].tagName);
    }));
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode, el = node.parentElement, range = document.createRange();
      if (!node.data.trim()) continue;
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) {
        if (!box.width) continue;
        texts += 1;
        if (box.left < -1 || box.top < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1)
          say("out of the window:", node.data);
        if (main.contains(el) && box.bottom > edge.top + 3 && box.right > edge.left + 3)
          say("over the frame:", node.data);
        const under = (b) => Math.min(b.right, box.right) - Math.max(b.left, box.left) > 2
          && Math.min(b.bottom, box.bottom) - Math.max(b.top, box.top) > 6;
        if (main.contains(el) && boxes.some(under)) say("under a part of the frame:", node.data);
        if (el.closest("button")) continue;
        let size = parseFloat(getComputedStyle(el).fontSize);
        if (el.ownerSVGElement) size *= el.getScreenCTM().a;
        if (size < root - 0.1) say("small:", node.data, size, root);
        if (getComputedStyle(el).fontSizeAdjust !== "cap-height 0.7") say("adjust:", node.data);
      }
    }
  }
  return { slides: names.length, texts, wrong };
}"""
