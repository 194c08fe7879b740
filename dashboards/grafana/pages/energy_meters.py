"""Energy: meters that are silent or guess, water and gas, tariffs, street lights."""

from __future__ import annotations

from dashboards.grafana.columns import PLACE, SENSOR
from dashboards.grafana.courses import highest, indicator, top_courses
from dashboards.grafana.moment import OPEN, TO
from dashboards.grafana.page import Section
from dashboards.grafana.panel import COURSE, Class, Column, Kind, Panel, Step, Type
from dashboards.grafana.queries import CHOSEN, DAYS
from dashboards.grafana.text import Text, text
from dashboards.grafana.units import DURATION, grafana_unit
from dashboards.grafana.usual import said
from storage.catalogue import BY_NAME
from storage.indicators.word import Subject

_INTERPOLATED, _NOT_COVERED = indicator("energy_day").words
_FAILED = indicator("lighting_night_ratio_day").words[1]
_BURNS = indicator("lighting_noon_ratio_day").words[1]

_SILENT = Panel(
    kind=Kind.TABLE,
    title=text("Compteurs muets", "Silent meters", "Stumme Zähler"),
    description=text(
        "Alertes de silence ouvertes, le plus ancien d'abord : depuis quand plus rien n'est venu. Un seul : pile, radio, alimentation ; plusieurs d'un lieu : sa passerelle ; tous : le collecteur ou le réseau.",
        "Open alerts of silence, the oldest first: since when nothing has come. One: battery, radio, supply; several of a site: its gateway; all: the collector or the network.",
        "Offene Meldungen über Stille, die ältesten zuerst: seit wann nichts mehr kam. Einer: Batterie, Funk, Strom; mehrere eines Ortes: sein Gateway; alle: Sammler oder Netz.",
    ),
    sql=(
        "SELECT territory, site, site_name, sensor, label_@language AS label, since,\n"
        f"       extract(epoch FROM {TO} - since)::float8 AS silent_s FROM reader.alerts\n"
        f" WHERE domain = 'energy' AND kind = 'silence' AND {OPEN}\n"
        f"   AND {CHOSEN} ORDER BY since, 3, 4, 5 LIMIT 200"
    ),
    columns={
        **PLACE,
        "sensor": SENSOR,
        "label": Column(Type.TEXT, text("Mesure", "Metric", "Messgröße")),
        "since": Column(Type.TIME, text("Dernière mesure", "Last reading", "Letzter Messwert"), width=160),
        "silent_s": Column(Type.NUMBER, text("Muet depuis", "Silent for", "Stumm seit"), decimals=0),
    },
    unit=DURATION,
    quiet=text(
        "Aucun compteur muet connu.", "No silent meter known.",
        "Kein stummer Zähler bekannt.",
    ),
)  # fmt: skip

_HELD = Panel(
    kind=Kind.TABLE,
    title=text(
        "Compteurs avec trous ou interpolations", "Meters with gaps or interpolations",
        "Zähler mit Lücken oder Interpolationen",
    ),
    description=text(
        "Jours de la période où une partie de la consommation a été répartie sur un trou (interpolée : la somme reste juste) ou dont une partie n'est pas connue (non couverte : la somme est trop basse). Beaucoup : liaison à revoir avant de facturer ou de comparer.",
        "Days of the range on which a part of the consumption was spread over a gap (interpolated: the sum stays right) or is not known (not covered: the sum is too low). Many: see to the link before billing or comparing.",
        "Tage des Zeitraums, an denen ein Teil des Verbrauchs über eine Lücke verteilt wurde (interpoliert: Summe bleibt richtig) oder unbekannt ist (nicht erfasst: Summe zu niedrig). Viele: Verbindung prüfen, bevor abgerechnet oder verglichen wird.",
    ),
    sql=(
        "SELECT territory, site, site_name, sensor, label_@language AS label, interpolated,\n"
        "       not_covered, days FROM (\n"
        "SELECT series_id,\n"
        f"       count(*) FILTER (WHERE '{_INTERPOLATED}' = ANY (words)) AS interpolated,\n"
        f"       count(*) FILTER (WHERE '{_NOT_COVERED}' = ANY (words)) AS not_covered,\n"
        "       count(*) AS days FROM reader.energy_figures\n"
        " WHERE indicator IN ('energy_day', 'volume_day')\n"
        f"   AND {DAYS} AND stop <= {TO} AND {CHOSEN} AND status <> 'complete' GROUP BY 1) f\n"
        "  JOIN reader.series USING (series_id)\n"
        " WHERE interpolated + not_covered > 0\n"
        " ORDER BY not_covered DESC, interpolated DESC, 3, 4 LIMIT 200"
    ),
    columns={
        **PLACE,
        "sensor": SENSOR,
        "label": Column(Type.TEXT, text("Mesure", "Metric", "Messgröße")),
        "interpolated": Column(
            Type.NUMBER, text("Jours interpolés", "Days interpolated", "Tage interpoliert")
        ),
        "not_covered": Column(
            Type.NUMBER, text("Jours non couverts", "Days not covered", "Tage nicht erfasst"),
            steps=(Step(None, "green"), Step(1, "orange")),
        ),
        "days": Column(Type.NUMBER, text("Jours partiels", "Partial days", "Unvollständige Tage")),
    },
    unit=grafana_unit("1"),
    quiet=text(
        "Tous les compteurs suivis sans trou : rien à faire.",
        "All meters followed without a gap: nothing to do.",
        "Alle Zähler lückenlos erfasst: nichts zu tun.",
    ),
)  # fmt: skip


def _volumes(metric: str, title: Text, description: Text) -> Panel:
    return Panel(
        kind=Kind.COURSE,
        title=title,
        description=description,
        sql=highest("volume_day", where=f"metric = '{metric}'"),
        columns=COURSE,
        unit=grafana_unit(BY_NAME[metric].unit),
        quiet=text(
            "Aucun compteur de ce fluide dans ces lieux sur cette période.",
            "No meter of this kind at these sites in this range.",
            "Kein solcher Zähler an diesen Orten in diesem Zeitraum.",
        ),
        bars=True,
    )


_WATER = _volumes(
    "water_import",
    text("Eau, par jour", "Water, by day", "Wasser, je Tag"),
    text(
        "Volume par compteur et jour, les 12 plus forts. Une marche qui reste, week-ends compris : fuite ; fermer la vanne la nuit et relire.",
        "Volume by meter and day, the 12 largest. A step that stays, weekends too: a leak; close the valve overnight and read again.",
        "Volumen je Zähler und Tag, die 12 größten. Eine Stufe, die bleibt, auch am Wochenende: Leck; nachts absperren und neu ablesen.",
    ),
)  # fmt: skip

_GAS = _volumes(
    "gas_import",
    text("Gaz, par jour", "Gas, by day", "Gas, je Tag"),
    text(
        "Volume par compteur et jour, les 12 plus forts. À lire avec les degrés-jours ; du gaz par temps chaud ou lieu fermé : régulation à revoir.",
        "Volume by meter and day, the 12 largest. Read it with degree days; gas in warm weather or at a closed site: see to the controls.",
        "Volumen je Zähler und Tag, die 12 größten. Mit Gradtagen lesen; Gas bei Wärme oder geschlossenem Ort: Regelung prüfen.",
    ),
)  # fmt: skip

_CLASSES = {
    "tariff_offpeak_day": text("heures creuses", "off-peak", "Nebenzeit"),
    "tariff_full_day": text("heures pleines", "full rate", "Hauptzeit"),
    "tariff_peak_day": text("pointe", "peak", "Spitzenzeit"),
}
_CLASS_SQL = (
    "CASE indicator\n"
    + "\n".join(f"  WHEN '{name}' THEN {said(words)}" for name, words in _CLASSES.items())
    + " END"
)
_NO_TARIFF = text(
    "Aucun tarif pour ces lieux : le décrire dans city.toml (energy.tariff).",
    "No tariff for these sites: describe it in city.toml (energy.tariff).",
    "Kein Tarif für diese Orte: in city.toml beschreiben (energy.tariff).",
)

_TARIFF = Panel(
    kind=Kind.COURSE,
    title=text("Énergie par poste tarifaire", "Energy by tariff period", "Energie nach Tarifzeit"),
    description=text(
        "Somme des compteurs qui ont un tarif, par jour local. Beaucoup en heures pleines ou en pointe : décaler chauffe-eau, charge et ventilation.",
        "Sum of the meters with a tariff, by local day. Much at full or peak rate: shift water heaters, charging and ventilation.",
        "Summe der Zähler mit Tarif, je Ortstag. Viel zur Haupt- oder Spitzenzeit: Warmwasser, Laden und Lüftung verschieben.",
    ),
    sql=(
        f"SELECT start AS time, {_CLASS_SQL} AS metric, sum(value)::float8 AS value\n"
        "  FROM reader.energy_figures\n"
        f" WHERE indicator IN ({', '.join(repr(name) for name in _CLASSES)})\n"
        f"   AND $__timeFilter(start) AND value IS NOT NULL AND {CHOSEN}\n"
        " GROUP BY 1, 2 ORDER BY 1, 2"
    ),
    columns=COURSE,
    unit=grafana_unit("kW.h"),
    quiet=_NO_TARIFF,
    bars=True,
    stacked=True,
    floor=0,
)  # fmt: skip

_COST = Panel(
    kind=Kind.COURSE,
    title=text("Coût de l'énergie, par jour", "Cost of energy, by day", "Energiekosten, je Tag"),
    description=text(
        "Énergie de chaque poste fois son prix, par compteur, là où tous les prix sont connus ; les 12 plus chers. Sans abonnement ni taxes que le contrat ne porte pas. Non public.",
        "Energy of each period times its price, by meter, where every price is known; the 12 dearest. Without standing charges and taxes that the contract does not state. Not public.",
        "Energie jeder Tarifzeit mal Preis, je Zähler, wo alle Preise bekannt sind; die 12 teuersten. Ohne Grundpreis und Abgaben, die der Vertrag nicht nennt. Nicht öffentlich.",
    ),
    sql=top_courses(
        "energy", Subject.SERIES,
        "SELECT start, subject_id, series_id, site_name, territory_name, value\n"
        "  FROM reader.energy_figures WHERE indicator = 'tariff_cost_day'\n"
        f"   AND $__timeFilter(start) AND value IS NOT NULL AND {CHOSEN}",
    ),
    columns=COURSE,
    unit=grafana_unit("EUR"),
    quiet=_NO_TARIFF,
    bars=True,
    stacked=True,
)  # fmt: skip

# A code other than the first says that something is wrong with the lights; the catalogue words it.
_WRONG = (
    Class(0, text("non", "no", "nein"), "green"),
    Class(1, text("oui", "yes", "ja"), "red"),
)

_LIGHTS = Panel(
    kind=Kind.TABLE,
    title=text("Éclairage public", "Street lights", "Straßenbeleuchtung"),
    description=text(
        "Par compteur d'éclairage : énergie comptée et attendue sur la période, 60 derniers jours au plus (puissance installée, heures de nuit, gradation), puis la dernière nuit connue : puissance face à l'installée (pannes : lampes ou phase éteintes, sous 80 %) et midi face à la nuit (allumé le jour : au-dessus de 5 %, cellule ou horloge à régler).",
        "By lighting meter: energy counted and expected in the range, at most its last 60 days (installed power, hours of night, dimming), then the newest night known: power against installed (failures: lamps or a phase out, below 80 %) and noon against night (burns by day: above 5 %, see to photocell or clock).",
        "Je Beleuchtungszähler: gezählte und erwartete Energie im Zeitraum, höchstens der letzten 60 Tage (installierte Leistung, Nachtstunden, Dimmung), dann die neueste bekannte Nacht: Leistung zu installierter (Ausfälle: Lampen oder Phase, unter 80 %) und Mittag zu Nacht (brennt am Tag: über 5 %, Dämmerungsschalter oder Uhr einstellen).",
    ),
    sql=(
        "SELECT territory, site, site_name, sensor, counted, expected, night, failed, noon, burns\n"
        "  FROM (\n"
        "SELECT series_id, sum(expected) AS expected,\n"
        "       sum(counted) FILTER (WHERE expected IS NOT NULL) AS counted,\n"
        "       (array_agg(night ORDER BY start DESC) FILTER (WHERE night IS NOT NULL))[1] AS night,\n"
        "       (array_agg(failed ORDER BY start DESC) FILTER (WHERE night IS NOT NULL))[1] AS failed,\n"
        "       (array_agg(noon ORDER BY start DESC) FILTER (WHERE noon IS NOT NULL))[1] AS noon,\n"
        "       (array_agg(burns ORDER BY start DESC) FILTER (WHERE noon IS NOT NULL))[1] AS burns\n"
        "  FROM (\n"
        "SELECT series_id, start,\n"
        "       max(value) FILTER (WHERE indicator = 'lighting_expected_day') AS expected,\n"
        "       max(value) FILTER (WHERE indicator IN ('energy_day', 'power_energy_day')) AS counted,\n"
        "       max(value) FILTER (WHERE indicator = 'lighting_night_ratio_day') AS night,\n"
        "       max(value) FILTER (WHERE indicator = 'lighting_noon_ratio_day') AS noon,\n"
        f"       max(wrong) FILTER (WHERE indicator = 'lighting_night_ratio_day') AS failed,\n"
        f"       max(wrong) FILTER (WHERE indicator = 'lighting_noon_ratio_day') AS burns FROM (\n"
        "SELECT series_id, indicator, start, value,\n"
        "       CASE WHEN indicator LIKE 'lighting%ratio%'\n"
        f"           THEN (words && ARRAY['{_FAILED}', '{_BURNS}'])::int4 END AS wrong\n"
        "  FROM reader.energy_figures\n"
        " WHERE indicator IN ('lighting_expected_day', 'lighting_night_ratio_day',\n"
        "                     'lighting_noon_ratio_day', 'energy_day', 'power_energy_day')\n"
        f"   AND {DAYS} AND start > {TO} - interval '60 days'\n"
        f"   AND value IS NOT NULL AND {CHOSEN}) f\n"
        " GROUP BY 1, 2) d GROUP BY 1 HAVING count(*) FILTER (\n"
        "   WHERE expected IS NOT NULL OR night IS NOT NULL OR noon IS NOT NULL) > 0) s\n"
        "  JOIN reader.series USING (series_id)\n"
        " ORDER BY coalesce(failed, 0) + coalesce(burns, 0) DESC, 3, 4 LIMIT 200"
    ),
    columns={
        **PLACE,
        "sensor": SENSOR,
        "counted": Column(Type.NUMBER, text("Comptée", "Counted", "Gezählt"), decimals=0),
        "expected": Column(Type.NUMBER, text("Attendue", "Expected", "Erwartet"), decimals=0),
        "night": Column(
            Type.NUMBER, text("Nuit sur installée", "Night over installed", "Nacht zu installiert"),
            unit=grafana_unit("%"), decimals=0,
        ),
        "failed": Column(
            Type.NUMBER, text("Panne ?", "Failed?", "Ausfall?"), classes=_WRONG
        ),
        "noon": Column(
            Type.NUMBER, text("Midi sur nuit", "Noon over night", "Mittag zu Nacht"),
            unit=grafana_unit("%"), decimals=0,
        ),
        "burns": Column(
            Type.NUMBER, text("Allumé le jour ?", "Burns by day?", "Brennt am Tag?"),
            classes=_WRONG,
        ),
    },
    unit=grafana_unit("kW.h"),
    quiet=text(
        "Aucun compteur d'éclairage : le décrire dans city.toml (energy.lighting).",
        "No lighting meter: describe it in city.toml (energy.lighting).",
        "Kein Beleuchtungszähler: in city.toml beschreiben (energy.lighting).",
    ),
    span=24,
)  # fmt: skip

METERS = Section(
    text("Compteurs", "Meters", "Zähler"), (_SILENT, _HELD)
)  # fmt: skip

FLUIDS_AND_COST = Section(
    text("Eau, gaz, tarifs, éclairage", "Water, gas, tariffs, lights", "Wasser, Gas, Tarife, Beleuchtung"),
    (_LIGHTS, _WATER, _GAS, _TARIFF, _COST),
    folded=True,
)  # fmt: skip
