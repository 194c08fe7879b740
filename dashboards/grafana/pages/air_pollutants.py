"""Pollutants as they run, beside the means that the limits speak of, with the limits drawn."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.grafana.courses import series_labels
from dashboards.grafana.page import Section
from dashboards.grafana.pages.air_words import LAW_COLORS, LAWS
from dashboards.grafana.panel import COURSE, Kind, Panel, Step
from dashboards.grafana.queries import CHOSEN, windows
from dashboards.grafana.text import LANGUAGES, Text, text
from dashboards.grafana.units import grafana_unit
from storage.catalogue import BY_NAME, Domain
from storage.indicators.limits import LIMITS, Law, Limit, Window

MOST = 12
"""Lines of a panel; a city may have hundreds."""


def highest_lines(inner: str, most: int = MOST) -> str:
    """The `most` series with the highest values, of ``series_id, time, value``, by their labels.

    Lines are chosen and named before their values are joined: the database takes whatever lies
    behind a view for one row, and would ask for the names anew with every value.
    """
    return (
        f"WITH every AS MATERIALIZED (\n{inner}),\n"
        f"names AS MATERIALIZED ({series_labels(Domain.AIR)}),\n"
        "chosen AS MATERIALIZED (\n"
        "SELECT series_id, label FROM (\n"
        "SELECT series_id FROM every\n"
        f" GROUP BY 1 ORDER BY max(value) DESC NULLS LAST, 1 LIMIT {most}) c\n"
        "  JOIN names USING (series_id))\n"
        "SELECT time, label AS metric, value::float8 AS value\n"
        "  FROM every JOIN chosen USING (series_id) ORDER BY 1, 2"
    )


def course_of(metric: str, value: str = "mean", most: int = MOST) -> str:
    """Windows of one metric, by sensor."""
    return highest_lines(
        windows(
            Domain.AIR,
            f"series_id, start AS time, {value} AS value",
            f"metric = '{metric}' AND {CHOSEN}",
        ),
        most,
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """How one pollutant is told: the figure that its limits speak of, and over what."""

    pollutant: str
    figure: str
    windows: tuple[Window, ...]
    mean: Text


_DAY_MEAN = text("moyennes journalières", "daily means", "Tagesmittel")
_EIGHT_HOURS = text(
    "maxima journaliers sur 8 heures", "maximum daily 8-hour means",
    "höchste 8-Stunden-Mittel der Tage",
)  # fmt: skip
_MAIN = (
    _Told("no2", "air_day_mean", (Window.DAY,), _DAY_MEAN),
    _Told("o3", "air_day_max_8h", (Window.EIGHT_HOURS,), _EIGHT_HOURS),
    _Told("pm10", "air_day_mean", (Window.DAY,), _DAY_MEAN),
    _Told("pm25", "air_day_mean", (Window.DAY,), _DAY_MEAN),
)
_OTHER = (
    _Told("so2", "air_day_mean", (Window.DAY,), _DAY_MEAN),
    _Told("co", "co_day_max_8h", (Window.EIGHT_HOURS,), _EIGHT_HOURS),
)
_WINDOW_WORDS: dict[Window, Text] = {
    Window.HOUR: text("heures", "hours", "Stunden"),
    Window.DAY: text("jours", "days", "Tage"),
    Window.EIGHT_HOURS: text("jours", "days", "Tage"),
}


def limits_of(pollutant: str, compared: tuple[Window, ...]) -> tuple[Limit, ...]:
    """Limits for the health of people, of one pollutant and window; the law's order."""
    return tuple(
        one
        for one in LIMITS
        if one.pollutant == pollutant and one.window in compared and one.aim == "health"
    )


def limit_steps(limits: tuple[Limit, ...]) -> tuple[Step, ...]:
    """Lines to draw; where laws agree on a value, in the colour of the one that came first."""
    colors: dict[float, str] = {}
    for one in sorted(limits, key=lambda limit: list(Law).index(limit.law)):
        colors.setdefault(one.value, LAW_COLORS[one.law])
    return (Step(None, "transparent"), *(Step(value, colors[value]) for value in sorted(colors)))


def limit_words(limits: tuple[Limit, ...], language: str) -> str:
    """What the lines are, such as "200 (UE (2008/50/CE) : 18 heures par an)"."""
    said = {
        "fr": "{value:g} ({law} : {allowed} {parts} par an)",
        "en": "{value:g} ({law}: {allowed} {parts} a year)",
        "de": "{value:g} ({law}: {allowed} {parts} im Jahr)",
    }[language]
    return ", ".join(
        said.format(
            value=one.value,
            law=LAWS[one.law][language],
            allowed=one.allowed,
            parts=_WINDOW_WORDS[one.window][language],
        )
        for one in limits
    )


_LINES = text("Lignes : {}.", "Lines: {}.", "Linien: {}.")


def _described(what: Text, limits: tuple[Limit, ...]) -> Text:
    if not limits:
        return what
    return {
        language: what[language]
        + " "
        + _LINES[language].format(limit_words(limits, language))
        for language in LANGUAGES
    }  # fmt: skip


_HOURS = text(
    "Moyenne de chaque fenêtre (quart d'heure, heure, jour selon la période), par capteur, les 12"
    " plus hauts. Un trou est une absence de mesure, pas un zéro.",
    "Mean of every window (quarter-hour, hour, day as the range asks), by sensor, the 12 highest."
    " A gap is a missing measurement, not a zero.",
    "Mittel jedes Zeitfensters (Viertelstunde, Stunde, Tag je nach Zeitraum), je Sensor, die 12"
    " höchsten. Eine Lücke ist eine fehlende Messung, keine Null.",
)
_MEANS = text(
    "Ce dont parlent les limites, de jours mesurés aux trois quarts au moins, les 12 plus hauts."
    " Au-dessus d'une ligne : un jour qui compte dans le tableau des dépassements.",
    "What the limits speak of, of days measured to three quarters at least, the 12 highest. Above"
    " a line: a day that counts in the table of exceedances.",
    "Wovon die Grenzwerte sprechen, aus mindestens zu drei Vierteln gemessenen Tagen, die 12"
    " höchsten. Über einer Linie: ein Tag, der in der Tabelle der Überschreitungen zählt.",
)


def label(metric: str) -> Text:
    """What the catalogue calls a metric."""
    return BY_NAME[metric].labels


def _no_sensor(metric: str) -> Text:
    names = label(metric)
    return text(
        f"{names['fr']} : aucune mesure ici sur cette période.",
        f"{names['en']}: no measurement here in this range.",
        f"{names['de']}: hier keine Messung in diesem Zeitraum.",
    )


def _no_day(metric: str) -> Text:
    names = label(metric)
    return text(
        f"{names['fr']} : aucun jour assez mesuré sur cette période ; l'élargir.",
        f"{names['en']}: no day measured enough in this range; widen it.",
        f"{names['de']}: kein ausreichend gemessener Tag in diesem Zeitraum; ihn erweitern.",
    )


def hourly(metric: str, *, lines: bool = True, span: int = 12) -> Panel:
    """A metric of the air as it runs, with limits of hours where there are some."""
    limits = limits_of(metric, (Window.HOUR,)) if lines else ()
    return Panel(
        kind=Kind.COURSE,
        title=label(metric),
        description=_described(_HOURS, limits),
        sql=course_of(metric),
        columns=COURSE,
        unit=grafana_unit(BY_NAME[metric].unit),
        steps=limit_steps(limits) if limits else (),
        lines=bool(limits),
        quiet=_no_sensor(metric),
        span=span,
    )


def _daily(told: _Told) -> Panel:
    limits = limits_of(told.pollutant, told.windows)
    names = label(told.pollutant)
    return Panel(
        kind=Kind.COURSE,
        title=text(
            f"{names['fr']} : {told.mean['fr']}",
            f"{names['en']}: {told.mean['en']}",
            f"{names['de']}: {told.mean['de']}",
        ),
        description=_described(_MEANS, limits),
        sql=highest_lines(
            "SELECT series_id, start AS time, value\n"
            "  FROM reader.air_figures\n"
            f" WHERE indicator = '{told.figure}' AND metric = '{told.pollutant}'\n"
            f"   AND $__timeFilter(start) AND value IS NOT NULL AND {CHOSEN}"
        ),
        columns=COURSE,
        unit=grafana_unit(BY_NAME[told.pollutant].unit),
        steps=limit_steps(limits),
        lines=True,
        floor=0,
        quiet=_no_day(told.pollutant),
    )


def _pair(told: _Told) -> tuple[Panel, Panel]:
    return hourly(told.pollutant), _daily(told)


POLLUTANTS = Section(
    text("Polluants et limites", "Pollutants and limits", "Schadstoffe und Grenzwerte"),
    tuple(panel for told in _MAIN for panel in _pair(told)),
)
OTHERS = Section(
    text("Autres polluants", "Other pollutants", "Weitere Schadstoffe"),
    (
        *(panel for told in _OTHER for panel in _pair(told)),
        hourly("no"),
        hourly("nox"),
        hourly("pm1"),
    ),
    folded=True,
)
