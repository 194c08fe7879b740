"""What the make-believe city knows of its trades beside readings: ``[air]``, ``[mobility]``, ``[energy]``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from collector.simulation.devices import DOCKS, LAMP_W, PLACES


class Placed(NamedTuple):
    """A device: what it is called, how much passes there (about 1), where it stands."""

    code: str
    size: float
    territory: str
    site: str


METERS = ("elec", "linky", "grid", "heat")
"""Kinds that measure all that a building draws."""

# Carbon of electricity of mainland France, arrêté of 26 April 2017.
CARBON = (
    "[[energy.carbon_factor]]", 'energy = "electricity"', "kg_per_kwh = 0.048",
    'scope = "life_cycle"', "from = 2017-06-01", 'source = "arrêté du 26 avril 2017"',
)  # fmt: skip


def trades_toml(
    devices: Mapping[str, Sequence[Placed]], countries: Mapping[str, str]
) -> Iterator[str]:
    """The lines of the three tables, of devices by kind and countries by territory."""
    yield from ("", "[air]", 'reference = ["air-*"]')
    for names in ("box-*", "rohr-*"):
        yield from (
            "", "[[air.correction]]", f"sensors = {_text(names)}", 'method = "kappa-koehler"',
        )  # fmt: skip
    for territory, country in countries.items():
        yield from (
            "", "[[mobility.calendar]]", f"territory = {_text(territory)}", f'country = "{country}"',
        )  # fmt: skip
    for table, kind, places in (("parking", "park", PLACES), ("station", "velo", DOCKS)):
        for one in devices[kind]:
            yield from (
                "", f"[[mobility.{table}]]", f"sensor = {_text(one.code)}",
                f"capacity = {round(places * one.size)}",
            )  # fmt: skip
    yield from ("", *CARBON)
    yield from _buildings(devices)
    for one in devices["lamp"]:
        yield from (
            "", "[[energy.lighting]]", f"meters = {_list([one.code])}",
            f"power_kw = {LAMP_W * one.size / 1000:.2f}",
        )  # fmt: skip


def _buildings(devices: Mapping[str, Sequence[Placed]]) -> Iterator[str]:
    """A building wherever meters stand, with a thermometer of its commune where there is one."""
    meters: dict[tuple[str, str], list[str]] = {}
    for kind in METERS:
        for one in devices[kind]:
            meters.setdefault((one.territory, one.site), []).append(one.code)
    outside = {one.territory: one.code for one in reversed(devices["mast"])}
    for number, ((territory, site), codes) in enumerate(sorted(meters.items())):
        yield from (
            "", "[[energy.building]]", f"site = {_text(site)}", f"territory = {_text(territory)}",
            'class = "public"', f"area_m2 = {1200 + 350 * (number % 7)}", f"meters = {_list(codes)}",
        )  # fmt: skip
        if territory in outside:
            yield f"temperature = {_text(outside[territory])}"


def _text(text: str) -> str:
    # A JSON string without escapes beyond JSON's is a TOML basic string.
    return json.dumps(text, ensure_ascii=False)


def _list(texts: Sequence[str]) -> str:
    return json.dumps(list(texts), ensure_ascii=False)
