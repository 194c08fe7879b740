"""Energy: load now against what is usual, base load, peaks."""

from __future__ import annotations

from dashboards.grafana.columns import PLACE, SENSOR
from dashboards.grafana.courses import SITE_LABEL, TOP, highest, indicator, series_labels
from dashboards.grafana.page import Section
from dashboards.grafana.panel import COURSE, Column, Kind, Panel, Step, Type
from dashboards.grafana.queries import CHOSEN, DAYS, beginnings, windows
from dashboards.grafana.text import Text, text
from dashboards.grafana.units import grafana_unit
from dashboards.grafana.usual import DASHED, USUAL, against_usual, said
from storage.catalogue import Domain

KW = grafana_unit("kW")

# Power where a sensor sends it, else what its register or its intervals counted: never both.
_LOADS = "'power', 'energy_import', 'energy_used'"
COUNTED_ONCE = (
    "(metric <> 'energy_used' OR sensor NOT IN (\n"
    "       SELECT sensor FROM reader.series WHERE domain = 'energy' AND metric = 'energy_import'))"
)
ONE_OF_EACH = (
    f"metric IN ({_LOADS}) AND (metric = 'power' OR sensor NOT IN (\n"
    "       SELECT sensor FROM reader.series WHERE domain = 'energy' AND metric = 'power'))\n"
    f"   AND {COUNTED_ONCE}"
)
_KW = "CASE metric WHEN 'power' THEN mean ELSE total / @hours END"


def load_and_usual() -> str:
    """Load of every meter by hour or day, with what was usual. [kW]"""
    return against_usual(Domain.ENERGY, _KW.replace("@hours", "hours"), ONE_OF_EACH)


def loads(columns: str) -> str:
    """Load of every meter by window. [kW]"""
    return windows(Domain.ENERGY, f"{columns}, {_KW} AS value", f"{ONE_OF_EACH} AND {CHOSEN}")


NO_METER = text(
    "Aucun compteur d'électricité dans ces lieux sur cette période.",
    "No electricity meter at these sites in this range.",
    "Kein Stromzähler an diesen Orten in diesem Zeitraum.",
)

NO_DAY = text(
    "Rien de connu par jour sur cette période : l'élargir à 2 jours au moins.",
    "Nothing is known by day in this range: widen it to 2 days or more.",
    "In diesem Zeitraum je Tag nichts bekannt: auf mindestens 2 Tage erweitern.",
)

_LOAD = Panel(
    kind=Kind.COURSE,
    title=text("Charge et profil habituel", "Load and usual profile", "Last und übliches Profil"),
    description=text(
        "Puissance électrique des lieux choisis, somme des compteurs (puissance mesurée, sinon énergie sur durée). Tirets : moyenne des mêmes heures des quatre semaines d'avant, mêmes compteurs. Au-dessus la nuit ou le week-end : quelque chose est resté allumé ; chercher le lieu dans le tableau.",
        "Electric power of the chosen sites, sum of meters (power as measured, else energy over time). Dashed: mean of the same hours of the four weeks before, same meters. Above it at night or on weekends: something was left on; find the site in the table.",
        "Elektrische Leistung der gewählten Orte, Summe der Zähler (gemessene Leistung, sonst Energie durch Zeit). Gestrichelt: Mittel derselben Stunden der vier Wochen davor, dieselben Zähler. Nachts oder am Wochenende darüber: etwas blieb an; den Ort in der Tabelle suchen.",
    ),
    sql=(
        "SELECT start AS time, l.metric, l.value FROM (\n"
        "SELECT start, sum(value)::float8 AS value, sum(usual)::float8 AS usual FROM (\n"
        + load_and_usual()
        + "\n) w WHERE value IS NOT NULL AND usual IS NOT NULL GROUP BY 1) s\n"
        f"CROSS JOIN LATERAL (VALUES ({said(text('charge', 'load', 'Last'))}, value),\n"
        f"                           ({said(USUAL)}, usual)) l (metric, value)\n"
        " ORDER BY 1, 2"
    ),
    columns=COURSE,
    unit=KW,
    quiet=text(
        "Pas encore deux semaines de mesures dans ces lieux.",
        "Not yet two weeks of measurements at these sites.",
        "Noch keine zwei Wochen Messung an diesen Orten.",
    ),
    floor=0,
    dashed=DASHED,
    span=24,
    height=9,
)  # fmt: skip

_LIVE = Panel(
    kind=Kind.COURSE,
    title=text("Puissance, en direct", "Power, live", "Leistung, live"),
    description=text(
        f"Chaque mesure des six dernières heures au plus de la période ; sur une période plus longue, moyennes par fenêtre. Les {TOP} capteurs de puissance les plus forts. Un palier plat : capteur bloqué ; une chute à zéro : coupure.",
        f"Every reading of at most the last six hours of the range; over a longer range, means by window. The {TOP} strongest power sensors. A flat line: stuck sensor; a fall to zero: an outage.",
        f"Jeder Messwert der höchstens letzten sechs Stunden des Zeitraums; bei längerem Zeitraum Mittel je Fenster. Die {TOP} stärksten Leistungssensoren. Gerade Linie: Sensor hängt; Fall auf null: Ausfall.",
    ),
    sql=(
        "WITH f AS MATERIALIZED (\n"
        "SELECT time AS start, series_id, value FROM reader.energy_readings\n"
        " WHERE $__timeFilter(time) AND time > $__timeTo()::timestamptz - interval '6 hours'\n"
        "   AND $__unixEpochTo() - $__unixEpochFrom() <= 21600\n"
        f"   AND metric = 'power' AND flag < 4 AND value IS NOT NULL AND {CHOSEN}\n"
        "UNION ALL SELECT start, series_id, value FROM (\n"
        + windows(
            Domain.ENERGY, "start, series_id, mean AS value",
            "$__unixEpochTo() - $__unixEpochFrom() > 21600\n"
            f"   AND metric = 'power' AND mean IS NOT NULL AND {CHOSEN}",
        )
        + ") w),\n"
        "best AS MATERIALIZED (SELECT series_id FROM f GROUP BY 1\n"
        f"  ORDER BY avg(value) DESC, 1 LIMIT {TOP})\n"
        "SELECT start AS time, label AS metric, avg(value)::float8 AS value\n"
        f"  FROM f JOIN best USING (series_id) JOIN ({series_labels('energy')}) n USING (series_id)\n"
        " GROUP BY 1, 2 ORDER BY 1, 2"
    ),
    columns=COURSE,
    unit=KW,
    quiet=text(
        "Aucun capteur de puissance n'a parlé dans ces lieux.",
        "No power sensor spoke at these sites.",
        "Kein Leistungssensor hat sich an diesen Orten gemeldet.",
    ),
    live=True,
)  # fmt: skip

_BY_SITE = Panel(
    kind=Kind.COURSE,
    title=text("Charge par lieu", "Load by site", "Last nach Orten"),
    description=text(
        f"Puissance électrique par lieu et fenêtre, les {TOP} lieux les plus forts. Un trou est une absence de mesure. À comparer d'un lieu à l'autre aux heures de fermeture.",
        f"Electric power by site and window, the {TOP} largest sites. A gap is a missing measurement. Compare sites in the hours when they are closed.",
        f"Elektrische Leistung je Ort und Zeitfenster, die {TOP} stärksten Orte. Eine Lücke ist eine fehlende Messung. Orte in ihren Schließzeiten vergleichen.",
    ),
    sql=(
        f"WITH w AS MATERIALIZED (\nSELECT start, {SITE_LABEL} AS label, value FROM (\n"
        + loads("start, site_name, territory_name")
        + "\n) w WHERE value IS NOT NULL),\n"
        f"best AS (SELECT label FROM w GROUP BY 1 ORDER BY sum(value) DESC, 1 LIMIT {TOP})\n"
        "SELECT start AS time, label AS metric, sum(value)::float8 AS value\n"
        "  FROM w JOIN best USING (label) GROUP BY 1, 2 ORDER BY 1, 2"
    ),
    columns=COURSE,
    unit=KW,
    quiet=NO_METER,
)  # fmt: skip

_SITES = Panel(
    kind=Kind.TABLE,
    title=text("Lieux face à leur profil", "Sites against their profile", "Orte gegenüber ihrem Profil"),
    description=text(
        "Charge moyenne de la période par lieu face aux mêmes heures des quatre semaines d'avant ; le plus grand dépassement en kW d'abord, 200 lignes au plus. En haut : ce qui coûte ; appeler le gestionnaire du lieu.",
        "Mean load of the range by site against the same hours of the four weeks before; the largest excess in kW first, 200 rows at most. At the top: what costs; call whoever runs the site.",
        "Mittlere Last des Zeitraums je Ort gegenüber denselben Stunden der vier Wochen davor; größte Überschreitung in kW zuerst, höchstens 200 Zeilen. Oben: was kostet; die Hausverwaltung anrufen.",
    ),
    sql=(
        "SELECT territory, site, site_name, sum(l.value)::float8 AS load,\n"
        "       sum(l.usual)::float8 AS usual, sum(l.value - l.usual)::float8 AS excess,\n"
        "       (100 * sum(l.value) / nullif(sum(l.usual), 0) - 100)::float8 AS change FROM (\n"
        "SELECT series_id, avg(value) AS value, avg(usual) AS usual FROM (\n"
        + load_and_usual()
        + "\n) w WHERE value IS NOT NULL AND usual IS NOT NULL GROUP BY 1) l\n"
        "  JOIN reader.series USING (series_id)\n"
        " GROUP BY 1, 2, 3 ORDER BY excess DESC, 3 LIMIT 200"
    ),
    columns={
        **PLACE,
        "load": Column(Type.NUMBER, text("Charge", "Load", "Last"), decimals=1),
        "usual": Column(Type.NUMBER, text("Habituelle", "Usual", "Üblich"), decimals=1),
        "excess": Column(Type.NUMBER, text("Dépassement", "Excess", "Überschreitung"), decimals=1),
        "change": Column(
            Type.NUMBER, text("Écart", "Difference", "Abweichung"), unit=grafana_unit("%"),
            decimals=0, steps=(Step(None, "green"), Step(15, "orange"), Step(30, "red")),
        ),
    },
    unit=KW,
    quiet=text(
        "Pas encore deux semaines de mesures dans ces lieux.",
        "Not yet two weeks of measurements at these sites.",
        "Noch keine zwei Wochen Messung an diesen Orten.",
    ),
    span=24,
)  # fmt: skip


def _course(name: str, title: Text, description: Text, span: int = 12) -> Panel:
    return Panel(
        kind=Kind.COURSE,
        title=title,
        description=description,
        sql=highest(name),
        columns=COURSE,
        unit=grafana_unit(indicator(name).unit),
        quiet=NO_DAY,
        span=span,
    )


_NIGHT = _course(
    "night_base",
    text("Talon nocturne", "Base load of the night", "Nächtliche Grundlast"),
    text(
        f"Heure la plus basse entre 1 h et 5 h, par nuit ; les {TOP} compteurs les plus forts. Une marche vers le haut qui reste : un appareil ajouté ou qui ne s'arrête plus (tableau des sauts).",
        f"Lowest hour from 1 to 5 o'clock, by night; the {TOP} largest meters. A step up that stays: a device added, or one that no longer stops (table of steps).",
        f"Niedrigste Stunde zwischen 1 und 5 Uhr, je Nacht; die {TOP} stärksten Zähler. Eine bleibende Stufe nach oben: ein neues Gerät oder eines, das nicht mehr abschaltet (Tabelle der Sprünge).",
    ),
)  # fmt: skip

_DAY_PEAK = _course(
    "load_peak_60min_day",
    text("Pointe du jour, 60 min", "Peak of the day, 60 min", "Tagesspitze, 60 min"),
    text(
        f"Plus forte heure d'horloge de chaque jour ; les {TOP} compteurs les plus forts. Près de la puissance souscrite : décaler des usages, ou revoir le contrat.",
        f"Highest clock hour of each day; the {TOP} largest meters. Near the subscribed power: shift uses, or review the contract.",
        f"Stärkste volle Stunde jedes Tages; die {TOP} stärksten Zähler. Nahe der bestellten Leistung: Nutzung verschieben oder Vertrag prüfen.",
    ),
)  # fmt: skip

_STEPS = Panel(
    kind=Kind.TABLE,
    title=text("Sauts du talon", "Steps of the base load", "Sprünge der Grundlast"),
    description=text(
        "Sauts du talon nocturne trouvés dans les 90 derniers jours de la période : taille, intervalle à 95 %, première nuit ; les plus récents d'abord. Vers le haut : chercher ce qui a été mis en marche cette nuit-là ; vers le bas : une économie à confirmer, ou un compteur partiel.",
        "Steps of the night's base load found in the last 90 days of the range: size, interval at 95 %, first night; newest first. Up: find what was switched on that night; down: a saving to confirm, or a meter that lost a part.",
        "Sprünge der nächtlichen Grundlast in den letzten 90 Tagen des Zeitraums: Größe, 95-%-Intervall, erste Nacht; neueste zuerst. Nach oben: suchen, was in jener Nacht eingeschaltet wurde; nach unten: Einsparung bestätigen, oder ein Zähler misst nur noch teilweise.",
    ),
    sql=(
        "SELECT territory, site, site_name, sensor, at, value AS step, low, high\n"
        "  FROM reader.energy_figures\n"
        " WHERE indicator = 'base_load_step' AND start <= $__timeTo()\n"
        "   AND start > $__timeTo()::timestamptz - interval '90 days'\n"
        f"   AND value IS NOT NULL AND value <> 0 AND {CHOSEN}\n"
        " ORDER BY at DESC NULLS LAST, abs(value) DESC LIMIT 100"
    ),
    columns={
        **PLACE,
        "sensor": SENSOR,
        "at": Column(Type.TIME, text("Première nuit", "First night", "Erste Nacht"), width=160),
        "step": Column(
            Type.NUMBER, text("Saut", "Step", "Sprung"), decimals=2,
            steps=(Step(None, "green"), Step(0, "orange")),
        ),
        "low": Column(Type.NUMBER, text("de", "from", "von"), decimals=2),
        "high": Column(Type.NUMBER, text("à", "to", "bis"), decimals=2),
    },
    unit=KW,
    quiet=text(
        "Aucun saut du talon trouvé (il faut 42 nuits connues).",
        "No step of the base load found (it takes 42 known nights).",
        "Kein Sprung der Grundlast gefunden (nötig sind 42 bekannte Nächte).",
    ),
    span=24,
)  # fmt: skip

_MONTH = (
    "base_load_month", "load_mean_month", "load_peak_month", "load_factor_month",
    "night_share_month", "weekend_share_month",
)  # fmt: skip

_PEAKS = Panel(
    kind=Kind.TABLE,
    title=text("Talon, pointes et facteur de charge", "Base load, peaks and load factor", "Grundlast, Spitzen und Lastfaktor"),
    description=text(
        "Par compteur : dernier mois connu à la fin de la période (talon, moyenne, pointe et sa date, facteur de charge, parts de la nuit et du week-end) et la plus forte pointe des jours de la période. Facteur bas : pointes à écrêter ; part de nuit ou de week-end forte dans un lieu fermé : arrêts à programmer. 200 lignes au plus.",
        "By meter: newest month known at the end of the range (base load, mean, peak and its date, load factor, shares of night and weekend) and the highest peak of the range's days. Low factor: peaks to shave; a high share of night or weekend at a closed site: program switch-offs. 200 rows at most.",
        "Je Zähler: neuester am Ende des Zeitraums bekannter Monat (Grundlast, Mittel, Spitze mit Zeitpunkt, Lastfaktor, Anteile von Nacht und Wochenende) und höchste Spitze der Tage des Zeitraums. Niedriger Faktor: Spitzen kappen; hoher Nacht- oder Wochenendanteil bei geschlossenem Ort: Abschaltungen einrichten. Höchstens 200 Zeilen.",
    ),
    sql=(
        "SELECT territory, site, site_name, sensor, label_@language AS label, base_load,\n"
        "       load_mean, load_peak, peak_at,\n"
        "       day_peak, load_factor, night_share, weekend_share FROM (\n"
        "SELECT series_id,\n"
        + ",\n".join(
            f"       (array_agg(value ORDER BY start DESC)\n"
            f"           FILTER (WHERE indicator = '{name}'))[1] AS {name.removesuffix('_month')}"
            for name in _MONTH
        )
        + ",\n       (array_agg(at ORDER BY start DESC)\n"
        "           FILTER (WHERE indicator = 'load_peak_month'))[1] AS peak_at,\n"
        "       max(value) FILTER (WHERE indicator = 'load_peak_15min_day') AS day_peak FROM (\n"
        "SELECT series_id, indicator, start, value, at FROM reader.energy_figures\n"
        f" WHERE indicator IN ({', '.join(repr(name) for name in _MONTH)})\n"
        f"   AND {beginnings('month', 3)} AND value IS NOT NULL AND {CHOSEN}\n"
        "UNION ALL\n"
        "SELECT series_id, indicator, start, value, at FROM reader.energy_figures\n"
        f" WHERE indicator = 'load_peak_15min_day' AND {DAYS} AND value IS NOT NULL\n"
        f"   AND {CHOSEN}) f GROUP BY 1) m JOIN reader.series USING (series_id)\n"
        " ORDER BY base_load DESC NULLS LAST, 3, 4, 5 LIMIT 200"
    ),
    columns={
        **PLACE,
        "sensor": SENSOR,
        "label": Column(Type.TEXT, text("Mesure", "Metric", "Messgröße")),
        "base_load": Column(Type.NUMBER, text("Talon", "Base load", "Grundlast"), decimals=1),
        "load_mean": Column(Type.NUMBER, text("Moyenne", "Mean", "Mittel"), decimals=1),
        "load_peak": Column(Type.NUMBER, text("Pointe du mois", "Peak of the month", "Monatsspitze"), decimals=1),
        "peak_at": Column(Type.TIME, text("le", "at", "am"), width=160),
        "day_peak": Column(
            Type.NUMBER, text("Pointe, 15 min, période", "Peak, 15 min, range", "Spitze, 15 min, Zeitraum"),
            decimals=1,
        ),
        "load_factor": Column(
            Type.NUMBER, text("Facteur de charge", "Load factor", "Lastfaktor"),
            unit=grafana_unit("1"), decimals=2,
        ),
        "night_share": Column(
            Type.NUMBER, text("Nuit", "Night", "Nacht"), unit=grafana_unit("%"), decimals=0
        ),
        "weekend_share": Column(
            Type.NUMBER, text("Week-end", "Weekend", "Wochenende"), unit=grafana_unit("%"),
            decimals=0,
        ),
    },
    unit=KW,
    quiet=text(
        "Pas encore un mois de charge connu dans ces lieux.",
        "No month of load known yet at these sites.",
        "Noch kein Monat Last an diesen Orten bekannt.",
    ),
    span=24,
)  # fmt: skip

LOAD = Section(
    text("Charge", "Load", "Last"), (_LOAD, _LIVE, _BY_SITE, _SITES)
)  # fmt: skip

BASE_AND_PEAKS = Section(
    text("Talon et pointes", "Base load and peaks", "Grundlast und Spitzen"),
    (_NIGHT, _DAY_PEAK, _STEPS, _PEAKS),
)
