"""Lines of ``sensors.csv`` for devices that were heard, and notes on what was left out of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from beffroi.sensors.device import Device, Field
from beffroi.sensors.guessing import Sureness, is_part
from storage.catalogue import Kind, Metric
from storage.mistakes import MistakesError
from storage.sensor_list import parse_sensors

COLUMNS = ("territory", "site", "sensor", "metric", "field", "unit", "step_s", "stamp")


@dataclass(slots=True)
class Proposal:
    """Lines that the list of sensors accepts as they are, and what a person has to decide."""

    lines: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """A file of its own, with a header."""
        written = io.StringIO()
        writer = csv.DictWriter(written, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.lines)
        return written.getvalue()


def propose(
    devices: Sequence[Device], metrics: Mapping[str, Metric], territories: Mapping[str, object]
) -> Proposal:
    """What can be told for sure becomes lines; everything else becomes notes."""
    found = Proposal()
    for device in devices:
        _device(device, metrics, set(territories), found)
    return found


def _device(
    device: Device, metrics: Mapping[str, Metric], territories: set[str], found: Proposal
) -> None:
    if not device.sensor and device.unread:
        reason = next(iter(device.unread))
        found.notes.append(f"messages on {device.topics[0]} cannot be read: {reason}")
        return
    if not device.sensor:
        found.notes.append(
            f"messages on {device.topics[0]} name no sensor; put {{sensor}} into the topic of the"
            " binding, where the device's name stands"
        )
        return
    if device.looks_like:
        found.notes.append(
            f"{device.sensor}: its messages look like {device.looks_like}, and the binding"
            f" {device.binding} reads them as {device.form}; change its format first"
        )
        return
    if not device.fields:
        reason = next(iter(device.unread), "no message of it that is kept holds a reading")
        found.notes.append(f"{device.sensor}: no line is proposed; {reason}")
        return
    territory = device.territory or (next(iter(territories)) if len(territories) == 1 else "")
    if territory not in territories:
        which = (
            f"territory {territory!r} is not registered; add a [[territory]] to city.toml"
            if territory
            else "its topic names no territory; put {territory} into the topic of the binding, or"
            " write its lines by hand"
        )
        found.notes.append(f"{device.sensor}: {which}")
        return
    place = {"territory": territory, "site": device.site or device.sensor, "sensor": device.sensor}
    if not device.site:
        found.notes.append(
            f"{device.sensor}: its topic names no site; its own name stands in, change it"
        )
    measured = [one for one in device.fields.values() if not one.offered]
    dark = [one for one in measured if _is_dark(device, one)]
    if dark:
        names = ", ".join(
            f"{one.name} (perhaps {one.guess.metric})" if one.guess.metric else one.name
            for one in dark
        )
        found.notes.append(
            f"{device.sensor}: what these measure cannot be told: {names}; write a line with the"
            " metric for each that is wanted, and name the others in the binding's ignore"
        )
    for one in measured:
        if one not in dark:
            _field(device, one, place, metrics, territories, found)


def _is_dark(device: Device, one: Field) -> bool:
    """Whether nobody but a person can say what the field measures."""
    sure = one.guess.sureness in (Sureness.SURE, Sureness.NAME)
    return not sure and not is_part(one.name, device.fields)


def _field(
    device: Device, one: Field, place: dict[str, str], metrics: Mapping[str, Metric],
    territories: set[str], found: Proposal,
) -> None:  # fmt: skip
    begin = f"{device.sensor} {one.name}: "
    total = is_part(one.name, device.fields)
    if total:
        found.notes.append(f"{begin}is a part of {total}; a line of its own would count it twice")
        return
    metric = metrics[one.guess.metric]
    if one.guess.sureness is Sureness.NAME:
        ends = [value for value in (one.low, one.high) if value is not None]
        if not all(metric.low <= value <= metric.high for value in ends):
            found.notes.append(
                f"{begin}may be {metric.name}, but not in {metric.unit}; name its unit"
            )
            return
        found.notes.append(f"{begin}the device declares no unit; {metric.unit} is assumed")
    line = {
        **place,
        "metric": metric.name,
        "field": one.name,
        "unit": one.unit or metric.unit,
        "step_s": str(one.step_s),
        "stamp": "unknown" if metric.kind is Kind.COUNT else "start",
    }
    if not one.step_s:
        found.notes.append(
            f"{begin}how often it comes cannot be told yet; step_s 0 stands for irregularly"
        )
    try:
        [placed] = parse_sensors(Proposal([line]).text(), "line", territories, metrics, {})
    except MistakesError as error:
        found.notes.append(f"{begin}{error.mistakes[0].what}")
        return
    if (placed.line.sensor, placed.line.field) == (device.sensor, one.name):
        found.lines.append(line)
    else:
        found.notes.append(f"{begin}blanks around a name cannot be written in the list")
