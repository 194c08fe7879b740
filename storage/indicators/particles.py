"""What is said of low-cost particle sensors: corrections, and what speaks against an hour."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Fault(IntFlag):
    """What speaks against an hour of a particle sensor; bits of a code.

    The last three mean that the sensor is wrong, not only less sure.
    """

    HUMID = 1
    TOO_HUMID = 2
    NO_HUMIDITY = 4
    FINE_ABOVE_COARSE = 8
    ZERO = 16
    END_OF_SCALE = 32


BROKEN = Fault.FINE_ABOVE_COARSE | Fault.ZERO | Fault.END_OF_SCALE

FAULT_WORDS: tuple[str, ...] = (
    "humid: 70 % and more",
    "too humid: 95 % and more",
    "no humidity",
    "PM2.5 above PM10",
    "zero for a whole hour",
    "end of the scale",
)
"""By bit, as in :class:`Fault`."""


class Corrected(IntEnum):
    """What became of an hour that was to be corrected; the code of its figure."""

    DONE = 0
    TOO_HUMID = 1
    NO_HUMIDITY = 2
    FAULTY = 3


CORRECTED_WORDS: tuple[str, ...] = ("corrected", "too humid", "no humidity", "sensor at fault")

CORRECTIONS: tuple[str, ...] = ("kappa-koehler", "us-epa-purpleair")
"""Methods of correction, by position."""
