"""What Sparkplug birth certificates said: the memory without which later data says nothing.

Data messages may name a metric by its alias alone and leave out its datatype. A decoder is
handed the births through its hints: birth messages fill them, data messages read them, and
deaths end them. Two kinds: :class:`LiveBirths` follows the messages as they arrive,
:class:`PastBirths` tells for a message of any age which birth counted then.

Nothing of a batch stays in the live memory before the batch is committed: a batch that is
decoded twice, in halves or after an outage, is read the same way every time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

MOST_METRICS = 2_000_000
"""Metrics held at once. Names are the senders' own; beyond this nothing more is learned.

A certificate counts like one metric more, and so do every hundred characters of its names.
"""
MOST_NUMBERED = 100_000
"""Edge nodes whose sequence numbers are followed; those that were silent longest give way."""

_CHARACTERS = 100
_WRAP = 256


class Device(NamedTuple):
    """Whose birth it is; ``device`` is empty for an edge node itself."""

    group: str
    node: str
    device: str = ""


class Born(NamedTuple):
    """One birth certificate, from its reception until its end.

    metrics: datatype by name. aliases: name by alias. bdseq: which connection of the edge
    node it belongs to; its death carries the same. ended_us: None while it holds.
    """

    metrics: Mapping[str, int]
    aliases: Mapping[int, str]
    born_us: int
    ended_us: int | None = None
    bdseq: int | None = None


class Version(NamedTuple):
    """A birth certificate and whose it is.

    known: it was written down before, and only how it ends or its ``bdseq`` is new.
    """

    whose: Device
    born: Born
    known: bool = False


class Wanted(NamedTuple):
    """What one batch showed: who must be asked for a new birth, and who was born anew.

    gaps: edge nodes of which messages are missing. unknown: those whose data cannot be
    read. born: those of which a birth certificate came last.
    """

    gaps: frozenset[Device]
    unknown: frozenset[Device]
    born: frozenset[Device]


class Births(Protocol):
    """What a decoder asks and tells; times are those of reception."""

    def begin(self) -> None:
        """Forget what an uncommitted batch said."""

    def changes(self) -> Sequence[Version]:
        """What the batch changed of what is written down, each birth in its last state."""

    def of(self, whose: Device, received_us: int) -> Born | None:
        """The birth certificate that counts for a message received then."""

    def bear(
        self, whose: Device, metrics: Mapping[str, int], aliases: Mapping[int, str],
        bdseq: int | None, received_us: int,
    ) -> None:  # fmt: skip
        """A birth certificate came; that of an edge node ends those of its devices."""

    def die(self, whose: Device, bdseq: int | None, received_us: int) -> None:
        """A death certificate came; that of an earlier connection says nothing."""

    def hear(self, whose: Device, seq: int | None, sent_ms: int, *, born: bool) -> None:
        """A message with this sequence number came from an edge node or a device of it."""

    def miss(self, whose: Device) -> None:
        """Something of this message cannot be read without a birth certificate."""


class PastBirths:
    """The births that were written down, for messages that were kept from earlier."""

    def __init__(self, versions: Iterable[Version]) -> None:
        self._versions: dict[Device, list[Born]] = {}
        for whose, born, _ in sorted(versions, key=lambda one: one.born.born_us, reverse=True):
            self._versions.setdefault(whose, []).append(born)

    def of(self, whose: Device, received_us: int) -> Born | None:
        """See :class:`Births`; a birth younger than the message never counts."""
        for born in self._versions.get(whose, ()):
            if born.born_us <= received_us:
                return born if born.ended_us is None or received_us < born.ended_us else None
        return None

    def begin(self) -> None:
        """What is written down does not change."""

    def changes(self) -> Sequence[Version]:
        """None: it was written down when it came."""
        return ()

    def bear(self, *_: object) -> None:
        """It was written down when it came."""

    def die(self, *_: object) -> None:
        """It was written down when it came."""

    def hear(self, *_: object, born: bool) -> None:
        """Gaps of the past are nobody's concern any more."""

    def miss(self, whose: Device) -> None:
        """Nobody can answer for the past."""


class LiveBirths:
    """The births as they stand after everything that was committed, and a batch on top.

    ``sees_all``: whether every message of an edge node comes here, so that a number left
    out means a message lost; members of a share group see a part each.
    """

    def __init__(self, *, sees_all: bool = True) -> None:
        self._sees_all = sees_all
        self._known: dict[Device, Born] = {}
        self._seq: OrderedDict[Device, tuple[int, int]] = OrderedDict()
        self._devices: dict[Device, set[Device]] = {}
        self._held = 0
        self.begin()

    def load(self, versions: Iterable[Version]) -> None:
        """Take over what was written down: the newest of each, by this or another collector."""
        for whose, born, _ in versions:
            self._held += _weight(born) - _weight(self._known.get(whose))
            self._known[whose] = born
            self._remember(whose)

    # One batch --------------------------------------------------------------

    def begin(self) -> None:
        """Forget what an uncommitted batch said."""
        self._now: dict[Device, Born] = {}
        self._seq_now: dict[Device, tuple[int, int]] = {}
        self._touched: dict[tuple[Device, int], Born] = {}
        self._gaps: set[Device] = set()
        self._unknown: set[Device] = set()
        self._born: set[Device] = set()
        self._learned = 0

    def changes(self) -> list[Version]:
        """What the batch changed of what is written down, each birth in its last state."""
        found: list[Version] = []
        for (whose, _), born in self._touched.items():
            before = self._known.get(whose)
            if before != born:
                known = before is not None and before.born_us == born.born_us
                found.append(Version(whose, born, known))
        return found

    @property
    def unread(self) -> frozenset[Device]:
        """Edge nodes of which the batch has data that cannot be read."""
        return frozenset(self._unknown)

    def settle(self) -> Wanted:
        """The batch is committed: what it said stands."""
        wanted = Wanted(frozenset(self._gaps), frozenset(self._unknown), frozenset(self._born))
        for whose, born in self._now.items():
            before = self._known.get(whose)
            if before is None or before.metrics is not born.metrics:
                self._held += _weight(born) - _weight(before)
        self._known.update(self._now)
        for node, heard in self._seq_now.items():
            self._seq[node] = heard
            self._seq.move_to_end(node)
        while len(self._seq) > MOST_NUMBERED:
            self._seq.popitem(last=False)
        self.begin()
        return wanted

    # What decoders ask and tell ---------------------------------------------

    def of(self, whose: Device, received_us: int) -> Born | None:
        """See :class:`Births`; what came before it in order of arrival counts."""
        born = self._latest(whose)
        return born if born is not None and born.ended_us is None else None

    def bear(
        self, whose: Device, metrics: Mapping[str, int], aliases: Mapping[int, str],
        bdseq: int | None, received_us: int,
    ) -> None:  # fmt: skip
        """See :class:`Births`."""
        if not whose.device:
            for device in self._devices.get(whose, ()):
                self._end(device, received_us)
            self._gaps.discard(whose)
            self._unknown.discard(whose)
            self._born.add(whose)
        before = self._latest(whose)
        if before is not None and before.metrics == metrics and before.aliases == aliases:
            self._put(whose, before._replace(ended_us=None, bdseq=bdseq))
            return
        self._end(whose, received_us)
        # A clock that was stepped back must not put the newer birth before the older one.
        born_us = received_us if before is None else max(received_us, before.born_us + 1)
        born = Born(metrics, aliases, born_us, None, bdseq)
        new = _weight(born) - _weight(before)
        if self._held + self._learned + new > MOST_METRICS:
            return
        self._learned += new
        self._put(whose, born)
        self._remember(whose)

    def die(self, whose: Device, bdseq: int | None, received_us: int) -> None:
        """See :class:`Births`."""
        if whose.device:
            self._end(whose, received_us)
            return
        born = self._latest(whose)
        earlier = born is not None and None not in (bdseq, born.bdseq) and bdseq != born.bdseq
        if earlier:
            return
        self._end(whose, received_us)
        for device in self._devices.get(whose, ()):
            self._end(device, received_us)

    def hear(self, whose: Device, seq: int | None, sent_ms: int, *, born: bool) -> None:
        """See :class:`Births`.

        A number out of turn in a message that was sent before the last one is a redelivery.
        """
        if not self._sees_all or seq is None or seq >= _WRAP:
            return
        node = Device(whose.group, whose.node)
        last = self._seq_now.get(node) or self._seq.get(node)
        if last is not None and not born and seq != (last[0] + 1) % _WRAP:
            if sent_ms <= last[1]:
                return
            self._gaps.add(node)
        self._seq_now[node] = seq, sent_ms

    def miss(self, whose: Device) -> None:
        """See :class:`Births`."""
        self._unknown.add(Device(whose.group, whose.node))

    # The memory -------------------------------------------------------------

    def _latest(self, whose: Device) -> Born | None:
        return self._now.get(whose) or self._known.get(whose)

    def _end(self, whose: Device, received_us: int) -> None:
        born = self._latest(whose)
        if born is not None and born.ended_us is None:
            self._put(whose, born._replace(ended_us=max(received_us, born.born_us)))

    def _put(self, whose: Device, born: Born) -> None:
        self._now[whose] = self._touched[whose, born.born_us] = born

    def _remember(self, whose: Device) -> None:
        if whose.device:
            self._devices.setdefault(Device(whose.group, whose.node), set()).add(whose)


def _weight(born: Born | None) -> int:
    """How much room a certificate takes, in metrics."""
    if born is None:
        return 0
    return 1 + len(born.metrics) + sum(map(len, born.metrics)) // _CHARACTERS


def nodes(topics: Sequence[str]) -> set[Device]:
    """The edge nodes that messages on these topics belong to."""
    return {
        Device(parts[1], parts[3])
        for parts in (topic.split("/") for topic in topics if topic.startswith("spBv1.0/"))
        if len(parts) >= 4
    }
