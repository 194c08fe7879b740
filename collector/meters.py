"""What the collector counts: for Prometheus, for its status page, for its log."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from prometheus_client import Counter, Gauge, Histogram

from storage.intake import Outcome
from storage.reading import Reason

log = logging.getLogger(__name__)

_WARN_S = 60.0

MESSAGES = Counter("beffroi_collector_messages_total", "Messages received and committed")
QOS0 = Counter("beffroi_collector_qos0_messages_total", "Of these at QoS 0, which nothing protects")
STORED = Counter("beffroi_collector_readings_stored_total", "Readings stored")
DUPLICATE = Counter(
    "beffroi_collector_readings_duplicate_total", "Readings that were stored before"
)
REFUSED = Counter("beffroi_collector_refused_total", "Readings and messages refused", ["reason"])
REDELIVERED = Counter(
    "beffroi_collector_redelivered_total", "Messages that the broker marked as sent before"
)
COMMIT_S = Histogram(
    "beffroi_collector_commit_seconds",
    "Time to commit one batch",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30),
)
BATCH = Histogram(
    "beffroi_collector_batch_messages",
    "Messages per commit",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000),
)
REBIRTHS = Counter("beffroi_collector_rebirths_total", "Rebirths asked of Sparkplug edge nodes")
DATABASE_UP = Gauge("beffroi_collector_database_up", "1 while the last commit succeeded")
STANDBY = Gauge("beffroi_collector_standby", "1 while another process collects for this client id")
UNACKNOWLEDGED = Gauge(
    "beffroi_collector_unacknowledged_messages", "Messages received and not yet committed"
)


@dataclass(slots=True)
class Totals:
    """What this process has committed so far."""

    messages: int = 0
    messages_qos0: int = 0
    messages_refused: int = 0
    decoded: int = 0
    stored: int = 0
    duplicate: int = 0
    refused: int = 0
    batches: int = 0
    last_commit: float = field(default_factory=time.monotonic)
    _warned: float = float("-inf")
    _unprotected: int = 0

    def add(self, outcome: Outcome, qos0: int) -> None:
        """Count one committed batch."""
        self.batches += 1
        self.messages += outcome.messages
        self.messages_qos0 += qos0
        self.messages_refused += outcome.messages_refused
        self.decoded += outcome.decoded
        self.stored += outcome.stored
        self.duplicate += outcome.duplicate
        self.refused += outcome.refused
        self.last_commit = time.monotonic()
        self._warn_of_qos0(qos0)

    def _warn_of_qos0(self, messages: int) -> None:
        self._unprotected += messages
        if self._unprotected and self.last_commit - self._warned >= _WARN_S:
            log.warning(
                "messages came at QoS 0, which nothing protects: what is sent while broker or "
                "collector are away is lost messages=%d; let their senders publish at QoS 1",
                self._unprotected,
            )
            self._warned, self._unprotected = self.last_commit, 0


def count(outcome: Outcome, messages: int, qos0: int) -> None:
    """Meter one committed batch."""
    MESSAGES.inc(outcome.messages)
    QOS0.inc(qos0)
    STORED.inc(outcome.stored)
    DUPLICATE.inc(outcome.duplicate)
    for reason, readings in outcome.reasons.items():
        REFUSED.labels(Reason(reason)).inc(readings)
    BATCH.observe(messages)
