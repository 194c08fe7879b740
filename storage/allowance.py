"""How much of what is refused may be kept, so that no broken device fills the disk.

Retention looks once a minute; between two looks this bounds what one collector writes. Up to
the limits every refused message is kept with its payload; beyond them messages share rows.
"""

from __future__ import annotations

KEPT_PAYLOAD = 256 * 1024
"""Bytes of a refused payload that are kept; of a longer one this much."""
ROW_BYTES = 200
"""What a refusal takes beside its payload, nearly."""
MINUTE_US = 60_000_000


class Allowance:
    """What one collector may still keep in this minute.

    Devices nobody registered share a sensor id, so each of their topics counts like a sensor;
    together they have a limit too, because senders choose topics.
    """

    def __init__(
        self, *, sensor: int = 1 << 20, strangers: int = 8 << 20, total: int = 32 << 20
    ) -> None:
        self._limits = {"sensor": sensor, "strangers": strangers, "total": total}
        self._minute = -1
        self._spent: dict[object, int] = {}
        self._asked: dict[object, int] = {}

    def begin(self, now_us: int) -> None:
        """Start a batch; what a batch asked for and did not commit is given back."""
        self._asked = {}
        if now_us // MINUTE_US != self._minute:
            self._minute = now_us // MINUTE_US
            self._spent = {}

    def grant(self, sensor_id: int, topic: str, size: int) -> bool:
        """Whether a message may be kept that takes ``size`` bytes with all its rows."""
        wanted: list[tuple[object, str]] = [("total", "total")]
        if sensor_id > 0:
            wanted.append((sensor_id, "sensor"))
        else:
            wanted += [((sensor_id, topic), "sensor"), (sensor_id, "strangers")]
        for key, limit in wanted:
            if self._spent.get(key, 0) + self._asked.get(key, 0) + size > self._limits[limit]:
                return False
        for key, _ in wanted:
            self._asked[key] = self._asked.get(key, 0) + size
        return True

    def settle(self) -> None:
        """The batch is committed."""
        for key, size in self._asked.items():
            self._spent[key] = self._spent.get(key, 0) + size
        self._asked = {}
