"""How many messages to wait for before a commit, and for how long.

A short wait saves commits at low load (0.4 ms of CPU each). It must end at once when the
broker will send nothing more before an acknowledgement: with Mosquitto's default window
of 20 a fixed wait of 50 ms would cap the rate at 376 messages a second.
"""

from __future__ import annotations

# Quiet for this part of the wait, at the same count as before: the window is full.
_QUIET = 0.6


class Window:
    """The broker's in-flight window, as announced, as configured, or as observed.

    MQTT 3.1.1 brokers do not tell theirs, so it is learned: where arrivals stop well
    before the wait ends, the count they stopped at is taken for the window until more
    than that arrive at once. A wrong guess costs one commit too many, never a message.
    """

    def __init__(self, configured: int, linger_s: float) -> None:
        self._configured = configured
        self.linger_s = linger_s
        self.size = configured

    def connected(self, announced: int | None) -> None:
        """A new connection: forget what was learned, note what the broker announced."""
        self.size = min(self._configured, announced or self._configured)

    def aim(self, waiting: int) -> int:
        """How many make a batch complete, now that so many wait."""
        if waiting > self.size:
            self.size = self._configured
        return self.size

    def fell_short(self, count: int, quiet_s: float) -> None:
        """The wait ended with so many, the last of them that long before its end."""
        if count > 1 and quiet_s > _QUIET * self.linger_s:
            self.size = count
