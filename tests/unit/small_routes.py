"""A registry of a few sensors, without a database: for tests of decoding."""

from __future__ import annotations

import datetime

import numpy as np

from collector.decode import Decoding
from collector.source import Message
from storage.intake import Intake, RefusalRow
from storage.routes import BindingRow, Routes

NOW_US = 1_772_355_600_000_000  # 2026-03-01T09:00:00Z
OLDEST = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
PAYLOAD_BYTES = 4096
LISTED = "a4c138001122"
"""A sensor whose registered id is its MAC address."""

_SERIES = [
    # sensor, field, unit, canonical, scale, shift, low, high, seconds that the stamp is late
    ("air-1", "no2", "ug/m3", "ug/m3", 1.0, 0.0, 0.0, 2000.0, 0),
    ("air-1", "temp", "[degF]", "Cel", 5 / 9, -160 / 9, -60.0, 70.0, 0),
    ("air-1", "door.open", "1", "1", 1.0, 0.0, 0.0, 1.0, 0),
    ("air-1", "o3", "ug/m3", "ug/m3", 1.0, 0.0, 0.0, 2000.0, 0),
    ("meter-1", "index", "W.h", "kW.h", 0.001, 0.0, 0.0, 1e12, 900),
    ("meter-1", "t", "Cel", "Cel", 1.0, 0.0, -60.0, 70.0, 0),
    ("meter-1", "value", "1", "1", 1e300, 0.0, -1.7e308, 1.7e308, 0),
    (LISTED, "no2", "ug/m3", "ug/m3", 1.0, 0.0, 0.0, 2000.0, 0),
]
_BINDINGS = [
    ("city/{territory}/{site}/{sensor}", "plain", "UTC", "", {"battery", "status"}),
    ("paris/{sensor}", "plain", "Europe/Paris", "meta.time", set()),
    ("nowhere/{sensor}", "plain", "Europe/Ys", "", {"battery"}),
    ("senml/{sensor}", "senml", "UTC", "", {"battery"}),
    ("packs/#", "senml", "UTC", "", {"battery"}),
    ("bare/+", "plain", "UTC", "", set()),
]
TOPICS = (
    "city/99001/mairie/air-1", "city/99001/mairie/meter-1", "city/99001/mairie/nobody",
    f"city/99001/mairie/{LISTED}", "paris/air-1", "nowhere/air-1", "nowhere/nobody",
    "senml/air-1", "senml/nobody", "packs/x", "packs", "bare/x", "elsewhere",
)  # fmt: skip


def routes() -> Routes:
    """All of the above as the database would give it."""
    sensors: dict[str, tuple[int, dict[str, int]]] = {}
    for position, line in enumerate(_SERIES):
        _, fields = sensors.setdefault(line[0], (len(sensors) + 1, {}))
        fields[line[1]] = position
    _, _, unit, canonical, scale, shift, low, high, late = zip(*_SERIES, strict=True)
    return Routes(
        revision=1,
        bindings=tuple(BindingRow(*row[:4], frozenset(row[4])) for row in _BINDINGS),
        sensors=sensors,
        series=np.arange(11, 11 + len(_SERIES), dtype=np.int32),
        domain=np.zeros(len(_SERIES), np.int8),
        scale=np.array(scale),
        shift=np.array(shift),
        low=np.array(low),
        high=np.array(high),
        back_us=np.array(late, np.int64) * 1_000_000,
        metric=("no2",) * len(_SERIES),
        unit=unit,
        canonical=canonical,
    )


def decoding() -> Decoding:
    """What reads messages of these sensors."""
    return Decoding(routes(), payload_bytes=PAYLOAD_BYTES, oldest=OLDEST, ahead_s=600)


def message(topic: str, payload: bytes, number: int = 0, *, retain: bool = False) -> Message:
    """One message, received ``number`` microseconds after now."""
    return Message(1, number + 1, 1, topic, payload, NOW_US + number, retain)


def written(intake: Intake) -> list[RefusalRow]:
    """The refusals as they would be written down: with their payloads masked."""
    return [
        intake.mask_payload(row, number) if row.payload else row
        for row, number in zip(intake.refusals, intake.refusal_message, strict=True)
    ]
