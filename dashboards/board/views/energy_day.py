"""Today so far, hour by hour, of one kind of energy at one place, beside what is usual."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dashboards.board.drawing.bars import Bar, bars
from dashboards.board.facts import amount_said
from dashboards.board.figures import LEAST_FILLED, NOTHING, Amount, add
from dashboards.board.language import Language
from dashboards.board.sheet import Chart, Table, Where
from dashboards.board.usual import Cell, Usual, by_the_clock, usual
from dashboards.board.views.energy_rows import HOUR, SOURCES, Energy, Hour, Source

# How long the windows of an hour may take after its end, before their absence is a gap.
MADE_WITHIN = timedelta(minutes=10)

# Energy is told from this much on; a single lamp says nothing of a day. [kW.h or m3]
LEAST = 1.0


@dataclass(frozen=True, slots=True)
class Today:
    """One kind of energy at one place.

    Attributes
    ----------
    hours
        By their start, oldest first; the amounts of hours that too few meters measured are in
        the sum and not in the drawing (`whole`).
    so_far
        Sum of the hours that are over.
    at
        Until when they speak.
    filled, due
        Hours that meters measured, and that they should have. [h]
    begun
        Whether an hour of today could have been told already.
    """

    source: Source
    metric: str
    meters: int
    sites: int
    hours: dict[datetime, Amount]
    whole: frozenset[datetime]
    so_far: Amount
    at: datetime | None
    filled: int
    due: int
    known: Usual
    begun: bool


def today(known: Energy, where: Where, now: datetime) -> Iterator[Today]:
    """Each kind of energy that has a meter in the place."""
    zone = ZoneInfo(where.timezone)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    midnight = midnight.astimezone(now.tzinfo)
    closed = now.replace(minute=0, second=0, microsecond=0)
    elapsed = max(closed - midnight, timedelta())
    for source in SOURCES:
        meters = [m for m in known.meters
                  if m.metric in source.metrics and m.territory in where.codes]  # fmt: skip
        if not meters:
            continue
        sensors = sum(m.sensors for m in meters)
        mine = [hour for hour in known.today
                if _of(hour, source, where) and hour.start >= midnight]  # fmt: skip
        amounts, filled = _added(mine)
        before = [_cells([h for h in day if _of(h, source, where)], where)
                  for day in known.past.get(where.timezone, ())]  # fmt: skip
        yield Today(
            source=source, metric=max(meters, key=lambda m: m.sensors).metric, meters=sensors,
            sites=sum(m.sites for m in meters), hours=amounts,
            whole=frozenset(at for at, s in filled.items() if s >= LEAST_FILLED * sensors * 3600),
            so_far=add(amounts.values()), at=max(amounts, default=None) and max(amounts) + HOUR,
            filled=round(sum(filled.values()) / 3600), due=sensors * (elapsed // HOUR),
            known=usual(_cells(mine, where), before, sensors=sensors,
                        elapsed_s=elapsed.total_seconds()),
            begun=now - midnight >= HOUR + MADE_WITHIN,
        )  # fmt: skip


def _of(hour: Hour, source: Source, where: Where) -> bool:
    return hour.metric in source.metrics and hour.territory in where.codes


def _added(hours: Iterable[Hour]) -> tuple[dict[datetime, Amount], dict[datetime, float]]:
    """Sums over metrics and territories, by the start of the hour, oldest first."""
    totals: defaultdict[datetime, float] = defaultdict(float)
    filled: defaultdict[datetime, float] = defaultdict(float)
    for hour in sorted(hours, key=lambda each: each.start):
        totals[hour.start] += hour.total
        filled[hour.start] += hour.filled_s
    return {start: Amount(total) for start, total in totals.items()}, dict(filled)


def _cells(hours: Iterable[Hour], where: Where) -> tuple[Cell, ...]:
    amounts, filled = _added(hours)
    return by_the_clock(amounts, filled, timezone=where.timezone, width=HOUR)


def chart(day: Today, where: Where, now: datetime, name: str, language: Language) -> Chart:
    """Today by the hour, with what is usual at that hour."""
    zone, unit = where.timezone, day.source.unit
    columns = list(_columns(day, where, now))
    told = [(bar, _clock(bar.start, zone, language)) for bar in columns if not bar.to_come]
    sign = language.unit(unit)
    largest = max((pair for pair in told if pair[0].amount.value is not None),
                  key=lambda pair: pair[0].amount.value or 0.0, default=None)  # fmt: skip
    said = language.say("No measurement yet today.")
    if largest is not None:
        end = language.clock(largest[0].start + HOUR, zone)
        said = language.say(
            "Most from {start} to {end}: {amount}.", end=end,
            start=language.clock(largest[0].start, zone),
            amount=f"{amount_said(largest[0].amount, unit, 'gauge', language)}\u00a0{sign}",
        )  # fmt: skip
    notes = [language.say("In {unit} per hour.", unit=sign)]
    if day.known.hours:
        notes = [language.count("In {unit} per hour; dashed: usual, mean of {n} day.",
                                "In {unit} per hour; dashed: usual, mean of {n} days.",
                                day.known.days, unit=sign)]  # fmt: skip
    if any(bar.amount.value is None for bar, _ in told):
        notes.append(language.say("Dashed box: not measured, or by too few meters."))
    return Chart(
        key="today", title=language.say("{what} by the hour, today", what=name),
        drawing=bars(columns, language=language, unit=unit, kind="gauge"), said=said,
        table=Table(
            (language.say("from"), language.say("today ({unit})", unit=sign),
             language.say("usual ({unit})", unit=sign)),
            tuple(
                (clock, amount_said(bar.amount, unit, "gauge", language),
                 amount_said(bar.usual, unit, "gauge", language))
                for bar, clock in told
            ),
        ),
        notes=tuple(notes),
        data={
            "source": day.source.name, "unit": unit,
            "hours": [
                {"start": bar.start.isoformat(), "value": bar.amount.value,
                 "usual": bar.usual.value}
                for bar, _ in told
            ],
        },
    )  # fmt: skip


def _columns(day: Today, where: Where, now: datetime) -> Iterator[Bar]:
    """Every hour of the local day, which has 23, 24 or 25."""
    zone = ZoneInfo(where.timezone)
    first = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    end = (first + timedelta(days=1)).astimezone(now.tzinfo)
    start = first.astimezone(now.tzinfo)
    while start < end:
        local = start.astimezone(zone)
        amount = day.hours[start] if start in day.whole else NOTHING
        over = now - (start + HOUR)
        yield Bar(
            local, amount, day.known.hours.get(local.hour, NOTHING),
            to_come=amount.value is None and over < MADE_WITHIN,
        )  # fmt: skip
        start += HOUR


def _clock(start: datetime, zone: str, language: Language) -> str:
    return f"{language.clock(start, zone)}\u2013{language.clock(start + HOUR, zone)}"
