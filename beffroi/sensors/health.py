"""How well sensors have spoken: over the last days, for people or as JSON."""

from __future__ import annotations

import datetime
import itertools
import json
from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from beffroi.sensors import wording
from beffroi.terminal import output, printable
from storage import health, review
from storage.health import Health

KEPT_WIDTH = 140
_WIDE = 125  # as much as the table needs, with sensors' codes of 20 letters
_POOR, _FAIR = 75.0, 95.0


def show(sensor: str | None, days: int, as_json: bool) -> None:
    """One line per series in service, those with alerts marked."""
    now = datetime.datetime.now(datetime.UTC)
    start = now - datetime.timedelta(days=days + 1)  # whole days, wherever they begin
    with wording.connected() as connection:
        if sensor is not None:
            review.named(connection, sensor)  # one that nobody knows has a sentence of its own
        found = health.health(connection, start, now, sensor)
    if as_json:
        print(json.dumps({"days": days, "sensors": [_object(of) for of in _by_sensor(found)]}))
    elif not found:
        print("No sensor is in service")
    else:
        _print(found, days)


def _by_sensor(found: list[Health]) -> Iterable[list[Health]]:
    return (list(of) for _, of in itertools.groupby(found, lambda one: one.sensor))


def _object(of: list[Health]) -> dict[str, object]:
    first = of[0]
    return {
        "sensor": first.sensor, "territory": first.territory, "site": first.site,
        "delay_s": first.delay_s, "longest_delay_s": first.longest_delay_s,
        "fields": [
            {
                "field": one.field, "metric": one.metric, "unit": one.unit, "step_s": one.step_s,
                "days": one.days, "coverage_percent": one.coverage,
                "good_percent": one.good_share, "availability_percent": one.availability,
                "neighbour_difference": one.difference, "heard": wording.utc(one.heard),
                "alerts": one.alerts,
            }
            for one in of
        ],
    }  # fmt: skip


def _print(found: list[Health], days: int) -> None:
    out = output(KEPT_WIDTH)
    out.print(f"[bold]The last {days} whole days[/bold]", highlight=False)
    if out.width < _WIDE:
        _print_lines(out, found)
    else:
        _print_table(out, found)
    if any(one.alerts for one in found):
        out.print("What to do about alerts: beffroi alerts list", highlight=False)


def _print_lines(out: Console, found: list[Health]) -> None:
    """What is known of each series below its name: a table would leave no room for names."""
    for one in found:
        alerts = f"  [red]{', '.join(one.alerts)}[/red]" if one.alerts else ""
        name = escape(printable(f"{one.sensor}  {one.field}"))
        out.print(f"[bold]{name}[/bold]{alerts}", highlight=False)
        heard = "never" if one.heard is None else f"{one.heard:%Y-%m-%d %H:%M} UTC"
        lines = (
            (
                ("available", _percent(one.availability)), ("received", _percent(one.coverage)),
                ("good", _percent(one.good_share)),
                ("delay", _delay(one.delay_s, one.longest_delay_s)),
            ),
            (("last heard", heard), ("from neighbours", _difference(one))),
        )  # fmt: skip
        for line in lines:
            said = "  ".join(f"[dim]{what}[/dim] {value}" for what, value in line if value)
            if said:
                out.print(f"  {said}", highlight=False)


def _print_table(out: Console, found: list[Health]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("sensor", overflow="fold")
    table.add_column("field", overflow="fold")
    for name in ("available", "received", "good", "from neighbours"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("delay", justify="right", no_wrap=True)
    table.add_column("last heard (UTC)", no_wrap=True)
    table.add_column("alerts")
    for of in _by_sensor(found):
        for number, one in enumerate(of):
            table.add_row(
                "" if number else escape(printable(one.sensor)), escape(printable(one.field)),
                _percent(one.availability), _percent(one.coverage), _percent(one.good_share),
                _difference(one),
                "" if number else _delay(one.delay_s, one.longest_delay_s),
                "never" if one.heard is None else f"{one.heard:%Y-%m-%d %H:%M}",
                f"[red]{', '.join(one.alerts)}[/red]" if one.alerts else "",
            )  # fmt: skip
    out.print(table)


def _difference(one: Health) -> str:
    return "" if one.difference is None else f"{one.difference:+.3g} {escape(one.unit)}"


def _percent(share: float | None) -> str:
    """Rounded down, so that 100 % is all of them."""
    if share is None:
        return ""
    colour = "red" if share < _POOR else "yellow" if share < _FAIR else "green"
    return f"[{colour}]{int(share * 10) / 10:.1f} %[/]"


def _delay(mean_s: float | None, longest_s: float | None) -> str:
    """Mean and, where it is far from that, the longest.

    Examples
    --------
    >>> _delay(2.4, 3.0), _delay(95.0, 7300.0), _delay(None, None)
    ('2 s', '95 s, up to 2 h', '')
    """
    if mean_s is None or longest_s is None:
        return ""
    mean, longest = _span(mean_s), _span(longest_s)
    return f"{mean}, up to {longest}" if longest_s > 2 * max(mean_s, 1) else mean


def _span(seconds: float) -> str:
    for name, length in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {name}"
    return f"{seconds:.0f} s"
