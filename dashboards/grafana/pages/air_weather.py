"""What surrounds the air: weather, noise, and every other metric by choice."""

from __future__ import annotations

from dashboards.grafana.folded import any_indicator, any_metric
from dashboards.grafana.page import Section
from dashboards.grafana.pages.air_pollutants import course_of, highest_lines, hourly, label
from dashboards.grafana.panel import COURSE, Kind, Panel
from dashboards.grafana.queries import CHOSEN
from dashboards.grafana.text import Text, text
from dashboards.grafana.units import grafana_unit
from storage.catalogue import BY_NAME, Domain

# fmt: off
_DAY_WIND = text(
    "Vecteur du vent de chaque jour, d'heures pondérées par leur vitesse : d'où l'air est venu. Une"
    " direction n'a de sens que si la constance n'est pas près de 0.",
    "Wind vector of each day, of hours weighted by their speed: where the air came from. A direction"
    " means something only where the steadiness is not near 0.",
    "Windvektor jedes Tages, aus Stunden, nach Geschwindigkeit gewichtet: woher die Luft kam. Eine"
    " Richtung sagt nur etwas, wo die Beständigkeit nicht nahe 0 liegt.",
)
_NO_WIND = text(
    "Aucun jour de vent sur cette période : il faut la direction et la vitesse du même lieu.",
    "No day of wind in this range: it takes direction and speed of one site.",
    "Kein Windtag in diesem Zeitraum: nötig sind Richtung und Geschwindigkeit eines Ortes.",
)
# fmt: on


def _wind(indicator: str, title: Text, ucum: str, ceiling: float | None) -> Panel:
    return Panel(
        kind=Kind.COURSE,
        title=title,
        description=_DAY_WIND,
        sql=highest_lines(
            "SELECT series_id, start AS time, value\n"
            "  FROM reader.air_figures\n"
            f" WHERE indicator = '{indicator}' AND $__timeFilter(start) AND {CHOSEN}"
        ),
        columns=COURSE,
        unit=grafana_unit(ucum),
        floor=0,
        ceiling=ceiling,
        quiet=_NO_WIND,
        span=8,
    )


_RAIN = Panel(
    kind=Kind.COURSE,
    title=label("rain"),
    description=text(
        "Somme de chaque fenêtre (quart d'heure, heure, jour selon la période), par capteur.",
        "Sum of every window (quarter-hour, hour, day as the range asks), by sensor.",
        "Summe jedes Zeitfensters (Viertelstunde, Stunde, Tag je nach Zeitraum), je Sensor.",
    ),
    sql=course_of("rain", "total"),
    columns=COURSE,
    unit=grafana_unit(BY_NAME["rain"].unit),
    bars=True,
    floor=0,
    quiet=text("Aucun pluviomètre ici.", "No rain gauge here.", "Hier kein Regenmesser."),
)

_NOISE = Panel(
    kind=Kind.COURSE,
    title=label("noise_level"),
    description=text(
        "Niveau équivalent de chaque fenêtre (moyenne de l'énergie, pas des décibels), par capteur,"
        " les 12 plus hauts.",
        "Equivalent level of every window (mean of the energy, not of decibels), by sensor, the 12"
        " highest.",
        "Äquivalenter Pegel jedes Zeitfensters (Mittel der Energie, nicht der Dezibel), je Sensor,"
        " die 12 höchsten.",
    ),
    sql=course_of("noise_level"),
    columns=COURSE,
    unit=grafana_unit(BY_NAME["noise_level"].unit),
    quiet=text("Aucun sonomètre ici.", "No sound level meter here.", "Hier kein Schallpegelmesser."),
    span=24,
)  # fmt: skip

WEATHER = Section(
    text("Météo", "Weather", "Wetter"),
    (
        _wind("wind_day_direction", text("Direction du vent, par jour", "Wind direction by day", "Windrichtung je Tag"), "deg", 360),
        _wind("wind_day_speed", text("Vitesse vectorielle du vent, par jour", "Vector wind speed by day", "Vektorielle Windgeschwindigkeit je Tag"), "m/s", None),
        _wind("wind_day_steadiness", text("Constance du vent, par jour", "Steadiness of the wind by day", "Windbeständigkeit je Tag"), "1", 1),
        *(hourly(one, lines=False) for one in ("wind_direction", "wind_speed", "temperature", "dew_point", "humidity", "pressure")),
        _RAIN,
        hourly("visibility", lines=False),
    ),
    folded=True,
)  # fmt: skip

EVERYTHING = Section(
    text("Toute mesure, tout indicateur, bruit", "Any metric, any indicator, noise", "Jede Messgröße, jede Kennzahl, Lärm"),
    (any_metric(Domain.AIR), any_indicator(Domain.AIR), _NOISE),
    folded=True,
)  # fmt: skip
