"""The index: how bad the air is now, where, since when and because of what."""

from __future__ import annotations

from dataclasses import replace

from dashboards.grafana.columns import MAPPED, PLACE
from dashboards.grafana.courses import SITE_LABEL
from dashboards.grafana.moment import TO
from dashboards.grafana.page import Section
from dashboards.grafana.pages.air_words import ATMO, COUNT_STEPS, EAQI, POOR, RESERVATIONS
from dashboards.grafana.panel import COURSE, VALUE, Column, Kind, Panel, Step, Type
from dashboards.grafana.queries import CHOSEN, SPAN
from dashboards.grafana.text import text
from storage.indicators.air import INDEX_POLLUTANTS

NEWEST_HOURS = 4
"""An index is made once an hour is over, and of what has come in; older ones are not now."""

_MONTH = 31 * 86400
_NO_INDEX = text(
    "Aucun indice ces dernières heures : vérifier les capteurs.",
    "No index in the last hours: look at the sensors.",
    "Kein Index in den letzten Stunden: Sensoren prüfen.",
)

INDEX_NOW = (
    "SELECT DISTINCT ON (territory, site) territory, site, start, value\n"
    "  FROM reader.air_figures\n"
    f" WHERE indicator = 'eaqi' AND start > {TO} - interval '{NEWEST_HOURS} hours'\n"
    f"   AND start <= {TO} AND value IS NOT NULL AND {CHOSEN}\n"
    " ORDER BY territory, site, start DESC"
)
"""Newest class of every site: territory, site, start, value."""

WORST = Panel(
    kind=Kind.STAT,
    title=text("Pire classe en ce moment", "Worst class now", "Schlechteste Klasse jetzt"),
    description=text(
        "Indice européen (EAQI) le plus mauvais des lieux choisis, dans les 4 dernières heures."
        " Calculé ici, sans valeur officielle. Mauvais ou pire : voir le tableau des lieux et les"
        " seuils franchis.",
        "The worst European index (EAQI) of the chosen sites within the last 4 hours. Computed"
        " here, not official. Poor or worse: see the table of sites and the thresholds passed.",
        "Der schlechteste europäische Index (EAQI) der gewählten Orte in den letzten 4 Stunden."
        " Hier berechnet, nicht amtlich. Schlecht oder schlimmer: Tabelle der Orte und"
        " überschrittene Schwellen ansehen.",
    ),
    sql=f"SELECT max(value)::float8 AS value FROM (\n{INDEX_NOW}\n) i",
    columns={"value": replace(VALUE, filled=True)},
    unit="none",
    classes=EAQI,
    quiet=_NO_INDEX,
    span=8,
    height=3,
)

POOR_SITES = Panel(
    kind=Kind.STAT,
    title=text("Lieux en air mauvais", "Sites with poor air", "Orte mit schlechter Luft"),
    description=text(
        "Lieux dont l'indice européen est « mauvais » ou pire dans les 4 dernières heures.",
        "Sites whose European index is poor or worse within the last 4 hours.",
        "Orte, deren europäischer Index in den letzten 4 Stunden schlecht oder schlimmer ist.",
    ),
    sql=(
        f"SELECT CASE WHEN count(*) > 0 THEN count(*) FILTER (WHERE value >= {POOR}) END AS value\n"
        f"  FROM (\n{INDEX_NOW}\n) i"
    ),
    columns={"value": VALUE},
    unit="none",
    steps=COUNT_STEPS,
    quiet=_NO_INDEX,
    span=8,
    height=3,
)

MOST = 15
"""Lines of a panel; a city may have hundreds."""

_RANGE = f"start > $__timeFrom()::timestamptz - interval '1 day' AND start <= {TO}"

# Sites are chosen by their days, which are few; hours are read of those only: the hours of a
# year of 50 sites would take seconds.
_HOURS = f"""\
WITH chosen AS (
     SELECT subject_id
       FROM reader.air_figures
      WHERE indicator = 'atmo_site' AND {_RANGE} AND {CHOSEN}
      GROUP BY 1 ORDER BY avg(value) DESC NULLS LAST, 1 LIMIT {MOST})
SELECT CASE WHEN {SPAN} > {_MONTH} THEN date_trunc('day', start, timezone) ELSE start END AS time,
       {SITE_LABEL} AS metric, max(value)::float8 AS value
  FROM reader.air_figures
  JOIN (SELECT territory, timezone FROM reader.territories) t USING (territory)
 WHERE indicator = 'eaqi' AND subject_id = ANY (ARRAY(SELECT subject_id FROM chosen))
   AND $__timeFilter(start) AND {CHOSEN}
 GROUP BY 1, 2 ORDER BY 1, 2"""

_DAYS = f"""\
WITH days AS (
     SELECT start AS time, {SITE_LABEL} AS metric, value
       FROM reader.air_figures
      WHERE indicator = 'atmo_site' AND {_RANGE} AND {CHOSEN}
     UNION ALL
     SELECT start, territory_name, value
       FROM reader.air_figures
      WHERE indicator = 'atmo_territory' AND {_RANGE} AND territory IN ($territory)),
chosen AS (
     SELECT metric FROM days
      GROUP BY 1 ORDER BY avg(value) DESC NULLS LAST, 1 LIMIT {MOST})
SELECT time, metric, max(value)::float8 AS value
  FROM days WHERE metric IN (SELECT metric FROM chosen) GROUP BY 1, 2 ORDER BY 1, 2"""

_STATES = Panel(
    kind=Kind.STATES,
    title=text("Indice européen par lieu", "European index by site", "Europäischer Index je Ort"),
    description=text(
        "Classe de chaque heure (EAQI), la pire heure de chaque jour au-delà de 31 jours. Les 15"
        " lieux où l'air est le plus mauvais (moyenne de l'indice du jour). Un trou : trop peu de polluants mesurés.",
        "Class of every hour (EAQI), beyond 31 days the worst hour of each day. The 15 sites with"
        " the worst air (mean of the index of the day). A gap: too few pollutants were measured.",
        "Klasse jeder Stunde (EAQI), ab 31 Tagen die schlechteste Stunde jedes Tages. Die 15 Orte"
        " mit der schlechtesten Luft (Mittel des Tagesindex). Eine Lücke: zu wenige Schadstoffe gemessen.",
    ),
    sql=_HOURS,
    columns=COURSE,
    unit="none",
    classes=EAQI,
    quiet=text(
        "Aucun indice sur cette période : il faut des polluants mesurés pendant une heure.",
        "No index in this range: pollutants must have been measured for an hour.",
        "Kein Index in diesem Zeitraum: Schadstoffe müssen eine Stunde lang gemessen sein.",
    ),
    span=24,
    height=10,
)

_ATMO_STATES = Panel(
    kind=Kind.STATES,
    title=text(
        "Indice français du jour (ATMO)", "French index of the day (ATMO)",
        "Französischer Tagesindex (ATMO)",
    ),
    description=text(
        "Classe de chaque jour selon l'arrêté du 10 juillet 2020, par commune puis par lieu"
        " (les 15 plus mauvais). Calculée ici, sans valeur officielle ; le jour en cours est"
        " provisoire.",
        "Class of each day by the French order of 10 July 2020, by commune and by site (the 15"
        " worst). Computed here, not official; the current day is provisional.",
        "Klasse jedes Tages nach dem französischen Erlass vom 10. Juli 2020, je Gemeinde und je"
        " Ort (die 15 schlechtesten). Hier berechnet, nicht amtlich; der laufende Tag ist"
        " vorläufig.",
    ),
    sql=_DAYS,
    columns=COURSE,
    unit="none",
    classes=ATMO,
    quiet=text(
        "Aucun jour sur cette période : l'indice du jour se lit sur 24 heures et plus.",
        "No day in this range: the index of the day is read over 24 hours and more.",
        "Kein Tag in diesem Zeitraum: den Tagesindex über 24 Stunden und mehr ansehen.",
    ),
    span=14,
    height=12,
)  # fmt: skip

_POLLUTANTS = ", ".join(f"'{one}'" for one in INDEX_POLLUTANTS)

# The newest class, since when it holds without another in between, within a week.
_SITES_SQL = f"""\
WITH hours AS (
     SELECT territory, site, start, value, words, provisional, indicative, n, due,
            first_value(value) OVER (PARTITION BY territory, site ORDER BY start DESC) AS newest
       FROM reader.air_figures
      WHERE indicator = 'eaqi' AND start > {TO} - interval '7 days' AND start <= {TO}
        AND value IS NOT NULL AND {CHOSEN}),
held AS (
     SELECT *, max(start) FILTER (WHERE value <> newest)
                   OVER (PARTITION BY territory, site) AS other
       FROM hours),
since AS (
     SELECT territory, site, min(start) AS since FROM held
      WHERE start > coalesce(other, '-infinity') GROUP BY 1, 2),
last AS (
     SELECT DISTINCT ON (territory, site) * FROM hours ORDER BY territory, site, start DESC),
dominant AS (
     SELECT l.territory, l.site, string_agg(m.label_@language, ', ' ORDER BY m.metric) AS names
       FROM last l
       JOIN reader.metrics m ON 'dominant ' || m.metric = ANY (l.words)
      GROUP BY 1, 2),
day AS (
     SELECT DISTINCT ON (territory, site) territory, site, value
       FROM reader.air_figures
      WHERE indicator = 'atmo_site' AND start > {TO} - interval '2 days' AND start <= {TO}
        AND value IS NOT NULL AND {CHOSEN}
      ORDER BY territory, site, start DESC),
received AS (
     SELECT territory, site, avg(value) AS value
       FROM reader.air_figures
      WHERE indicator = 'air_coverage' AND start > {TO} - interval '2 days' AND start <= {TO}
        AND {CHOSEN}
      GROUP BY 1, 2),
places AS (
     SELECT DISTINCT territory, territory_name, site, site_name
       FROM reader.series
      WHERE domain = 'air' AND in_service AND metric IN ({_POLLUTANTS}) AND {CHOSEN})
SELECT p.territory, p.site, p.site_name, l.value::float8 AS class, s.since, d.names AS dominant,
       day.value::float8 AS atmo, l.start AS hour, l.n AS pollutants, l.due AS wanted,
       r.value::float8 AS coverage,
       {RESERVATIONS} AS marks
  FROM places p
  LEFT JOIN last l USING (territory, site)
  LEFT JOIN since s USING (territory, site)
  LEFT JOIN dominant d USING (territory, site)
  LEFT JOIN day USING (territory, site)
  LEFT JOIN received r USING (territory, site)
 ORDER BY l.value DESC NULLS FIRST, p.site_name"""

COVERAGE_STEPS = (Step(None, "red"), Step(75, "orange"), Step(90, "green"))
"""75 % of the hours make a mean, 90 % of them a year: directive 2008/50/EC, annexes VII and XI."""

_SITES = Panel(
    kind=Kind.TABLE,
    title=text("Lieux, les plus mauvais d'abord", "Sites, the worst first", "Orte, die schlechtesten zuerst"),
    description=text(
        "Classe européenne la plus récente de 7 jours, depuis quand elle tient, le polluant qui la"
        " fait, la classe française du jour, la part de mesures reçues depuis hier. En tête, les"
        " lieux sans indice : leurs capteurs sont à vérifier. « Indicatif » : un capteur qui n'est"
        " pas de référence a compté. Un clic mène aux capteurs du lieu.",
        "Newest European class of 7 days, since when it holds, the pollutant that makes it, the"
        " French class of the day, the share of readings received since yesterday. On top the"
        " sites without an index: look at their sensors. Indicative: a sensor that is not of"
        " reference quality counted. A click leads to the sensors of the site.",
        "Neueste europäische Klasse aus 7 Tagen, seit wann sie gilt, der Schadstoff, der sie"
        " bestimmt, die französische Klasse des Tages, der Anteil empfangener Messwerte seit"
        " gestern. Zuoberst Orte ohne Index: ihre Sensoren prüfen. Orientierend: ein Sensor ohne"
        " Referenzgüte zählte mit. Ein Klick führt zu den Sensoren des Ortes.",
    ),
    sql=_SITES_SQL,
    columns={
        **PLACE,
        "class": Column(Type.NUMBER, text("Classe (EAQI)", "Class (EAQI)", "Klasse (EAQI)"), classes=EAQI, filled=True, width=140),
        "since": Column(Type.TIME, text("Depuis", "Since", "Seit")),
        "dominant": Column(Type.TEXT, text("Polluant", "Pollutant", "Schadstoff")),
        "atmo": Column(Type.NUMBER, text("Jour (ATMO)", "Day (ATMO)", "Tag (ATMO)"), classes=ATMO, filled=True, width=130),
        "hour": Column(Type.TIME, text("Heure de l'indice", "Hour of the index", "Stunde des Index")),
        "pollutants": Column(Type.NUMBER, text("Polluants mesurés", "Pollutants measured", "Gemessene Schadstoffe"), unit="none"),
        "wanted": Column(Type.NUMBER, text("demandés", "asked for", "verlangt"), unit="none"),
        "coverage": Column(Type.NUMBER, text("Reçu", "Received", "Empfangen"), unit="percent", decimals=0, steps=COVERAGE_STEPS, gauge=True),
        "marks": Column(Type.TEXT, text("Réserves", "Reservations", "Vorbehalte")),
    },
    unit="none",
    quiet=text(
        "Aucun polluant de l'indice n'est mesuré dans ces lieux.",
        "No pollutant of the index is measured at these sites.",
        "An diesen Orten wird kein Schadstoff des Index gemessen.",
    ),
    span=24,
    height=10,
)  # fmt: skip

_MAP = Panel(
    kind=Kind.MAP,
    title=text("Carte de l'indice", "Map of the index", "Karte des Index"),
    description=text(
        "Classe européenne de chaque lieu dans les 4 dernières heures ; gris : aucun indice.",
        "European class of every site within the last 4 hours; grey: no index.",
        "Europäische Klasse jedes Ortes in den letzten 4 Stunden; grau: kein Index.",
    ),
    sql=(
        f"WITH newest AS (\n{INDEX_NOW})\n"
        "SELECT DISTINCT s.site_name, s.longitude, s.latitude, n.value::float8 AS value,\n"
        "       s.territory, s.site\n"
        "  FROM reader.series s LEFT JOIN newest n USING (territory, site)\n"
        " WHERE s.domain = 'air' AND s.in_service AND s.latitude IS NOT NULL\n"
        "   AND territory IN ($territory) AND site IN ($site)\n"
        " ORDER BY s.site_name"
    ),
    columns={
        **MAPPED,
        "value": Column(Type.NUMBER, text("Classe (EAQI)", "Class (EAQI)", "Klasse (EAQI)"), classes=EAQI),
        "territory": Column(Type.TEXT),
        "site": Column(Type.TEXT),
    },
    unit="none",
    quiet=text(
        "Aucun lieu n'a de coordonnées : les donner dans sensors.csv.",
        "No site has coordinates: give them in sensors.csv.",
        "Kein Ort hat Koordinaten: in sensors.csv angeben.",
    ),
    title_column="value",
    span=10,
    height=12,
)  # fmt: skip

INDEX = Section(
    text("Indice de la qualité de l'air", "Air quality index", "Luftqualitätsindex"),
    (_STATES, _SITES, _MAP, _ATMO_STATES),
)
