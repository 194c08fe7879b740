"""Energy that is wasted: a base load that steps up, street lights that burn by day."""

from __future__ import annotations

from dashboards.grafana.rule import Rule
from dashboards.grafana.rules.rows import LABEL, SERIES, VALUE, WHERE, WHO, label, names, number
from dashboards.grafana.text import text
from storage.indicators.buildings import STEP
from storage.indicators.catalogue import INDICATORS, POSITION

_PAGE = "beffroi-energy"
_GROUP = "beffroi-energy"
_SHOWN = names(SERIES, "f", metric="s.metric", label="s.label_@language AS label")
_NIGHT, _NOON = "lighting_night_ratio_day", "lighting_noon_ratio_day"


def _wrong(indicator: str) -> str:
    """What the catalogue calls a day on which the lights are not as they should be."""
    return INDICATORS[POSITION[indicator]].words[1]


def _step(condition: str) -> str:
    # A step is told for three weeks from its night on, newest step of each series.
    return f"""
SELECT {names(SERIES, "n")}, n.night, abs(n.value)::float8 AS value
  FROM (SELECT DISTINCT ON (f.series_id) {_SHOWN}, f.value,
               to_char(f.at AT TIME ZONE s.timezone, 'YYYY-MM-DD') AS night
          FROM reader.energy_figures f
          JOIN reader.series s ON s.series_id = f.series_id
         WHERE f.indicator = 'base_load_step' AND f.start > now() - interval '35 days'
           AND f.at > now() - interval '21 days' AND '{STEP[1]}' = ANY (f.words)
         ORDER BY f.series_id, f.start DESC) n
 WHERE n.value {condition}
""".strip()


def _lights(indicator: str) -> str:
    return f"""
SELECT {names(SERIES, "n")}, n.value::float8 AS value
  FROM (SELECT DISTINCT ON (f.series_id) {_SHOWN}, f.value, f.words
          FROM reader.energy_figures f
          JOIN reader.series s ON s.series_id = f.series_id
         WHERE f.indicator = '{indicator}' AND f.start > now() - interval '72 hours'
           AND f.start <= now() AND f.value IS NOT NULL
         ORDER BY f.series_id, f.start DESC) n
 WHERE '{_wrong(indicator)}' = ANY (n.words)
""".strip()


ENERGY: tuple[Rule, ...] = (
    Rule(
        uid="beffroi-base-load-up",
        group=_GROUP,
        title=text(
            "Talon nocturne en hausse soudaine",
            "Base load of the night stepped up",
            "Nächtliche Grundlast sprunghaft gestiegen",
        ),
        summary=text(
            f"+{number(1)} kW la nuit depuis le {label('night')} : {WHERE}, compteur"
            f" {label('sensor')}.",
            f"+{number(1)} kW at night since {label('night')}: {WHERE}, meter {label('sensor')}.",
            f"+{number(1)} kW nachts seit {label('night')}: {WHERE}, Zähler {label('sensor')}.",
        ),
        action=text(
            "Faire le tour du bâtiment la nuit : ventilation, chauffage, éclairage, serveurs restés"
            " en marche ; vérifier les programmations de la régulation ; si l'usage a changé,"
            " le noter et refaire la référence.",
            "Walk through the building at night: ventilation, heating, lighting, servers left on;"
            " check the schedules of the controls; if the use has changed, note it and make a new"
            " baseline.",
            "Nachts durch das Gebäude gehen: Lüftung, Heizung, Licht, Server in Betrieb;"
            " Zeitprogramme der Regelung prüfen; hat sich die Nutzung geändert, vermerken und eine"
            " neue Basis bilden.",
        ),
        sql=_step("> 0"),
        columns={**SERIES, "night": LABEL, **VALUE},
        above=0,
        page=_PAGE,
    ),
    Rule(
        uid="beffroi-base-load-down",
        group=_GROUP,
        title=text(
            "Talon nocturne en baisse soudaine",
            "Base load of the night stepped down",
            "Nächtliche Grundlast sprunghaft gesunken",
        ),
        summary=text(
            f"−{number(1)} kW la nuit depuis le {label('night')} : {WHERE}, compteur"
            f" {label('sensor')}.",
            f"−{number(1)} kW at night since {label('night')}: {WHERE}, meter {label('sensor')}.",
            f"−{number(1)} kW nachts seit {label('night')}: {WHERE}, Zähler {label('sensor')}.",
        ),
        action=text(
            "Si une mesure d'économie le vise, la noter comme réussie ; sinon vérifier qu'aucun"
            " équipement nécessaire n'est arrêté (froid, pompes, alarme) et que le compteur compte.",
            "If a saving measure aims at it, note the success; if not, see that nothing needed is"
            " off (cooling, pumps, alarm) and that the meter counts.",
            "Zielt eine Sparmaßnahme darauf, den Erfolg vermerken; sonst prüfen, ob Nötiges steht"
            " (Kühlung, Pumpen, Alarm) und ob der Zähler zählt.",
        ),
        sql=_step("< 0"),
        columns={**SERIES, "night": LABEL, **VALUE},
        above=0,
        page=_PAGE,
        severity="info",
    ),
    Rule(
        uid="beffroi-lights-by-day",
        group=_GROUP,
        title=text(
            "Éclairage public allumé en plein jour",
            "Street lights burning by day",
            "Straßenbeleuchtung brennt am Tag",
        ),
        summary=text(
            f"Allumé à midi, à {number()} % de la puissance de nuit : {WHO}.",
            f"On at noon, at {number()} % of the power at night: {WHO}.",
            f"Mittags an, mit {number()} % der Nachtleistung: {WHO}.",
        ),
        action=text(
            "Prévenir l'exploitant de l'éclairage ; contrôler la cellule ou l'horloge astronomique"
            " de l'armoire et un éventuel forçage manuel.",
            "Tell the lighting operator; inspect the photocell or astronomical clock of the cabinet"
            " and look for a manual override.",
            "Den Betreiber der Beleuchtung verständigen; Dämmerungsschalter oder astronomische Uhr"
            " des Schaltschranks und eine Handschaltung prüfen.",
        ),
        sql=_lights(_NOON),
        columns={**SERIES, **VALUE},
        above=0,
        page=_PAGE,
    ),
    Rule(
        uid="beffroi-lights-failed",
        group=_GROUP,
        title=text(
            "Éclairage public : lampes ou phase en panne",
            "Street lights: lamps or a phase failed",
            "Straßenbeleuchtung: Lampen oder Phase ausgefallen",
        ),
        summary=text(
            f"{number()} % seulement de la puissance installée la nuit : {WHO}.",
            f"Only {number()} % of the installed power at night: {WHO}.",
            f"Nachts nur {number()} % der installierten Leistung: {WHO}.",
        ),
        action=text(
            "Faire passer une tournée de nuit sur ce départ et contrôler disjoncteurs et phases de"
            " l'armoire ; si des lampes ont été remplacées, corriger la puissance installée dans"
            " city.toml.",
            "Have somebody drive along this feeder at night and inspect breakers and phases of the"
            " cabinet; if lamps were replaced, correct the installed power in city.toml.",
            "Diesen Abgang nachts abfahren und Sicherungen und Phasen des Schaltschranks prüfen;"
            " wurden Lampen ersetzt, die installierte Leistung in city.toml berichtigen.",
        ),
        sql=_lights(_NIGHT),
        columns={**SERIES, **VALUE},
        above=0,
        page=_PAGE,
        severity="info",
    ),
)
