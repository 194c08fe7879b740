"""What a sensor has been, where and when; and who changed it, when and why."""

from __future__ import annotations

import datetime
import json
from dataclasses import asdict

from beffroi.sensors import wording
from beffroi.terminal import printable
from storage import changes, inventory, review, stretches
from storage.changes import Logged
from storage.timeline import BEGINNING, FOREVER, Conversion, Stretch


def show(sensor: str, as_json: bool) -> None:
    """The stretches of every field, then the log."""
    with wording.connected() as connection:
        review.named(connection, sensor)  # one that nobody knows has a sentence of its own
        fields = stretches.load(connection, [sensor])[sensor].fields
        sites = inventory.sites(connection)
        log = changes.log(connection, sensor)
    lived = {name: [one for one in of if not one.empty] for name, of in sorted(fields.items())}
    if as_json:
        series = [_object(name, one, sites) for name, of in lived.items() for one in of]
        print(json.dumps({"sensor": sensor, "series": series, "changes": list(map(_change, log))}))
        return
    _print_series(lived, sites)
    print()
    _print_log(log)


def _time(time: datetime.datetime) -> str | None:
    return None if time in (BEGINNING, FOREVER) else wording.utc(time)


def _object(name: str, one: Stretch, sites: dict[int, str]) -> dict[str, object]:
    return {
        "series_id": one.series_id, "field": name, "metric": one.identity.metric,
        "site": sites.get(one.identity.site_id), "step_s": one.identity.step_s,
        "register_max": one.identity.register_max, "from": _time(one.start), "to": _time(one.stop),
        "conversions": [
            {"from": _time(since), **asdict(how)} for since, how in one.conversions
        ],
    }  # fmt: skip


def _change(line: Logged) -> dict[str, object]:
    return {
        "done_at": wording.utc(line.done_at), "person": line.person, "action": line.action,
        "from": wording.utc(line.since), "readings": line.readings, "detail": line.detail,
        "why": line.why,
    }  # fmt: skip


def _print_series(lived: dict[str, list[Stretch]], sites: dict[int, str]) -> None:
    for name, of in lived.items():
        print(printable(name))
        for one in of:
            ends = [since for since, _ in one.conversions[1:]] + [one.stop]
            for (since, how), end in zip(one.conversions, ends, strict=True):
                start = max(since, one.start)
                told = [f"since {wording.spoken(start)}"] if start != BEGINNING else []
                told += [f"until {wording.spoken(end)}"] if end != FOREVER else []
                told = told or ["since ever"]
                print(printable(f"  {' '.join(told)}: {_what(one, how, sites)}"))


def _what(one: Stretch, how: Conversion, sites: dict[int, str]) -> str:
    every = f"every {one.identity.step_s} s" if one.identity.step_s else "on change"
    factor = f" × {how.scale:g}{f' {how.shift:+g}' if how.shift else ''}"
    sent = how.unit + (factor if (how.scale, how.shift) != (1, 0) else "")
    stamp = f", stamp {how.stamp}" if how.stamp != "start" else ""
    return (
        f"{one.identity.metric} at {sites.get(one.identity.site_id, '?')}, {every}, {sent}{stamp}"
    )


def _print_log(log: list[Logged]) -> None:
    for line in log:
        since = f" since {wording.spoken(line.since)}" if line.since else ""
        went = f"; {line.readings:,} readings went with it" if line.readings else ""
        why = f"; why: {line.why}" if line.why else ""
        print(
            printable(
                f"{wording.spoken(line.done_at)} {line.person}: {line.action}{since},"
                f" {line.detail}{went}{why}"
            )
        )
    if not log:
        print("It was registered before changes were written down.")
