"""Energy: buildings ranked by how far they drift from what their signature expects."""

from __future__ import annotations

from dashboards.grafana.columns import MAPPED, PLACE, STATUS, STATUS_SQL
from dashboards.grafana.courses import TOP, highest, indicator, top_courses
from dashboards.grafana.page import Section
from dashboards.grafana.pages.air_words import GREY
from dashboards.grafana.pages.energy_load import NO_DAY
from dashboards.grafana.panel import COURSE, Column, Kind, Panel, Step, Type
from dashboards.grafana.queries import CHOSEN, DAYS, beginnings
from dashboards.grafana.text import Text, text
from dashboards.grafana.units import grafana_unit
from storage.catalogue import Domain
from storage.indicators.word import Subject

KWH = grafana_unit("kW.h")

# Bins of the display: within 10 % of what is expected is as expected.
DRIFT_STEPS = (
    Step(None, "blue"), Step(-10, "green"), Step(10, "orange"), Step(25, "red"),
)  # fmt: skip

NO_BASELINE = text(
    "Aucun bâtiment avec une référence dans ces lieux : la définir dans city.toml (energy.building).",
    "No building with a baseline at these sites: define it in city.toml (energy.building).",
    "Kein Gebäude mit Basis an diesen Orten: in city.toml festlegen (energy.building).",
)
_NO_BUILDING = text(
    "Aucun bâtiment dans ces lieux : les définir dans city.toml (energy.building).",
    "No building at these sites: define them in city.toml (energy.building).",
    "Kein Gebäude an diesen Orten: in city.toml festlegen (energy.building).",
)

_SAVED = "('building_saving', 'building_cusum', 'building_year_on_year')"


def drift(times: str = DAYS) -> str:
    """Energy and expected energy of buildings, over days of which both are known.

    Text of a subquery with ``territory, site, energy, expected, change, days``.
    """
    return (
        "SELECT max(territory) AS territory, max(site) AS site, sum(energy)::float8 AS energy,\n"
        "       sum(expected)::float8 AS expected,\n"
        "       (100 * sum(energy) / nullif(sum(expected), 0) - 100)::float8 AS change,\n"
        "       count(*) AS days FROM (\n"
        "SELECT subject_id, start, max(territory) AS territory, max(site) AS site,\n"
        "       max(value) FILTER (WHERE indicator = 'building_energy') AS energy,\n"
        "       max(value) FILTER (WHERE indicator = 'building_expected') AS expected\n"
        "  FROM reader.energy_figures\n"
        " WHERE indicator IN ('building_energy', 'building_expected')\n"
        f"   AND {times} AND value IS NOT NULL AND {CHOSEN}\n"
        " GROUP BY 1, 2) d WHERE energy IS NOT NULL AND expected IS NOT NULL GROUP BY subject_id"
    )


_RANKED = Panel(
    kind=Kind.TABLE,
    title=text(
        "Bâtiments, par dérive de leur signature", "Buildings, by drift from their signature",
        "Gebäude, nach Abweichung von ihrer Signatur",
    ),
    description=text(
        "Consommation des jours entiers de la période face à ce que la signature attend par ce temps (référence figée) ; la plus grande dérive d'abord. Puis le dernier mois connu : économie avec son intervalle à 90 %, cumul des écarts, évolution sur un an à climat égal. Au-dessus de 10 % : consignes, horaires, fuite ; commencer par le haut.",
        "Consumption of the range's whole days against what the signature expects in that weather (frozen baseline); the largest drift first. Then the newest month known: saving with its interval at 90 %, accumulated deviation, change on the year before at equal climate. Above 10 %: set points, schedules, leaks; start at the top.",
        "Verbrauch der ganzen Tage des Zeitraums gegenüber dem, was die Signatur bei diesem Wetter erwartet (festgehaltene Basis); größte Abweichung zuerst. Dann der neueste bekannte Monat: Einsparung mit 90-%-Intervall, kumulierte Abweichung, Veränderung zum Vorjahr klimabereinigt. Über 10 %: Sollwerte, Zeiten, Leck; oben beginnen.",
    ),
    sql=(
        "WITH m AS MATERIALIZED (SELECT DISTINCT ON (territory, site, indicator)\n"
        "       territory, site, indicator, value, low, high FROM reader.energy_figures\n"
        f" WHERE indicator IN {_SAVED} AND {beginnings('month', 3)}\n"
        f"   AND value IS NOT NULL AND {CHOSEN}\n"
        " ORDER BY territory, site, indicator, start DESC),\n"
        "p AS (SELECT territory, site,\n"
        "       max(value) FILTER (WHERE indicator = 'building_saving') AS saving,\n"
        "       max(low) FILTER (WHERE indicator = 'building_saving') AS low,\n"
        "       max(high) FILTER (WHERE indicator = 'building_saving') AS high,\n"
        "       max(value) FILTER (WHERE indicator = 'building_cusum') AS cusum,\n"
        "       max(value) FILTER (WHERE indicator = 'building_year_on_year') AS year_on_year\n"
        "  FROM m GROUP BY 1, 2)\n"
        "SELECT territory, site, site_name, energy, expected, change, days, saving, low, high,\n"
        "       cusum, year_on_year\n"
        "  FROM (" + drift() + ") d FULL JOIN p USING (territory, site)\n"
        "  JOIN reader.sites USING (territory, site)\n"
        " ORDER BY change DESC NULLS LAST, 3"
    ),
    columns={
        **PLACE,
        "energy": Column(Type.NUMBER, text("Consommé", "Consumed", "Verbraucht"), decimals=0),
        "expected": Column(Type.NUMBER, text("Attendu", "Expected", "Erwartet"), decimals=0),
        "change": Column(
            Type.NUMBER, text("Dérive", "Drift", "Abweichung"), unit=grafana_unit("%"),
            decimals=1, steps=DRIFT_STEPS,
        ),
        "days": Column(Type.NUMBER, text("Jours", "Days", "Tage"), unit=grafana_unit("1"), width=70),
        "saving": Column(
            Type.NUMBER, text("Économie du mois", "Saving of the month", "Einsparung des Monats"),
            decimals=0,
        ),
        "low": Column(Type.NUMBER, text("de", "from", "von"), decimals=0),
        "high": Column(Type.NUMBER, text("à", "to", "bis"), decimals=0),
        "cusum": Column(Type.NUMBER, text("Cumul (CUSUM)", "CUSUM", "CUSUM"), decimals=0),
        "year_on_year": Column(
            Type.NUMBER, text("Sur un an", "On the year before", "Zum Vorjahr"),
            unit=grafana_unit("%"), decimals=1,
        ),
    },
    unit=KWH,
    quiet=NO_BASELINE,
    span=24,
    height=10,
)  # fmt: skip

_MAP = Panel(
    kind=Kind.MAP,
    title=text("Carte des bâtiments, par dérive", "Map of buildings, by drift", "Karte der Gebäude, nach Abweichung"),
    description=text(
        "Consommation face à l'attendu sur la période. Vert : à 10 % près ; orange, rouge : au-dessus, à visiter ; bleu : en dessous ; gris : compteurs sans référence.",
        "Consumption against what is expected, in the range. Green: within 10 %; orange, red: above, to be visited; blue: below; grey: meters without a baseline.",
        "Verbrauch gegenüber der Erwartung im Zeitraum. Grün: innerhalb 10 %; orange, rot: darüber, besuchen; blau: darunter; grau: Zähler ohne Basis.",
    ),
    sql=(
        "SELECT site_name, longitude, latitude, change AS value FROM (\n"
        "SELECT DISTINCT territory, site, site_name, longitude, latitude FROM reader.series\n"
        f" WHERE domain = 'energy' AND in_service AND latitude IS NOT NULL AND {CHOSEN}) s\n"
        "  LEFT JOIN (\n" + drift() + ") d USING (territory, site) ORDER BY 1, 2"
    ),
    columns={
        **MAPPED,
        "value": Column(Type.NUMBER, text("Dérive", "Drift", "Abweichung"), decimals=0),
    },
    unit=grafana_unit("%"),
    quiet=NO_BASELINE,
    # Nothing uses less than nothing: below is what is not known.
    steps=(Step(None, GREY), Step(-100, "blue"), *DRIFT_STEPS[1:]),
    title_column="value",
    height=10,
)  # fmt: skip

_CUSUM = Panel(
    kind=Kind.COURSE,
    title=text("Cumul des écarts (CUSUM)", "Cumulative deviation (CUSUM)", "Kumulierte Abweichung (CUSUM)"),
    description=text(
        f"Réel moins attendu depuis la fin de la référence, par mois ; les {TOP} bâtiments qui dépassent le plus, sur 400 jours au moins. Pente vers le haut : surconsommation en cours ; vers le bas : une action porte ses fruits.",
        f"Actual less expected since the baseline ended, by month; the {TOP} buildings furthest above, over 400 days at least. Slope up: too much is being used; down: an action pays off.",
        f"Tatsächlich minus erwartet seit Ende der Basis, je Monat; die {TOP} Gebäude am weitesten darüber, über mindestens 400 Tage. Steigung: Mehrverbrauch; Gefälle: eine Maßnahme wirkt.",
    ),
    sql=top_courses(
        "energy", Subject.SITE,
        "SELECT start, subject_id, series_id, site_name, territory_name, value\n"
        "  FROM reader.energy_figures WHERE indicator = 'building_cusum'\n"
        "   AND start >= least($__timeFrom()::timestamptz,\n"
        "                      $__timeTo()::timestamptz - interval '400 days')\n"
        f"   AND start <= $__timeTo() AND value IS NOT NULL AND {CHOSEN}",
    ),
    columns=COURSE,
    unit=KWH,
    quiet=NO_BASELINE,
    height=10,
)  # fmt: skip


def _course(
    name: str, title: Text, description: Text, quiet: Text = NO_DAY,
    bars: bool = False, chosen: str = CHOSEN, series: str = "",
) -> Panel:  # fmt: skip
    return Panel(
        kind=Kind.COURSE,
        title=title,
        description=description,
        sql=highest(name, chosen=chosen, series=series),
        columns=COURSE,
        unit=grafana_unit(indicator(name).unit),
        quiet=quiet,
        bars=bars,
        span=8,
    )


_ENERGY = _course(
    "building_energy",
    text("Consommation par jour", "Consumption by day", "Verbrauch je Tag"),
    text(
        f"Somme des compteurs de chaque bâtiment, jours entiers seulement, gaz par son PCS ; les {TOP} plus gros. Un jour absent n'a pas été suivi en entier : voir les capteurs du lieu.",
        f"Sum of each building's meters, whole days only, gas by its gross calorific value; the {TOP} largest. A missing day was not followed as a whole: see the site's sensors.",
        f"Summe der Zähler jedes Gebäudes, nur ganze Tage, Gas mit seinem Brennwert; die {TOP} größten. Ein fehlender Tag wurde nicht ganz erfasst: Sensoren des Ortes ansehen.",
    ),
)  # fmt: skip

_CARBON = _course(
    "building_carbon",
    text("Émissions par jour (CO₂e)", "Emissions by day (CO₂e)", "Emissionen je Tag (CO₂e)"),
    text(
        f"Émissions par bâtiment d'après les facteurs de city.toml, chacun avec sa source ; les {TOP} plus fortes. Sans facteur, pas d'émissions.",
        f"Emissions by building, by the factors of city.toml, each with its source; the {TOP} largest. Without a factor there are none.",
        f"Emissionen je Gebäude nach den Faktoren aus city.toml, jeder mit Quelle; die {TOP} größten. Ohne Faktor keine Emissionen.",
    ),
)  # fmt: skip

_DEGREE_DAYS = _course(
    "heating_degree_days",
    text("Degrés-jours de chauffage", "Heating degree days", "Heizgradtage"),
    text(
        "Par jour et thermomètre des communes choisies, où qu'il soit (méthode météo) : combien de froid il fallait compenser. Une consommation qui monte sans eux n'est pas due au temps.",
        "By day and thermometer of the chosen communes, wherever it stands (meteorological method): how much cold there was to make up for. Consumption that rises without them is not due to the weather.",
        "Je Tag und Thermometer der gewählten Gemeinden, wo immer es steht (meteorologisches Verfahren): wie viel Kälte auszugleichen war. Verbrauch, der ohne sie steigt, liegt nicht am Wetter.",
    ),
    text(
        "Aucun jour de thermomètre extérieur (température) dans ces communes sur cette période.",
        "No day of an outdoor thermometer (temperature) in these communes in this range.",
        "Kein Tag eines Außenthermometers (Temperatur) in diesen Gemeinden in diesem Zeitraum.",
    ),
    bars=True,
    chosen="territory IN ($territory)",
    series=Domain.AIR,
)  # fmt: skip

_YEARLY: dict[str, Column] = {
    "building_energy_year": Column(Type.NUMBER, text("kWh par an", "kWh a year", "kWh im Jahr"), unit=KWH, decimals=0),
    "building_carbon_year": Column(Type.NUMBER, text("CO₂e par an", "CO₂e a year", "CO₂e im Jahr"), unit=grafana_unit("kg"), decimals=0),
    "building_intensity": Column(Type.NUMBER, text("par m²", "per m²", "je m²"), decimals=0),
    "building_class_median": Column(Type.NUMBER, text("Médiane de la catégorie", "Median of the class", "Median der Klasse"), decimals=0),
    "building_class_rank": Column(Type.NUMBER, text("Rang", "Rank", "Rang"), unit=grafana_unit("1")),
    "signature_base": Column(Type.NUMBER, text("Talon", "Base", "Grundverbrauch"), unit=grafana_unit("kW.h/d"), decimals=1),
    "signature_heating": Column(Type.NUMBER, text("Pente chauffage", "Heating slope", "Heizsteigung"), unit=grafana_unit("kW.h/(K.d)"), decimals=1),
    "signature_heating_point": Column(Type.NUMBER, text("Non-chauffage", "Heating point", "Heizgrenze"), unit=grafana_unit("Cel"), decimals=1),
    "signature_cooling": Column(Type.NUMBER, text("Pente climatisation", "Cooling slope", "Kühlsteigung"), unit=grafana_unit("kW.h/(K.d)"), decimals=1),
    "signature_r2": Column(Type.NUMBER, text("R²", "R²", "R²"), unit=grafana_unit("1"), decimals=2),
    "signature_cvrmse": Column(Type.NUMBER, text("CV(RMSE)", "CV(RMSE)", "CV(RMSE)"), unit=grafana_unit("%"), decimals=0),
}  # fmt: skip

_COMPARED = Panel(
    kind=Kind.TABLE,
    title=text(
        "Bâtiments comparés : surface, catégorie, signature",
        "Buildings compared: area, class, signature",
        "Gebäude im Vergleich: Fläche, Klasse, Signatur",
    ),
    description=text(
        "Dernière année connue à la fin de la période. Consommation par m² face à la médiane de sa catégorie (écart d'abord), rang (1 : le plus sobre), énergie et émissions (bornes basses si partiel), paramètres de la signature. Bien au-dessus de la médiane : audit.",
        "Newest year known at the end of the range. Consumption per m² against the median of its class (difference first), rank (1: lowest), energy and emissions (lower bounds if partial), parameters of the signature. Far above the median: audit.",
        "Neuestes am Ende des Zeitraums bekanntes Jahr. Verbrauch je m² gegenüber dem Median der Klasse (Abstand zuerst), Rang (1: niedrigster), Energie und Emissionen (Untergrenzen, wenn unvollständig), Kennwerte der Signatur. Weit über dem Median: Energieberatung.",
    ),
    sql=(
        "WITH y AS MATERIALIZED (SELECT DISTINCT ON (territory, site, indicator)\n"
        f"       territory, site, indicator, value, {STATUS_SQL} AS status\n"
        "  FROM reader.energy_figures\n"
        f" WHERE indicator IN ({', '.join(repr(name) for name in _YEARLY)})\n"
        f"   AND {beginnings('year', 3)} AND value IS NOT NULL AND {CHOSEN}\n"
        " ORDER BY territory, site, indicator, start DESC),\n"
        "p AS (SELECT territory, site,\n"
        + ",\n".join(
            f"       max(value) FILTER (WHERE indicator = '{name}') AS {name}" for name in _YEARLY
        )
        + ",\n       max(status) FILTER (WHERE indicator = 'building_energy_year') AS status\n"
        "  FROM y GROUP BY 1, 2)\n"
        "SELECT territory, site, site_name,\n"
        "       100 * building_intensity / nullif(building_class_median, 0) - 100 AS above,\n"
        f"       {', '.join(_YEARLY)}, status\n"
        "  FROM p JOIN reader.sites USING (territory, site)\n"
        " ORDER BY above DESC NULLS LAST, building_intensity DESC NULLS LAST, 3"
    ),
    columns={
        **PLACE,
        "above": Column(
            Type.NUMBER, text("Face à la médiane", "Against the median", "Gegenüber dem Median"),
            unit=grafana_unit("%"), decimals=0, steps=DRIFT_STEPS,
        ),
        **_YEARLY,
        "status": STATUS,
    },
    unit=grafana_unit("kW.h/m2"),
    quiet=_NO_BUILDING,
    span=24,
    height=10,
)  # fmt: skip

BUILDINGS = Section(
    text("Bâtiments", "Buildings", "Gebäude"),
    (_RANKED, _MAP, _CUSUM, _ENERGY, _CARBON, _DEGREE_DAYS),
)

COMPARED = Section(
    text("Bâtiments comparés", "Buildings compared", "Gebäude im Vergleich"),
    (_COMPARED,),
    folded=True,
)
