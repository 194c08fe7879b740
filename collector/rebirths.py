"""When to ask Sparkplug edge nodes for their birth certificates once more.

Every host on a broker may ask, and every rebirth is heard by all of them, so an edge node is
asked seldom: at once when its data cannot be read, after a moment when messages of it are
missing, and ever more seldom while that does not help.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from collector.formats.births import Device, Wanted
from collector.formats.sparkplug import NAMESPACE
from collector.topics import Topics

PAUSE_S, LONGEST_PAUSE_S = 60.0, 3600.0
GAP_S = 2.0
"""What is missing may only be late, where a broker has several nodes. [s]"""
AT_A_TIME = 100
"""Edge nodes asked in one second; whoever may publish could make us ask without end."""
_REMEMBERED = 10_000


@dataclass(slots=True)
class _Asking:
    due: float | None = None
    asked: float = float("-inf")
    pause: float = PAUSE_S


def hears_all(topics: Topics, node: Device) -> bool:
    """Whether the bindings read every message of an edge node: its devices' are numbered too."""
    names = (
        f"{NAMESPACE}/{node.group}/NDATA/{node.node}",
        f"{NAMESPACE}/{node.group}/DDATA/{node.node}/-",
    )
    routes = [topics.route(name) for name in names]
    return all(route is not None and route.hints.births is not None for route in routes)


class Rebirths:
    """Collects what committed batches want and tells whom to ask now."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._nodes: dict[Device, _Asking] = {}
        self._second, self._left = 0, AT_A_TIME

    def take(self, wanted: Wanted) -> None:
        """Note what a committed batch showed."""
        now = self._clock()
        for node in wanted.born:
            if node in self._nodes:
                self._nodes[node].due = None
        for nodes, delay in ((wanted.unknown, 0.0), (wanted.gaps, GAP_S)):
            for node in nodes:
                self._want(node, now, now + delay)

    def due(self) -> list[Device]:
        """Whom to ask now; they are taken for asked."""
        now = self._clock()
        if int(now) != self._second:
            self._second, self._left = int(now), AT_A_TIME
        if not self._left:
            return []
        nodes = [
            node
            for node, asking in self._nodes.items()
            if asking.due is not None and asking.due <= now
        ][: self._left]
        self._left -= len(nodes)
        for node in nodes:
            asking = self._nodes[node]
            asking.due, asking.asked = None, now
        return nodes

    def unasked(self, node: Device) -> None:
        """The question to a node that was due could not be sent."""
        if node in self._nodes:
            self._nodes[node].due = self._clock()

    def _want(self, node: Device, now: float, due: float) -> None:
        asking = self._nodes.get(node)
        if asking is None:
            if len(self._nodes) >= _REMEMBERED:
                # Senders choose these names.
                self._nodes.pop(next(iter(self._nodes)))
            asking = self._nodes[node] = _Asking()
        if asking.due is not None:
            asking.due = min(asking.due, max(due, asking.asked + asking.pause))
            return
        if now - asking.asked > 2 * LONGEST_PAUSE_S:
            asking.pause = PAUSE_S
        elif due < asking.asked + asking.pause:
            due = asking.asked + asking.pause
            asking.pause = min(2 * asking.pause, LONGEST_PAUSE_S)
        asking.due = due
