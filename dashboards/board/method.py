"""How a figure is made: of a metric or an indicator, its method, its sensors and its last day."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg

from dashboards.board.drawing.course import course
from dashboards.board.facts import amount_said
from dashboards.board.figures import Amount, add, is_counted
from dashboards.board.language import Language
from dashboards.board.rows import is_live
from dashboards.board.sheet import Chart, Fact, Sentence, Sheet, Table, Where
from dashboards.board.views.air_rows import TOMORROW
from dashboards.board.views.air_words import ADVISED, advice_source, forecast_source

HOUR = timedelta(hours=1)


class Metric(NamedTuple):
    """One public metric that a series of the city measures, in one territory."""

    metric: str
    domain: str
    kind: str
    unit: str
    label_fr: str
    label_en: str
    label_de: str
    public_step_s: int
    territory: str
    sensors: int
    sites: int


class Indicator(NamedTuple):
    """One public indicator of the catalogue."""

    indicator: str
    domain: str
    subject: str
    period: str
    unit: str
    label_fr: str
    label_en: str
    label_de: str
    source: str
    methods: list[str]
    classes: list[str]


@dataclass(frozen=True, slots=True)
class Methods:
    """Everything whose method can be asked for, by name."""

    metrics: Mapping[str, tuple[Metric, ...]] = field(default_factory=dict)
    indicators: Mapping[str, Indicator] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MethodReads:
    """How it is read."""

    name: str = "method"
    every_s: float = 60.0

    async def load(self, connection: asyncpg.Connection, now: datetime, former: Any) -> Methods:
        """Public metrics with their sensors, and public indicators."""
        metrics: dict[str, list[Metric]] = {}
        for row in await connection.fetch(
            "SELECT metric, domain, kind, unit, label_fr, label_en, label_de, public_step_s, territory,"
            "       count(DISTINCT sensor)::int4, count(DISTINCT site)::int4"
            "  FROM board.series WHERE in_service GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 1, 9"
        ):
            metrics.setdefault(row[0], []).append(Metric(*row))
        indicators = await connection.fetch(
            "SELECT indicator, domain, subject, period, unit, label_fr, label_en, label_de,"
            "       source, methods, classes FROM board.indicators ORDER BY domain, indicator"
        )
        return Methods(
            {name: tuple(rows) for name, rows in metrics.items()},
            {row[0]: Indicator(*row) for row in indicators},
        )


class Entry(NamedTuple):
    """One line of the list of methods."""

    name: str
    label: str
    domain: str


Themes = tuple[tuple[str, tuple[Entry, ...]], ...]
"""Lines of the list below their theme."""


def entries(known: Methods, where: Where, language: Language) -> Themes:
    """What is measured at a place: by theme, then by its name in the language."""
    here = (
        (name, rows[0])
        for name, rows in known.metrics.items()
        if any(row.territory in where.codes for row in rows)
    )
    lines = sorted((Entry(name, _label(row, language), row.domain) for name, row in here),
                   key=lambda line: _plain(line.label))  # fmt: skip
    themes = {"air": language.say("The air"), "mobility": language.say("Moving"),
              "energy": language.say("Energy")}  # fmt: skip
    domains = sorted({line.domain for line in lines},
                     key=lambda d: (d not in themes, [*themes].index(d) if d in themes else d))  # fmt: skip
    return tuple(
        (themes.get(domain, language.say("Other")), tuple(x for x in lines if x.domain == domain))
        for domain in domains
    )


def _plain(text: str) -> str:
    """Without accents, so that É stands with E.

    >>> sorted(["Vélos", "Énergie", "Eau"], key=_plain)
    ['Eau', 'Énergie', 'Vélos']
    """
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def method(
    known: Methods, name: str, where: Where, language: Language, newest: Fact | None
) -> Sheet | None:
    """All about one metric or indicator; None where there is no such public one.

    `newest` is the metric's figure of the place, which carries the last 24 hours.
    """
    if name in known.metrics:
        return _metric(known.metrics[name], where, language, newest)
    if name in known.indicators:
        return _indicator(known.indicators[name], language)
    return None


def _metric(
    rows: tuple[Metric, ...], where: Where, language: Language, newest: Fact | None
) -> Sheet:
    here = [row for row in rows if row.territory in where.codes]
    first = rows[0]
    sensors, sites = sum(row.sensors for row in here), sum(row.sites for row in here)
    lines = [_way(first, language)]
    if sensors:
        counted = language.count("{n} sensor measures it here", "{n} sensors measure it here",
                                 sensors)  # fmt: skip
        lines.append(counted + language.count(", at {n} place.", ", at {n} places.", sites))
    else:
        lines.append(language.say("No sensor measures it here."))
    if first.kind == "count":
        lines.append(language.say(
            "A count of 1 to 4 could point at somebody: it is published as “fewer than 5”, and "
            "stands in sums as 2.5."))  # fmt: skip
    lines.append(language.say(
        "A figure is late after twice the time in which it should come anew, and old after six "
        "times. What was not measured is left empty and is never 0."))  # fmt: skip
    return Sheet(
        view="method", title=_label(first, language),
        sentences=tuple(Sentence(f"way{number}", line) for number, line in enumerate(lines)),
        facts=(newest,) if newest else (),
        charts=tuple(_day(first, newest, where, language)) if newest else (),
    )  # fmt: skip


def _label(row: Metric, language: Language) -> str:
    name = language.label({"fr": row.label_fr, "en": row.label_en, "de": row.label_de})
    return name.rsplit(" (", 1)[0] if row.kind == "index" else name


def _way(metric: Metric, language: Language) -> str:
    if metric.metric == TOMORROW:
        return forecast_source(language)
    if metric.kind == "count":
        return language.say(
            "Sensors count what passes. Only quarter-hours that are over are shown, added up "
            "since midnight.")  # fmt: skip
    if metric.kind == "index":
        return language.say(
            "Meters count up and are never set back. Shown is by how much they rose since "
            "midnight, in hours that are over.")  # fmt: skip
    if is_live(metric.kind, metric.public_step_s):
        return language.say(
            "Shown is the newest value of every sensor, together: a mean, or the sum where "
            "things are counted.")  # fmt: skip
    return language.say("Shown is the mean of the last hour that is over, never a single moment.")


def _day(metric: Metric, newest: Fact, where: Where, language: Language) -> list[Chart]:
    """The last 24 hours, hour by hour."""
    if not newest.course:
        return []
    hours: dict[datetime, list[Amount]] = {}
    for start, amount in newest.course:
        hours.setdefault(start.replace(minute=0, second=0, microsecond=0), []).append(amount)
    counted = is_counted(metric.kind)
    values = {start: _together(cells, counted=counted) for start, cells in hours.items()}
    zone = ZoneInfo(where.timezone)
    unit = language.unit(metric.unit, metric.kind)
    rows = tuple(
        (language.clock(start, where.timezone), amount_said(amount, metric.unit, metric.kind,
                                                             language))
        for start, amount in values.items()
    )  # fmt: skip
    drawn = course(
        [(start.astimezone(zone), amount.value) for start, amount in values.items()],
        from_zero=counted, language=language, unit=metric.unit, kind=metric.kind,
    )  # fmt: skip
    head = language.say("value") + (f" ({unit})" if unit else "")
    return [
        Chart(
            key="day", title=language.say("The last 24 hours"), drawing=drawn, said=newest.curve,
            table=Table((language.say("from"), head), rows),
        )
    ]  # fmt: skip


def _together(cells: list[Amount], *, counted: bool) -> Amount:
    if counted:
        return add(cells)
    values = [cell.value for cell in cells if cell.value is not None]
    return Amount(sum(values) / len(values) if values else None)


def _indicator(row: Indicator, language: Language) -> Sheet:
    lines = [language.say("Source: {source}.", source=row.source.rstrip("."))]
    if row.unit and row.unit != "1":
        lines.append(language.say("Unit: {unit}.", unit=language.unit(row.unit)))
    lines.append(language.say("Method: {methods}.", methods=", ".join(row.methods)))
    if row.classes:
        lines.append(language.say("Classes: {classes}.", classes=", ".join(
            f"{number} {word}" for number, word in enumerate(row.classes, 1))))  # fmt: skip
    lines.append(language.say("Computed from the readings of this city's sensors."))
    if row.indicator in ADVISED:
        lines.append(advice_source(language))
    label = language.label({"fr": row.label_fr, "en": row.label_en, "de": row.label_de})
    return Sheet(
        view="method", title=label,
        sentences=tuple(Sentence(f"way{number}", line) for number, line in enumerate(lines)),
    )  # fmt: skip
