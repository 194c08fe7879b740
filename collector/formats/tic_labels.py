"""What the labels of a French meter mean: unit, and whether they measure (Enedis-NOI-CPT_54E).

Both modes of the customer output (TIC) are here: historic (also of the meters before Linky)
and standard. Who reads them in another envelope uses the same table.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """What becomes of a label.

    reading: it measures; offered: the meter of itself (contract, statistics of a day, state);
    passed: words and calendars; personal: numbers of the meter and of the delivery point.
    """

    READING = "reading"
    OFFERED = "offered"
    PASSED = "passed"
    PERSONAL = "personal"


class Label(NamedTuple):
    """One label; ``unit`` is UCUM, None for a number without one and for text."""

    meaning: str
    role: Role
    unit: str | None = None


def _reading(unit: str, **labels: str) -> dict[str, Label]:
    return {name: Label(meaning, Role.READING, unit) for name, meaning in labels.items()}


def _offered(unit: str | None, labels: dict[str, str]) -> dict[str, Label]:
    return {name: Label(meaning, Role.OFFERED, unit) for name, meaning in labels.items()}


def _passed(**labels: str) -> dict[str, Label]:
    return {name: Label(meaning, Role.PASSED) for name, meaning in labels.items()}


def _by_phase(name: str, meaning: str) -> dict[str, str]:
    return {f"{name}{phase}": f"{meaning}, phase {phase}" for phase in (1, 2, 3)}


def _numbered(name: str, count: int, meaning: str) -> dict[str, str]:
    return {f"{name}{n:02}": f"{meaning}, register {n}" for n in range(1, count + 1)}


_PERSONAL = {
    name: Label(meaning, Role.PERSONAL)
    for name, meaning in {
        "ADCO": "number of the meter",
        "ADC0": "number of the meter, as some gateways spell it",
        "ADSC": "number of the meter",
        "ADS": "number of the meter, of business meters",
        "PRM": "number of the delivery point",
    }.items()
}

_HISTORIC = {
    **_reading(
        "W.h",
        BASE="energy drawn",
        HCHC="energy drawn, off-peak hours",
        HCHP="energy drawn, peak hours",
        EJPHN="energy drawn, EJP normal hours",
        EJPHPM="energy drawn, EJP mobile peak hours",
        BBRHCJB="energy drawn, Tempo blue days, off-peak hours",
        BBRHPJB="energy drawn, Tempo blue days, peak hours",
        BBRHCJW="energy drawn, Tempo white days, off-peak hours",
        BBRHPJW="energy drawn, Tempo white days, peak hours",
        BBRHCJR="energy drawn, Tempo red days, off-peak hours",
        BBRHPJR="energy drawn, Tempo red days, peak hours",
    ),
    **_reading("A", IINST="current", **_by_phase("IINST", "current")),
    **_reading("V.A", PAPP="apparent power drawn"),
    **_offered(
        "A",
        {
            "ISOUSC": "current subscribed",
            "IMAX": "largest current so far",
            **_by_phase("IMAX", "largest current so far"),
            "ADPS": "current above the subscribed one",
            **_by_phase("ADIR", "current above the subscribed one"),
        },
    ),
    **_offered("W", {"PMAX": "largest power so far"}),
    **_offered("min", {"PEJP": "time until the mobile peak begins"}),
    **_passed(
        OPTARIF="tariff option", PTEC="present tariff period", DEMAIN="colour of tomorrow",
        HHPHC="group of hours", MOTDETAT="state word", PPOT="presence of the phases",
    ),
}  # fmt: skip

_STANDARD = {
    **_reading(
        "W.h",
        EAST="active energy drawn, total",
        **_numbered("EASF", 10, "active energy drawn, supplier"),
        **_numbered("EASD", 4, "active energy drawn, distributor"),
        EAIT="active energy fed in, total",
    ),
    **_reading("var.h", **{f"ERQ{n}": f"reactive energy, quadrant {n}" for n in range(1, 5)}),
    **_reading("A", **_by_phase("IRMS", "current")),
    **_reading(
        "V", **_by_phase("URMS", "voltage"), **_by_phase("UMOY", "mean voltage of ten minutes")
    ),
    **_reading(
        "V.A",
        SINSTS="apparent power drawn",
        **_by_phase("SINSTS", "apparent power drawn"),
        SINSTI="apparent power fed in",
    ),
    **_reading(
        "W",
        CCASN="mean active power drawn in the last step of the load curve",
        CCAIN="mean active power fed in in the last step of the load curve",
    ),
    **_offered(
        "W",
        {
            "CCASN-1": "the step before that of CCASN",
            "CCAIN-1": "the step before that of CCAIN",
        },
    ),
    **_offered("kV.A", {"PREF": "power subscribed", "PCOUP": "power at which the meter cuts"}),
    **_offered(
        "V.A",
        {
            "SMAXSN": "largest power drawn today",
            "SMAXSN-1": "largest power drawn yesterday",
            **_by_phase("SMAXSN", "largest power drawn today"),
            **{
                f"SMAXSN{phase}-1": f"largest power drawn yesterday, phase {phase}"
                for phase in (1, 2, 3)
            },
            "SMAXIN": "largest power fed in today",
            "SMAXIN-1": "largest power fed in yesterday",
        },
    ),
    **_offered(
        None,
        {
            "VTIC": "version of the output",
            "NTARF": "register in use",
            "NJOURF": "day of the supplier's calendar",
            "NJOURF+1": "tomorrow in the supplier's calendar",
            "RELAIS": "state of the eight relays",
        },
    ),
    **_passed(
        NGTF="name of the tariff", LTARF="name of the present period", MSG1="message",
        MSG2="short message", PPOINTE="hours of the next mobile peak",
        DPM1="begin of mobile peak 1", DPM2="begin of mobile peak 2", DPM3="begin of mobile peak 3",
        FPM1="end of mobile peak 1", FPM2="end of mobile peak 2", FPM3="end of mobile peak 3",
        **{"PJOURF+1": "hours of tomorrow", "PJOURF": "hours of today"},
    ),
    "DATE": Label("the meter's clock", Role.PASSED),
    "STGE": Label("state register, 32 bits in hexadecimal", Role.OFFERED),
}  # fmt: skip

DATED = frozenset(
    name for name in _STANDARD if name.startswith(("CCASN", "CCAIN", "UMOY", "SMAXSN", "SMAXIN"))
)
"""What has a time of its own, which is not that of the frame."""

LABELS: dict[str, Label] = {**_PERSONAL, **_HISTORIC, **_STANDARD}
"""By label. A label that is not here measures nothing that is known: offered, without a unit."""


class Bits(NamedTuple):
    """A part of the state register: ``value = (register >> first) & mask``."""

    name: str
    first: int
    mask: int


STATE_BITS: tuple[Bits, ...] = (
    Bits("contact_open", 0, 0b1),
    Bits("cutoff", 1, 0b111),
    Bits("overvoltage", 6, 0b1),
    Bits("overload", 7, 0b1),
    Bits("producer", 8, 0b1),
    Bits("feeding_in", 9, 0b1),
    Bits("clock_degraded", 16, 0b1),
    Bits("tempo_today", 24, 0b11),
    Bits("tempo_tomorrow", 26, 0b11),
    Bits("mobile_peak_notice", 28, 0b11),
    Bits("mobile_peak", 30, 0b11),
)
"""What STGE says, offered as ``STGE.<name>``."""
