"""How far the measurements can be trusted: capture, low-cost particles, plausibility."""

from __future__ import annotations

from dashboards.grafana.columns import PLACE, SENSOR
from dashboards.grafana.courses import series_labels
from dashboards.grafana.moment import TO, UNWATCHED, open_alerts
from dashboards.grafana.page import Section
from dashboards.grafana.pages.air_index import COVERAGE_STEPS
from dashboards.grafana.pages.air_words import COUNT_STEPS, GREY
from dashboards.grafana.panel import COURSE, VALUE, Class, Column, Kind, Panel, Type
from dashboards.grafana.queries import CHOSEN, SPAN
from dashboards.grafana.text import Text, text
from dashboards.grafana.units import grafana_unit
from dashboards.grafana.usual import said
from storage.catalogue import Domain
from storage.indicators.particles import BROKEN, FAULT_WORDS, Fault

# Figures of days are of whole local days: a look at an hour shows the day before.
_DAYS = f"start > $__timeFrom()::timestamptz - interval '2 days' AND start <= {TO}"

CAPTURED = Panel(
    kind=Kind.STAT,
    title=text("Mesures reçues", "Readings received", "Empfangene Messwerte"),
    description=text(
        "Part des mesures attendues qui ont été reçues, moyenne des capteurs d'air depuis deux jours."
        " Sous 75 % une moyenne n'est plus valable : voir la saisie par capteur.",
        "Share of the readings expected that were received, mean of the air sensors of two days."
        " Below 75 % a mean is not valid any more: see the capture by sensor.",
        "Anteil der erwarteten Messwerte, die ankamen, Mittel der Luftsensoren über zwei Tage. Unter"
        " 75 % gilt kein Mittel mehr: siehe Erfassung je Sensor.",
    ),
    sql=(
        "SELECT avg(value)::float8 AS value FROM reader.air_figures\n"
        f" WHERE indicator = 'air_coverage' AND start > {TO} - interval '2 days' AND start <= {TO}\n"
        f"   AND {CHOSEN}"
    ),
    columns={"value": VALUE},
    unit=grafana_unit("%"),
    decimals=0,
    steps=COVERAGE_STEPS,
    quiet=text("Pas encore de jour compté.", "No day counted yet.", "Noch kein Tag gezählt."),
    span=8,
    height=3,
)

SILENT = Panel(
    kind=Kind.STAT,
    title=text("Capteurs muets", "Silent sensors", "Stumme Sensoren"),
    description=text(
        "Capteurs d'air en service dont on n'entend plus rien. Vérifier sur place alimentation,"
        " batterie et réseau ; un capteur retiré se déclare : beffroi sensors retire.",
        "Air sensors in service of which nothing is heard. Check power, battery and network on the"
        " spot; say it if a sensor was taken away: beffroi sensors retire.",
        "Luftsensoren in Betrieb, von denen man nichts hört. Strom, Batterie und Netz vor Ort"
        " prüfen; einen abgebauten Sensor abmelden: beffroi sensors retire.",
    ),
    sql=(
        open_alerts("count(DISTINCT sensor)", f"domain = 'air' AND kind = 'silence' AND {CHOSEN}")
    ),
    columns={"value": VALUE},
    unit="none",
    steps=COUNT_STEPS,
    quiet=UNWATCHED,
    span=8,
    height=3,
)

_CAPTURE = Panel(
    kind=Kind.TABLE,
    title=text("Saisie par capteur, la plus faible d'abord", "Capture by sensor, the lowest first", "Erfassung je Sensor, die geringste zuerst"),
    description=text(
        "Mesures reçues sur attendues, de la période ; puis, du dernier jour, les mêmes, la part sans"
        " réserve du contrôle de qualité et les heures où le capteur parle. En tête, les séries dont rien n'est"
        " compté. 75 % sont demandés pour une moyenne, 90 % pour une année. Au plus 200 lignes.",
        "Readings received of those expected, of the range; then, of the last day, the same, the share"
        " without a doubt of the quality tests and the hours in which the sensor speaks. On top the series of which"
        " nothing is counted. 75 % are asked for a mean, 90 % for a year. At most 200 rows.",
        "Empfangene von erwarteten Messwerten im Zeitraum; dann vom letzten Tag dasselbe, der Anteil"
        " ohne Vorbehalt der Qualitätsprüfung und die Stunden, in denen der Sensor spricht. Zuoberst Reihen, von denen"
        " nichts gezählt ist. 75 % sind für ein Mittel verlangt, 90 % für ein Jahr. Höchstens 200"
        " Zeilen.",
    ),
    sql=(
        "WITH received AS (\n"
        "     SELECT subject_id AS series_id, avg(value) AS coverage\n"
        "       FROM reader.air_figures\n"
        f"      WHERE indicator = 'air_coverage' AND {_DAYS} AND {CHOSEN}\n"
        "      GROUP BY 1),\n"
        "newest AS (\n"
        "     SELECT DISTINCT ON (subject_id, indicator) subject_id AS series_id, indicator, value\n"
        "       FROM reader.air_figures\n"
        "      WHERE indicator IN ('air_coverage', 'air_good_share', 'air_availability')\n"
        f"        AND start > {TO} - interval '2 days' AND start <= {TO} AND {CHOSEN}\n"
        "      ORDER BY subject_id, indicator, start DESC),\n"
        "told AS (\n"
        "     SELECT series_id, max(value) FILTER (WHERE indicator = 'air_coverage') AS newest,\n"
        "            max(value) FILTER (WHERE indicator = 'air_good_share') AS good,\n"
        "            max(value) FILTER (WHERE indicator = 'air_availability') AS available\n"
        "       FROM newest GROUP BY 1)\n"
        "SELECT s.territory, s.site, s.site_name, s.sensor, s.label_@language AS measured,\n"
        "       r.coverage::float8 AS coverage, t.newest::float8 AS newest, t.good::float8 AS good,\n"
        "       t.available::float8 AS available\n"
        "  FROM reader.series s LEFT JOIN received r USING (series_id)\n"
        "  LEFT JOIN told t USING (series_id)\n"
        f" WHERE s.domain = 'air' AND s.in_service AND s.step_s > 0 AND {CHOSEN}\n"
        " ORDER BY r.coverage NULLS FIRST, s.site_name, s.sensor, s.metric LIMIT 200"
    ),
    columns={
        **PLACE,
        "sensor": SENSOR,
        "measured": Column(Type.TEXT, text("Mesure", "Metric", "Messgröße")),
        "coverage": Column(Type.NUMBER, text("Reçu, période", "Received, range", "Empfangen, Zeitraum"), unit="percent", decimals=0, steps=COVERAGE_STEPS, gauge=True),
        "newest": Column(Type.NUMBER, text("Dernier jour", "Last day", "Letzter Tag"), unit="percent", decimals=0, steps=COVERAGE_STEPS),
        "good": Column(Type.NUMBER, text("Sans réserve", "Without a doubt", "Ohne Vorbehalt"), unit="percent", decimals=0, steps=COVERAGE_STEPS),
        "available": Column(Type.NUMBER, text("Heures parlées", "Hours spoken", "Gesprochene Stunden"), unit="percent", decimals=0, steps=COVERAGE_STEPS),
    },
    unit="percent",
    quiet=text(
        "Aucun capteur d'air à cadence fixe dans ces lieux.",
        "No air sensor with a fixed step at these sites.",
        "Kein Luftsensor mit festem Takt an diesen Orten.",
    ),
    span=24,
    height=10,
)  # fmt: skip

_DAY_S = 86400
_MONTH_S = 31 * _DAY_S
_RAW = text("brut", "raw", "roh")
_FIXED = text("corrigé", "corrected", "korrigiert")


# Six sensors: two lines each. Those that were corrected at the end of the range, the highest first.
_CORRECTED_SQL = f"""\
WITH names AS MATERIALIZED ({series_labels(Domain.AIR)}),
chosen AS MATERIALIZED (
     SELECT series_id, label FROM (
     SELECT subject_id AS series_id
       FROM reader.air_figures
      WHERE indicator = 'pm_corrected' AND start > {TO} - interval '2 days' AND start <= {TO}
        AND metric = 'pm25' AND {CHOSEN}
      GROUP BY 1 ORDER BY max(value) DESC NULLS LAST, 1 LIMIT 6) c JOIN names USING (series_id)),
hours AS (
     SELECT start, territory, series_id, {said(_FIXED)} AS word, value
       FROM reader.air_figures
      WHERE indicator = 'pm_corrected'
        AND subject_id = ANY (ARRAY(SELECT series_id FROM chosen))
        AND $__timeFilter(start) AND {CHOSEN}
     UNION ALL
     SELECT start, territory, series_id, {said(_RAW)}, mean
       FROM reader.{Domain.AIR}_hours
      WHERE series_id = ANY (ARRAY(SELECT series_id FROM chosen)) AND $__timeFilter(start)
        AND {SPAN} <= {_MONTH_S} AND {CHOSEN}
     UNION ALL
     SELECT start, territory, series_id, {said(_RAW)}, mean
       FROM reader.{Domain.AIR}_days
      WHERE series_id = ANY (ARRAY(SELECT series_id FROM chosen)) AND $__timeFilter(start)
        AND {SPAN} > {_MONTH_S} AND {CHOSEN})
SELECT CASE WHEN {SPAN} > {_MONTH_S} THEN date_trunc('day', start, timezone) ELSE start END AS time,
       label || ' · ' || word AS metric, avg(value)::float8 AS value
  FROM hours JOIN chosen USING (series_id)
  JOIN (SELECT territory, timezone FROM reader.territories) t USING (territory)
 GROUP BY 1, 2 ORDER BY 1, 2"""

_CORRECTED = Panel(
    kind=Kind.COURSE,
    title=text(
        "Particules fines à bas coût : corrigé et brut (indicatif)",
        "Low-cost fine particles: corrected and raw (indicative)",
        "Günstige Feinstaubsensoren: korrigiert und roh (orientierend)",
    ),
    description=text(
        "PM2,5 des capteurs à bas coût corrigés de l'humidité, à côté de ce qu'ils ont envoyé (tirets)."
        " Les six plus hauts ; par jour au-delà de 31 jours. Mesure indicative : ne prouve aucun"
        " dépassement. Un trou dans la ligne pleine : air trop humide ou humidité inconnue.",
        "PM2.5 of low-cost sensors corrected for humidity beside what they sent (dashed). The six"
        " highest; by day beyond 31 days. Indicative: it proves no exceedance. A gap in the full"
        " line: air too humid, or humidity unknown.",
        "PM2,5 günstiger Sensoren, feuchtekorrigiert, neben dem, was sie sandten (gestrichelt). Die"
        " sechs höchsten; ab 31 Tagen je Tag. Orientierend: beweist keine Überschreitung. Eine Lücke"
        " der vollen Linie: zu feuchte Luft oder unbekannte Feuchte.",
    ),
    sql=_CORRECTED_SQL,
    columns=COURSE,
    unit=grafana_unit("ug/m3"),
    dashed="· (brut|raw|roh)$",
    floor=0,
    quiet=text(
        "Aucun capteur de particules à bas coût à corriger ici.",
        "No low-cost particle sensor to correct here.",
        "Hier ist kein günstiger Feinstaubsensor zu korrigieren.",
    ),
    span=24,
)

_FAULTS: dict[Fault, Text] = {
    Fault.HUMID: text("humide (70 % et plus)", "humid (70 % and more)", "feucht (70 % und mehr)"),
    Fault.TOO_HUMID: text("trop humide (95 % et plus)", "too humid (95 % and more)", "zu feucht (95 % und mehr)"),
    Fault.NO_HUMIDITY: text("humidité inconnue", "no humidity", "Feuchte unbekannt"),
    Fault.FINE_ABOVE_COARSE: text("PM2,5 au-dessus de PM10", "PM2.5 above PM10", "PM2,5 über PM10"),
    Fault.ZERO: text("zéro pendant une heure", "zero for a whole hour", "eine Stunde lang null"),
    Fault.END_OF_SCALE: text("fin d'échelle", "end of the scale", "Messbereichsende"),
}  # fmt: skip
_REASONS = tuple(
    Class(
        bit,
        _FAULTS[fault],
        "red" if fault & BROKEN else "orange" if fault is Fault.TOO_HUMID else GREY,
    )
    for bit, fault in enumerate(Fault)
)
_WORDS = ", ".join(f"'{word}'" for word in FAULT_WORDS)

_PLAUSIBLE = Panel(
    kind=Kind.TABLE,
    title=text(
        "Capteurs de particules : plausibilité", "Particle sensors: plausibility",
        "Feinstaubsensoren: Plausibilität",
    ),
    description=text(
        "Heures plausibles des 7 derniers jours de la période et ce qui parle le plus souvent contre"
        " les autres. Rouge : capteur en défaut, à nettoyer ou à remplacer ; humide : moins sûr,"
        " rien à faire.",
        "Plausible hours of the last 7 days of the range, and what speaks against hours most often."
        " Red: the sensor is at fault, clean or replace it; humid: less sure, nothing to do.",
        "Plausible Stunden der letzten 7 Tage des Zeitraums und was am häufigsten gegen Stunden"
        " spricht. Rot: Sensor gestört, reinigen oder tauschen; feucht: weniger sicher, nichts zu"
        " tun.",
    ),
    sql=(
        "WITH hours AS (\n"
        "     SELECT subject_id, territory, site, site_name, sensor, metric, value, words\n"
        "       FROM reader.air_figures\n"
        f"      WHERE indicator = 'pm_plausible' AND start > {TO} - interval '7 days'\n"
        f"        AND start <= {TO} AND {CHOSEN}),\n"
        "reasons AS (\n"
        "     SELECT DISTINCT ON (subject_id) subject_id,\n"
        f"            array_position(ARRAY[{_WORDS}], word) - 1 AS reason, count(*) AS hours\n"
        "       FROM hours CROSS JOIN unnest(words) AS word\n"
        "      GROUP BY subject_id, word ORDER BY subject_id, count(*) DESC, word)\n"
        "SELECT h.territory, h.site, h.site_name, h.sensor, m.label_@language AS measured,\n"
        "       (100.0 * avg(h.value))::float8 AS plausible, r.reason, r.hours AS hours\n"
        "  FROM hours h JOIN reader.metrics m USING (metric)\n"
        "  LEFT JOIN reasons r USING (subject_id)\n"
        " GROUP BY h.subject_id, 1, 2, 3, 4, 5, r.reason, r.hours\n"
        " ORDER BY 6 NULLS FIRST, 3, 4 LIMIT 100"
    ),
    columns={
        **PLACE,
        "sensor": SENSOR,
        "measured": Column(Type.TEXT, text("Mesure", "Metric", "Messgröße")),
        "plausible": Column(Type.NUMBER, text("Heures plausibles", "Plausible hours", "Plausible Stunden"), unit="percent", decimals=0, steps=COVERAGE_STEPS, gauge=True),
        "reason": Column(Type.NUMBER, text("Le plus souvent", "Most often", "Am häufigsten"), classes=_REASONS),
        "hours": Column(Type.NUMBER, text("heures", "hours", "Stunden"), unit="none"),
    },
    unit="none",
    quiet=text(
        "Aucun capteur de particules à juger ici.",
        "No particle sensor to judge here.",
        "Hier ist kein Feinstaubsensor zu beurteilen.",
    ),
    span=24,
    height=8,
)  # fmt: skip

TRUST = Section(
    text("Saisie et plausibilité", "Capture and plausibility", "Erfassung und Plausibilität"),
    (_CAPTURE, _CORRECTED, _PLAUSIBLE),
)
