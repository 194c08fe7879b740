"""The word *alert*: a sensor that somebody should look after, and what that somebody does.

Alerts hold numbers only; the sentences are made when somebody reads them, in the reader's
language.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np


class AlertKind(StrEnum):
    """What a sensor does.

    silence: says nothing; stuck: says the same value over and over; drift: goes away from
    its neighbours, slowly; jump: measures on another level since a day.
    """

    SILENCE = "silence"
    STUCK = "stuck"
    DRIFT = "drift"
    JUMP = "jump"


LANGUAGES = ("fr", "en", "de")


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, with the names of what it is about.

    What ``since``, ``value`` and ``reference`` are depends on the kind; see the comments of
    the table ``pipeline.alert``. ``labels`` are the metric's, by language.
    """

    alert_id: int
    kind: AlertKind
    since: datetime.datetime
    opened_at: datetime.datetime
    closed_at: datetime.datetime | None
    value: float | None
    reference: float | None
    unit: str
    series_id: int
    sensor: str
    field: str
    metric: str
    site: str
    site_name: str
    territory: str
    timezone: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class Outage:
    """Most of a territory fell silent at one moment: what carries its readings, not its sensors.

    ``since``: every one of the ``silent`` series was last heard before and has not been since;
    ``watched``: how many of the territory could be silent; ``alert_ids`` of the silent ones.
    """

    territory: str
    timezone: str
    since: datetime.datetime
    silent: int
    watched: int
    alert_ids: tuple[int, ...]


LEAST_TOGETHER = 5
"""Fewer silent series are told one by one."""
SHARE_TOGETHER = 0.8


def together(
    heard: Sequence[datetime.datetime], step_s: Sequence[float], watched: int
) -> tuple[datetime.datetime, list[int]] | None:
    """When most of a territory's series fell silent at one moment: that moment, and which.

    A series stopped somewhere between its last reading and the next one that was expected, give
    or take five minutes of its way. The moment is the one that lies between for most of them.

    Examples
    --------
    >>> at = datetime.datetime(2026, 3, 1, 10, tzinfo=datetime.UTC)
    >>> minutes = [datetime.timedelta(minutes=m) for m in (0, 9, 5, 4, 1, 7000)]
    >>> together([at + m for m in minutes], [600.0] * 6, 6)
    (datetime.datetime(2026, 3, 1, 10, 9, tzinfo=datetime.timezone.utc), [0, 1, 2, 3, 4])
    >>> together([at + m for m in minutes], [600.0] * 6, 7)
    """
    if len(heard) < LEAST_TOGETHER:
        return None
    begin = np.array([one.timestamp() for one in heard])
    end = begin + np.asarray(step_s) + _ON_THE_WAY_S
    inside = np.searchsorted(np.sort(begin), begin, side="right") - np.searchsorted(
        np.sort(end), begin, side="left"
    )
    at = int(np.argmax(inside))
    mine = np.flatnonzero((begin <= begin[at]) & (end >= begin[at])).tolist()
    if len(mine) < LEAST_TOGETHER or len(mine) <= SHARE_TOGETHER * watched:
        return None
    return heard[at], mine


_ON_THE_WAY_S = 300.0

_OUTAGE = {
    "fr": "{silent} séries sur {watched} se taisent depuis le {since}",
    "en": "{silent} of {watched} series are silent since {since}",
    "de": "{silent} von {watched} Reihen schweigen seit {since}",
}
_OUTAGE_TODO = {
    "fr": "Regarder d'abord ce qui transporte les mesures (collecteur, courtier, réseau) : beffroi doctor",
    "en": "First look at what carries the readings (collector, broker, network): beffroi doctor",
    "de": "Zuerst nach dem sehen, was die Messwerte überträgt (Sammler, Broker, Netz): beffroi doctor",
}

_WHAT = {
    AlertKind.SILENCE: {
        "fr": "{metric} : aucune mesure depuis le {since} ({step} attendu)",
        "en": "{metric}: no reading since {since} ({step} expected)",
        "de": "{metric}: kein Messwert seit {since} ({step} erwartet)",
    },
    AlertKind.STUCK: {
        "fr": "{metric} : toujours {value} depuis le {since}",
        "en": "{metric}: always {value} since {since}",
        "de": "{metric}: immer {value} seit {since}",
    },
    AlertKind.DRIFT: {
        "fr": "{metric} : s'écarte de ses voisins, {change} en quatre semaines (du {since} à l'alerte)",
        "en": "{metric}: goes away from its neighbours, {change} in four weeks (from {since} to the alert)",
        "de": "{metric}: entfernt sich von den Nachbarn, {change} in vier Wochen (vom {since} bis zur Warnung)",
    },
    AlertKind.JUMP: {
        "fr": "{metric} : autre niveau depuis le {since}, {value} au lieu de {reference}",
        "en": "{metric}: another level since {since}, {value} instead of {reference}",
        "de": "{metric}: anderes Niveau seit {since}, {value} statt {reference}",
    },
}

_TODO = {
    AlertKind.SILENCE: {
        "fr": "Vérifier l'alimentation, la batterie et le réseau sur place ; si le capteur est retiré, le déclarer : beffroi sensors retire",
        "en": "Check power, battery and network on the spot; if the sensor was taken away, say so: beffroi sensors retire",
        "de": "Strom, Batterie und Netz vor Ort prüfen; wurde der Sensor abgebaut, abmelden: beffroi sensors retire",
    },
    AlertKind.STUCK: {
        "fr": "Contrôler la sonde et redémarrer l'appareil ; écarter les valeurs figées : beffroi readings flag",
        "en": "Inspect the probe and restart the device; set the stuck values aside: beffroi readings flag",
        "de": "Sonde prüfen und Gerät neu starten; stehengebliebene Werte aussondern: beffroi readings flag",
    },
    AlertKind.DRIFT: {
        "fr": "Nettoyer et étalonner le capteur, ou le comparer à un appareil de référence ; corriger ensuite : beffroi readings correct",
        "en": "Clean and calibrate the sensor, or compare it with a reference instrument; then correct: beffroi readings correct",
        "de": "Sensor reinigen und kalibrieren oder mit einem Referenzgerät vergleichen; danach korrigieren: beffroi readings correct",
    },
    AlertKind.JUMP: {
        "fr": "Chercher ce qui a changé ce jour-là : déplacement, échange, réglage, travaux ; un déplacement se déclare : beffroi sensors move",
        "en": "Find out what changed that day: a move, an exchange, a setting, roadworks; say a move: beffroi sensors move",
        "de": "Klären, was sich an dem Tag geändert hat: Umzug, Tausch, Einstellung, Bauarbeiten; einen Umzug melden: beffroi sensors move",
    },
}

_EVERY = {"fr": "une toutes les {}", "en": "one every {}", "de": "alle {} einer"}
_SPANS = {
    "fr": (("j", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0)),
    "en": (("d", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0)),
    "de": (("d", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0)),
}


def what(alert: Alert, language: str = "en") -> str:
    """What is the matter, in a sentence; times are local to the territory.

    Examples
    --------
    >>> since = datetime.datetime(2026, 3, 1, 9, 50, tzinfo=datetime.UTC)
    >>> labels = {"fr": "Ozone (O₃)", "en": "Ozone (O₃)", "de": "Ozon (O₃)"}
    >>> one = Alert(1, AlertKind.SILENCE, since, since, None, 2400.0, 600.0, "ug/m3", 7, "air-1",
    ...             "o3", "o3", "mairie", "Mairie", "99001", "Europe/Paris", labels)
    >>> what(one)
    'Ozone (O₃): no reading since 2026-03-01 10:50 (one every 10 min expected)'
    >>> what(one, "de")
    'Ozon (O₃): kein Messwert seit 2026-03-01 10:50 (alle 10 min einer erwartet)'
    """
    local = alert.since.astimezone(ZoneInfo(alert.timezone))
    dated = alert.kind in (AlertKind.DRIFT, AlertKind.JUMP)
    since = f"{local:%Y-%m-%d}" if dated else f"{local:%Y-%m-%d %H:%M}"
    return _WHAT[alert.kind][language].format(
        metric=alert.labels[language],
        since=since,
        step=_EVERY[language].format(_span(alert.reference, language)),
        value=_amount(alert.value, alert.unit),
        change=_amount(alert.value, alert.unit, sign=True),
        reference=_amount(alert.reference, alert.unit),
    )


def what_together(outage: Outage, language: str = "en") -> str:
    """How many are silent since when, in a sentence."""
    local = outage.since.astimezone(ZoneInfo(outage.timezone))
    return _OUTAGE[language].format(
        silent=outage.silent, watched=outage.watched, since=f"{local:%Y-%m-%d %H:%M}"
    )


def to_do_together(language: str = "en") -> str:
    """What somebody should do about it."""
    return _OUTAGE_TODO[language]


def to_do(kind: AlertKind, language: str = "en") -> str:
    """What somebody should do about it.

    Examples
    --------
    >>> to_do(AlertKind.STUCK).split(";")[0]
    'Inspect the probe and restart the device'
    """
    return _TODO[kind][language]


def _amount(value: float | None, unit: str, sign: bool = False) -> str:
    if value is None:
        return "?"
    number = f"{value:+.3g}" if sign else f"{value:.4g}"
    return number if unit == "1" else f"{number} {unit}"


def _span(seconds: float | None, language: str) -> str:
    if not seconds:
        return "?"
    name, length = next(one for one in _SPANS[language] if seconds % one[1] == 0 or one[1] == 1)
    return f"{seconds / length:g} {name}"
