"""Who stands where: towns, sites and devices of the make-believe city, and its files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from collector.simulation.devices import KINDS, Kind, World
from collector.simulation.envelopes import FORMS, ZONE
from collector.simulation.noise import uniform
from collector.simulation.trades import Placed, trades_toml
from collector.simulation.wall import outlines, wall_toml
from storage.reading import FloatArray, IntArray


class Town(NamedTuple):
    """One commune; ``share`` of the city's devices, sites within about 2 km."""

    code: str
    name: str
    code_system: str
    timezone: str
    longitude: float
    latitude: float
    share: float
    sites: tuple[str, ...]


# Invented names; French codes from department 99, which no commune has.
TOWNS = (
    Town(
        "99001", "Valbrume", "INSEE", "Europe/Paris", 7.742, 48.631, 0.45,
        ("Hôtel de Ville", "Gare", "Place du Marché", "Pont des Tanneurs", "École Jeanne-Barret",
         "Boulevard de l'Est", "Médiathèque", "Piscine des Bains", "Parc du Beffroi", "Rocade Nord",
         "Quai aux Bois", "Gymnase Coubertin", "Faubourg Saint-Luc", "Avenue de la Paix"),
    ),
    Town(
        "99002", "Saint-Aubry-les-Tilleuls", "INSEE", "Europe/Paris", 7.691, 48.592, 0.25,
        ("Mairie", "École des Tilleuls", "Rond-point du Moulin", "Salle des fêtes", "Stade",
         "Zone d'activités", "Rue du Canal", "Résidence du Verger"),
    ),
    Town(
        "99003", "Port-Alban", "INSEE", "Europe/Paris", 7.803, 48.607, 0.2,
        ("Mairie", "Port de plaisance", "Écluse", "Collège des Rives", "Halle au Blé", "Digue Sud",
         "Pont du Rhin"),
    ),
    Town(
        "08999001", "Neuhausen am Strom", "AGS", "Europe/Berlin", 7.842, 48.612, 0.1,
        ("Rathaus", "Bahnhof", "Marktplatz", "Grundschule", "Rheinbrücke"),
    ),
)  # fmt: skip

CITY_NAME = "Communauté de Valbrume"
_IGNORE = ("battery", "rssi", "status")
_COLUMNS = (
    "territory", "site", "site_name", "longitude", "latitude", "sensor", "metric", "field", "unit",
    "step_s", "stamp", "register_max",
)  # fmt: skip
_GOLDEN = 0.618033988749895


@dataclass(frozen=True, slots=True)
class Fleet:
    """All devices of one kind, as columns.

    Attributes
    ----------
    who : int32, shape (n,)
        Number of the device in the whole city.
    size : float64, shape (n,)
        How much of everything passes there, about 1.
    phase : float64, shape (n,)
        When in its step a device speaks. [s]
    codes, topics
        What each is called, and where it speaks.
    places
        Territory and site of each.
    """

    kind: Kind
    who: IntArray
    size: FloatArray
    phase: FloatArray
    codes: tuple[str, ...]
    topics: tuple[str, ...]
    places: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SimulatedCity:
    """A city ready to be registered (its files) and to be published (its fleets)."""

    world: World
    fleets: tuple[Fleet, ...]
    city_toml: str
    sensors_csv: str
    outlines: str
    """The file that ``[board]`` names."""

    @property
    def sensors(self) -> int:
        """Number of devices."""
        return sum(len(fleet.who) for fleet in self.fleets)


def make_city(sensors: int = 240, seed: int = 1) -> SimulatedCity:
    """Build the city of that many devices; the same arguments give the same city.

    >>> make_city(sensors=240).sensors
    240
    """
    if sensors < len(KINDS):
        raise ValueError(f"a city needs at least {len(KINDS)} sensors, one of each kind")
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(_COLUMNS)
    fleets = []
    first = 0
    for kind, number in zip(KINDS, _apportion(sensors), strict=True):
        who = np.arange(first, first + number, dtype=np.int32)
        codes, topics, places = [], [], []
        for device, position in zip(who.tolist(), range(number), strict=True):
            code = kind.form.code(kind.name, position + 1)
            town, site, name, longitude, latitude = _place(seed, device)
            codes.append(code)
            topics.append(kind.form.topic_of(town.code, site, code))
            places.append((town.code, site))
            for channel in kind.channels:
                writer.writerow(
                    (
                        town.code, site, name, longitude, latitude, code, channel.metric,
                        "" if channel.field == channel.metric else channel.field, channel.unit,
                        kind.step_s, kind.stamp, channel.register_max or "",
                    )
                )  # fmt: skip
        size = 0.55 + 0.9 * uniform(seed, who, 501)
        phase = np.floor(uniform(seed, who, 502) * kind.step_s * 10.0) / 10.0
        fleets.append(Fleet(kind, who, size, phase, tuple(codes), tuple(topics), tuple(places)))
        first += number
    return SimulatedCity(
        World(seed), tuple(fleets), _city_toml(fleets), table.getvalue(), outlines()
    )


def _apportion(sensors: int) -> list[int]:
    """Devices per kind: by share, largest remainders, at least one each."""
    total = sum(kind.share for kind in KINDS)
    ideal = np.array([kind.share * sensors / total for kind in KINDS])
    number = np.maximum(1, np.floor(ideal)).astype(int)
    while number.sum() < sensors:
        number[np.argmax(ideal - number)] += 1
    while number.sum() > sensors:
        number[np.argmax(np.where(number > 1, number - ideal, -np.inf))] -= 1
    return [int(one) for one in number]


def _place(seed: int, device: int) -> tuple[Town, str, str, float, float]:
    share = ((device + 0.5) * _GOLDEN) % 1.0  # evenly spread, whatever their number
    town = TOWNS[-1]
    for candidate in TOWNS:
        if share < candidate.share:
            town = candidate
            break
        share -= candidate.share
    number = int(uniform(seed, device, 503)[0] * len(town.sites))
    across, along = uniform(int(town.code), number, [504, 505]) - 0.5
    return (
        town,
        f"s{number + 1:02d}",
        town.sites[number],
        round(town.longitude + 0.035 * float(across), 5),
        round(town.latitude + 0.022 * float(along), 5),
    )


def _city_toml(fleets: Sequence[Fleet]) -> str:
    lines = ["[city]", f"name = {_quoted(CITY_NAME)}", f"timezone = {_quoted(ZONE)}"]
    for town in TOWNS:
        lines += [
            "", "[[territory]]", f"code = {_quoted(town.code)}", f"name = {_quoted(town.name)}",
            f"code_system = {_quoted(town.code_system)}", f"timezone = {_quoted(town.timezone)}",
        ]  # fmt: skip
    ignore = ", ".join(_quoted(name) for name in _IGNORE)
    for form in FORMS:
        lines += [
            "", "[[binding]]", f"topic = {_quoted(form.topic)}",
            f"format = {_quoted(form.format)}", f"timezone = {_quoted(form.timezone)}", f"ignore = [{ignore}]",
        ]  # fmt: skip
    devices = {
        fleet.kind.name: [
            Placed(code, size, *place)
            for code, size, place in zip(
                fleet.codes, fleet.size.tolist(), fleet.places, strict=True
            )
        ]
        for fleet in fleets
    }
    countries = {town.code: "DE" if town.code_system == "AGS" else "FR" for town in TOWNS}
    lines += trades_toml(devices, countries)
    lines += wall_toml()
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    # A JSON string without escapes beyond JSON's is a TOML basic string.
    return json.dumps(text, ensure_ascii=False)
