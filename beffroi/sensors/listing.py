"""The sensors that are registered, for people or as JSON."""

from __future__ import annotations

import itertools
import json

from beffroi.sensors import wording
from beffroi.terminal import printable
from storage import inventory
from storage.inventory import Listed
from storage.review import NotNamed, near


def show(
    territory: str | None, site: str | None, metric: str | None, retired: bool, as_json: bool
) -> None:
    """One line per field of a sensor."""
    with wording.connected() as connection:
        zones = inventory.zones(connection)
        if territory is not None and territory not in zones:
            raise NotNamed(
                f"--territory: {territory!r} is not registered; {near(territory, list(zones))}"
            )
        metrics = inventory.metrics(connection)
        if metric is not None and metric not in metrics:
            raise NotNamed(f"--metric: {metric!r} is unknown; {near(metric, list(metrics))}")
        found = inventory.fields(
            connection, territory=territory, site=site, metric=metric, retired=retired
        )
    if as_json:
        print(json.dumps({"sensors": [_object(list(of)) for of in _by_sensor(found)]}))
    elif found:
        _print(found, retired)
    else:
        some = " such" if territory or site or metric else ""
        hint = "" if retired or some else "; register some: beffroi sensors import sensors.csv"
        print(f"No{some} sensor is {'retired' if retired else 'in service'}{hint}")


def _by_sensor(found: list[Listed]) -> list[list[Listed]]:
    return [list(of) for _, of in itertools.groupby(found, lambda one: one.sensor)]


def _object(of: list[Listed]) -> dict[str, object]:
    first = of[-1]
    return {
        "sensor": first.sensor, "territory": first.territory, "site": first.site,
        "site_name": first.site_name, "longitude": first.longitude, "latitude": first.latitude,
        "fields": [
            {
                "field": one.field, "metric": one.metric, "unit": one.unit, "step_s": one.step_s,
                "stamp": one.stamp, "from": wording.utc(one.since), "to": wording.utc(one.until),
            }
            for one in of
        ],
    }  # fmt: skip


def _print(found: list[Listed], retired: bool) -> None:
    """Each sensor above its fields; all fields in columns."""
    every = [f"{one.step_s} s" if one.step_s else "on change" for one in found]
    cells = [
        (one.field, one.metric, one.unit, times) for one, times in zip(found, every, strict=True)
    ]
    widths = [max(map(len, column)) for column in zip(*map(_shown, cells), strict=True)]
    of = iter(cells)
    for fields in _by_sensor(found):
        print(printable(f"{fields[-1].sensor}  {fields[-1].territory}/{fields[-1].site}"))
        for one in fields:
            line = "  ".join(map(str.ljust, _shown(next(of)), widths))
            print(f"  {line}  {_times(one, retired)}".rstrip())
    sensors = len({one.sensor for one in found})
    many = "s" if len(found) > 1 else ""
    print(f"{sensors:,} sensor{'s' if sensors > 1 else ''}, {len(found):,} field{many}")


def _shown(cells: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(printable, cells))


def _times(one: Listed, retired: bool) -> str:
    if retired and one.until is not None:
        return f"retired since {wording.spoken(one.until)}"
    told = [f"since {wording.spoken(one.since)}"] if one.since else []
    return " ".join([*told, *([f"until {wording.spoken(one.until)}"] if one.until else [])])
