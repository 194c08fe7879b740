"""Sensor health: courses over days, drifts, and what was changed."""

from __future__ import annotations

from dashboards.grafana.pages.sensors_figures import DAYS_OF_COURSE, SERIES, daily
from dashboards.grafana.pages.sensors_words import (
    CHANGE_SQL,
    KIND_SQL,
    MEASURED,
    PLACE,
    PROBLEM,
    SENSOR,
)
from dashboards.grafana.panel import COURSE, TIME, VALUE, Column, Kind, Panel, Step, Type
from dashboards.grafana.queries import CHOSEN
from dashboards.grafana.text import Text, text
from dashboards.grafana.units import DURATION, grafana_unit
from dashboards.grafana.words import words
from storage.catalogue import Domain

TRADES: dict[str, Text] = {
    Domain.AIR: text("air", "air", "Luft"),
    Domain.MOBILITY: text("mobilité", "mobility", "Mobilität"),
    Domain.ENERGY: text("énergie", "energy", "Energie"),
}
_NO_DAY = text(
    "Aucun jour complet dans cette période : élargir à 2 jours au moins.",
    "No whole day in this range: choose 2 days or more.",
    "Kein ganzer Tag in diesem Zeitraum: mindestens 2 Tage wählen.",
)
_END = text(
    f" D'une période plus longue, les {DAYS_OF_COURSE} derniers jours.",
    f" Of a longer range the last {DAYS_OF_COURSE} days.",
    f" Von längeren Zeiträumen die letzten {DAYS_OF_COURSE} Tage.",
)
_PERCENT = grafana_unit("%")
_DELAYS = {
    "mean": text("moyenne", "mean", "Mittel"),
    "most": text("maximum", "latest", "späteste"),
}
_MEAN, _MOST = words("'mean'", _DELAYS), words("'most'", _DELAYS)


def _with(first: Text, second: Text) -> Text:
    return {language: first[language] + second[language] for language in first}


def _share(name: str, title: Text, description: Text) -> Panel:
    """One line per trade: sums of a day over all chosen series."""
    return Panel(
        kind=Kind.COURSE,
        title=title,
        description=_with(description, _END),
        sql=(
            f"SELECT start AS time, {words('trade', TRADES)} AS metric,\n"
            "       (100.0 * sum(n) / nullif(sum(due), 0))::float8 AS value FROM (\n"
            + daily(name, "start, trade, least(n, due) AS n, due", DAYS_OF_COURSE)
            + "\n) d GROUP BY start, trade ORDER BY 1, 2"
        ),
        columns=COURSE,
        unit=_PERCENT,
        quiet=_NO_DAY,
        steps=(Step(None, "transparent"), Step(75, "orange")),
        lines=True,
        ceiling=100,
    )


def delays(where: str) -> Panel:
    """Mean and longest delay by hour of reception, where `where` holds."""
    return Panel(
        kind=Kind.COURSE,
        title=text("Retard des mesures", "Delay of readings", "Verspätung der Messwerte"),
        description=text(
            "Par heure de réception, de l'horodatage à la réception : moyenne de toutes les mesures"
            " et la plus en retard ; d'une période plus longue, les 3 derniers jours. Une pointe du"
            " maximum seul est un rattrapage ; une moyenne qui monte, un réseau saturé.",
            "By hour of reception, from time stamp to reception: mean of all readings, and the"
            " latest one; of a longer range the last 3 days. A peak of the maximum alone is a"
            " catch-up; a rising mean, a network that is full.",
            "Je Empfangsstunde, vom Zeitstempel bis zum Empfang: Mittel aller Messwerte und der"
            " späteste; von längeren Zeiträumen die letzten 3 Tage. Eine Spitze nur des Maximums"
            " ist ein Nachholen; ein steigendes Mittel ein volles Netz.",
        ),
        sql=(
            "SELECT hour AS time, m.metric, m.value\n"
            "  FROM (SELECT hour, sum(mean_s * readings) / sum(readings) AS mean, max(max_s) AS most\n"
            "          FROM reader.delays\n"
            "         WHERE $__timeFilter(hour)\n"
            "           AND hour > $__timeTo()::timestamptz - interval '3 days'\n"
            f"           AND {where}\n         GROUP BY hour) d\n"
            " CROSS JOIN LATERAL (VALUES\n"
            f"       ({_MEAN}, mean),\n       ({_MOST}, most)) m (metric, value)\n ORDER BY 1, 2"
        ),
        columns=COURSE,
        unit=DURATION,
        quiet=text(
            "Aucun retard connu dans cette période.",
            "No delay known in this range.",
            "In diesem Zeitraum ist keine Verspätung bekannt.",
        ),
        floor=0,
    )


COURSES: tuple[Panel, ...] = (
    _share(
        "coverage",
        text("Mesures reçues par jour", "Readings received by day", "Empfangene Messwerte je Tag"),
        text(
            "Par jour et par métier. Une chute d'un jour à l'autre est une panne du réseau ou d'une"
            " passerelle ; une pente, des batteries qui s'épuisent. Ligne : 75 %, le minimum"
            " réglementaire de l'air.",
            "By day and trade. A fall from one day to the next is a failure of network or gateway;"
            " a slope, batteries running low. Line: 75 %, the least that air regulations ask.",
            "Je Tag und Fachgebiet. Ein Sturz von einem Tag zum nächsten ist ein Ausfall von Netz"
            " oder Gateway; ein Gefälle sind schwächer werdende Batterien. Linie: 75 %, das"
            " amtliche Mindestmaß der Luft.",
        ),
    ),
    _share(
        "good_share",
        text(
            "Mesures sans réserve sur reçues",
            "Undoubted readings of those received",
            "Unbezweifelte von empfangenen Messwerten",
        ),
        text(
            "Par jour et par métier ; le reste est suspect : pic isolé, valeur figée, variation trop"
            " rapide, hors limites. En baisse : voir le tableau des pires séries.",
            "By day and trade; the rest is suspect: lone spike, flat line, too fast a change, out of"
            " range. Falling: see the table of the worst series.",
            "Je Tag und Fachgebiet; der Rest ist verdächtig: einzelne Spitze, stehender Wert, zu"
            " schnelle Änderung, außerhalb des Bereichs. Fallend: Tabelle der schlechtesten Reihen.",
        ),
    ),
    Panel(
        kind=Kind.COURSE,
        title=text("Alertes ouvertes par jour", "Alerts opened by day", "Neue Warnungen je Tag"),
        description=text(
            "Alertes de capteurs par jour d'ouverture, par motif. Un jour haut de silences est une"
            " panne commune.",
            "Alerts of sensors by the day they opened, by kind. A high day of silence is one common"
            " failure.",
            "Sensorwarnungen nach dem Tag, an dem sie sich öffneten, je Art. Ein hoher Tag der"
            " Stille ist ein gemeinsamer Ausfall.",
        ),
        sql=(
            "SELECT date_trunc('day', opened_at, timezone) AS time,\n"
            f"       {KIND_SQL} AS metric,\n       count(*)::float8 AS value\n"
            f"  FROM reader.alerts\n WHERE $__timeFilter(opened_at) AND {CHOSEN}\n"
            " GROUP BY 1, kind ORDER BY 1, 2"
        ),
        columns=COURSE,
        unit=grafana_unit("1"),
        quiet=text(
            "Aucune alerte ouverte dans cette période.",
            "No alert opened in this range.",
            "In diesem Zeitraum öffnete sich keine Warnung.",
        ),
        decimals=0,
        bars=True,
        stacked=True,
        floor=0,
    ),
    delays(CHOSEN),
)

# The median of the first and of the last week of the four before the end of the range.
_CHANGES = """
SELECT f.series_id,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY f.value)
         FILTER (WHERE f.start > $__timeTo()::timestamptz - interval '7 days') AS now,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY f.value)
         FILTER (WHERE f.start <= $__timeTo()::timestamptz - interval '21 days') AS before,
       stddev_samp(f.value) AS scatter
  FROM reader.air_figures f
 WHERE f.indicator = 'air_neighbour_difference' AND NOT f.provisional
   AND f.start > $__timeTo()::timestamptz - interval '28 days'
   AND f.start <= $__timeTo()::timestamptz
   AND f.territory IN ($territory) AND f.site IN ($site)
 GROUP BY f.series_id
""".strip()

_NO_NEIGHBOUR = text(
    "Pas d'écart connu : il faut trois voisins de la même mesure et quatre semaines.",
    "No difference known: it takes three neighbours of the metric and four weeks.",
    "Kein Abstand bekannt: nötig sind drei Nachbarn derselben Messgröße und vier Wochen.",
)

DRIFTS: tuple[Panel, ...] = (
    Panel(
        kind=Kind.TABLE,
        title=text(
            "Écart aux voisins, la plus forte dérive d'abord",
            "Difference to the neighbours, strongest drift first",
            "Abstand zu den Nachbarn, stärkste Drift zuerst",
        ),
        description=text(
            "Médiane du jour moins celle des autres séries de la même mesure dans la commune :"
            " dernière semaine contre celle d'il y a quatre semaines, classée par rapport à la"
            " dispersion. À faire au-dessus de 3 : nettoyer, étalonner, puis beffroi readings"
            " correct.",
            "Median of the day less that of the other series of the metric in the territory: last"
            " week against the one four weeks ago, by its ratio to the scatter. To do above 3:"
            " clean, calibrate, then beffroi readings correct.",
            "Tagesmedian abzüglich dem der anderen Reihen der Messgröße in der Gemeinde: letzte"
            " Woche gegen die vor vier Wochen, geordnet im Verhältnis zur Streuung. Über 3:"
            " reinigen, kalibrieren, dann beffroi readings correct.",
        ),
        sql=(
            f"WITH s AS MATERIALIZED ({SERIES})\n"
            "SELECT s.territory, s.site, s.site_name, s.sensor, s.label_@language AS measured,\n"
            "       d.before, d.now, s.unit,\n"
            "       (abs(d.now - d.before) / nullif(d.scatter, 0))::float8 AS ratio\n"
            f"  FROM (\n{_CHANGES}\n) d\n  JOIN s ON s.series_id = d.series_id\n"
            " WHERE d.now IS NOT NULL AND d.before IS NOT NULL\n"
            " ORDER BY ratio DESC NULLS LAST LIMIT 50"
        ),
        columns={
            **PLACE,
            "sensor": SENSOR,
            "measured": MEASURED,
            "before": Column(
                Type.NUMBER, text("Il y a 4 semaines", "4 weeks ago", "Vor 4 Wochen"), decimals=1
            ),
            "now": Column(
                Type.NUMBER, text("Cette semaine", "This week", "Diese Woche"), decimals=1
            ),
            "unit": Column(Type.TEXT, text("Unité", "Unit", "Einheit")),
            "ratio": Column(
                Type.NUMBER,
                text("Dérive / dispersion", "Drift / scatter", "Drift / Streuung"),
                decimals=1,
                steps=(Step(None, "green"), Step(2, "orange"), Step(3, "red")),
            ),
        },
        unit="none",
        quiet=_NO_NEIGHBOUR,
        span=12,
        height=10,
    ),
    Panel(
        kind=Kind.COURSE,
        title=text(
            "Écart aux voisins des 8 plus fortes dérives",
            "Difference to the neighbours of the 8 strongest drifts",
            "Abstand zu den Nachbarn der 8 stärksten Driften",
        ),
        description=text(
            "Par jour, dans l'unité de chaque mesure. Une pente est une dérive, une marche un saut ;"
            " un écart constant tient au lieu." + _END["fr"],
            "By day, in each metric's unit. A slope is a drift, a stair a jump; a constant"
            " difference is that of the place." + _END["en"],
            "Je Tag, in der Einheit jeder Messgröße. Ein Gefälle ist eine Drift, eine Stufe ein"
            " Sprung; ein gleichbleibender Abstand liegt am Ort." + _END["de"],
        ),
        sql=(
            "SELECT f.start AS time,\n"
            "       f.site_name || ' · ' || f.sensor || ' · ' || m.label_@language AS metric,\n"
            "       f.value\n  FROM reader.air_figures f JOIN reader.metrics m USING (metric)\n"
            " WHERE f.indicator = 'air_neighbour_difference' AND $__timeFilter(f.start)\n"
            f"   AND f.start > $__timeTo()::timestamptz - interval '{DAYS_OF_COURSE} days'\n"
            "   AND NOT f.provisional AND f.series_id IN (\n"
            f"       SELECT d.series_id FROM (\n{_CHANGES}\n) d\n"
            "        WHERE d.now IS NOT NULL AND d.before IS NOT NULL\n"
            "        ORDER BY abs(d.now - d.before) / nullif(d.scatter, 0) DESC NULLS LAST LIMIT 8)\n"
            " ORDER BY 1, 2"
        ),
        columns={"time": TIME, "metric": Column(Type.TEXT), "value": VALUE},
        unit="none",
        quiet=_NO_NEIGHBOUR,
        span=12,
        height=10,
    ),
)

PAST: tuple[Panel, ...] = (
    Panel(
        kind=Kind.TABLE,
        title=text("Alertes refermées", "Closed alerts", "Geschlossene Warnungen"),
        description=text(
            "Alertes refermées dans la période, la plus récente d'abord (200 au plus) : combien de"
            " temps chaque panne a duré. Une série qui revient souvent mérite un remplacement.",
            "Alerts closed in the range, newest first (200 at most): how long each failure lasted. A"
            " series that comes back often should be replaced.",
            "Im Zeitraum geschlossene Warnungen, neueste zuerst (höchstens 200): wie lange jeder"
            " Ausfall dauerte. Eine Reihe, die oft wiederkehrt, sollte ersetzt werden.",
        ),
        sql=(
            "SELECT territory, site, site_name, sensor, label_@language AS measured,\n"
            f"       {KIND_SQL} AS problem,\n       since, closed_at,\n"
            "       extract(epoch FROM closed_at - since)::float8 AS lasted\n"
            f"  FROM reader.alerts\n WHERE $__timeFilter(closed_at) AND {CHOSEN}\n"
            " ORDER BY closed_at DESC LIMIT 200"
        ),
        columns={
            **PLACE,
            "sensor": SENSOR,
            "measured": MEASURED,
            "problem": PROBLEM,
            "since": Column(Type.TIME, text("Depuis", "Since", "Seit")),
            "closed_at": Column(Type.TIME, text("Jusqu'au", "Until", "Bis")),
            "lasted": Column(Type.NUMBER, text("Durée", "Length", "Dauer"), unit=DURATION),
        },
        unit="none",
        quiet=text(
            "Aucune alerte refermée dans cette période.",
            "No alert closed in this range.",
            "In diesem Zeitraum schloss sich keine Warnung.",
        ),
        span=14,
    ),
    Panel(
        kind=Kind.TABLE,
        title=text(
            "Changements d'inscription", "Changes of the registry", "Änderungen der Anmeldung"
        ),
        description=text(
            "Capteurs ajoutés, modifiés, déplacés ou retirés dans la période, et combien de mesures"
            " étaient déjà là. Un saut de niveau le même jour s'explique souvent ici ; beffroi"
            " sensors history dit qui et pourquoi.",
            "Sensors added, changed, moved or retired in the range, and how many readings were there"
            " already. A jump of level on the same day is often explained here; beffroi sensors"
            " history says who and why.",
            "Im Zeitraum neue, geänderte, umgezogene oder abgemeldete Sensoren, und wie viele"
            " Messwerte schon da waren. Ein Niveausprung am selben Tag erklärt sich oft hier;"
            " beffroi sensors history sagt wer und warum.",
        ),
        sql=(
            "SELECT territory, site, site_name, sensor,\n"
            f"       {CHANGE_SQL} AS change, done_at, nullif(since, '-infinity') AS since, readings\n"
            f"  FROM reader.changes\n WHERE $__timeFilter(done_at) AND {CHOSEN}\n"
            " ORDER BY done_at DESC LIMIT 200"
        ),
        columns={
            **PLACE,
            "sensor": SENSOR,
            "change": Column(Type.TEXT, text("Changement", "Change", "Änderung")),
            "done_at": Column(Type.TIME, text("Fait le", "Done", "Getan")),
            "since": Column(
                Type.TIME,
                text("Valable depuis", "In force since", "Gilt seit"),
            ),
            "readings": Column(
                Type.NUMBER, text("Mesures", "Readings", "Messwerte"), decimals=0, width=100
            ),
        },
        unit="none",
        quiet=text(
            "Aucun changement dans cette période.",
            "No change in this range.",
            "Keine Änderung in diesem Zeitraum.",
        ),
        span=10,
    ),
)
