"""Thresholds and limit values of the air, as far as the city's own sensors show them."""

from __future__ import annotations

from dashboards.grafana.rule import Rule
from dashboards.grafana.rules.rows import LABEL, SERIES, VALUE, WHERE, WHO, label, names, number
from dashboards.grafana.text import text
from storage.indicators.air import THRESHOLD_LEVELS
from storage.indicators.limits import LIMITS, VERDICT_WORDS, Law, Verdict

_PAGE = "beffroi-air"
_GROUP = "beffroi-air"
_ALERT = THRESHOLD_LEVELS.index("persistence") + 1
"""From the second day running on, the procedure is the one of the alert threshold."""

_SHOWN = names(SERIES, "f", metric="s.metric", label="s.label_@language AS label")
_GROUPED = names(SERIES, "f", metric="s.metric", label="s.label_@language")


def _thresholds(level: str) -> str:
    # A mean of the day is only known when the day is over: it is told until noon.
    return f"""
SELECT {_SHOWN}, max(f.value)::float8 AS value
  FROM reader.air_figures f
  JOIN reader.series s ON s.series_id = f.series_id
 WHERE f.indicator IN ('threshold_fr', 'threshold_eu') AND f.start > now() - interval '36 hours'
   AND f.start <= now() AND f.value >= 1
 GROUP BY {_GROUPED}
HAVING max(f.value) {level}
""".strip()


_IN_LAW = tuple(limit for limit in LIMITS if limit.law in (Law.EU_2008, Law.EU_2030))
_OWN = ("own_hours_over", "own_days_over", "own_8h_days_over", "own_year_mean")
_CERTAIN = VERDICT_WORDS[Verdict.CERTAIN]
_NAMES = ", ".join(f"'{name}'" for name in (*(limit.name for limit in _IN_LAW), *_OWN))
_COUNTED = ", ".join(
    f"('{limit.name}', {limit.allowed})" for limit in _IN_LAW if limit.allowed and limit.years == 1
)
_THIS_YEAR = (
    "f.start > now() - interval '367 days' AND f.start <= now() AND f.stop > now()\n"
    "   AND f.value IS NOT NULL"
)
_LIMIT = {"limit": LABEL}
_NAMED = "f.label_@language AS limit"

_EXCEEDED = f"""
SELECT {_SHOWN}, {_NAMED}, max(f.value)::float8 AS value
  FROM reader.air_figures f
  JOIN reader.series s ON s.series_id = f.series_id
 WHERE f.indicator IN ({_NAMES}) AND {_THIS_YEAR}
   AND '{_CERTAIN}' = ANY (f.words)
 GROUP BY {_GROUPED}, f.label_@language
""".strip()

_NEAR = f"""
SELECT {_SHOWN}, {_NAMED}, max(100 * f.value / l.allowed)::float8 AS value
  FROM reader.air_figures f
  JOIN reader.series s ON s.series_id = f.series_id
  JOIN (VALUES {_COUNTED}) AS l (indicator, allowed) ON l.indicator = f.indicator
 WHERE f.indicator IN ({_NAMES}) AND {_THIS_YEAR}
   AND f.value <= l.allowed AND f.words && ARRAY['{VERDICT_WORDS[Verdict.SO_FAR]}',
       '{VERDICT_WORDS[Verdict.POSSIBLE]}']
 GROUP BY {_GROUPED}, f.label_@language
""".strip()

AIR: tuple[Rule, ...] = (
    Rule(
        uid="beffroi-air-alert",
        group=_GROUP,
        title=text(
            "Air : seuil d'alerte franchi par une mesure",
            "Air: alert threshold passed by a measurement",
            "Luft: Alarmschwelle von einem Messwert überschritten",
        ),
        summary=text(
            f"Seuil d'alerte franchi : {WHO}.",
            f"Alert threshold passed: {WHO}.",
            f"Alarmschwelle überschritten: {WHO}.",
        ),
        action=text(
            "Vérifier sur la page de l'air que les capteurs voisins montent aussi ; prévenir sans"
            " attendre l'association agréée de surveillance (AASQA) et la préfecture, qui seules"
            " déclenchent la procédure ; préparer les mesures du plan local : écoles, crèches,"
            " circulation.",
            "See on the air page that neighbouring sensors rise too; tell the approved monitoring"
            " body and the prefecture at once, who alone start the procedure; prepare the local"
            " plan: schools, nurseries, traffic.",
            "Auf der Luftseite prüfen, ob auch benachbarte Sensoren steigen; sofort die amtliche"
            " Luftüberwachung und die zuständige Behörde verständigen, die allein das Verfahren"
            " auslösen; den örtlichen Plan vorbereiten: Schulen, Kitas, Verkehr.",
        ),
        sql=_thresholds(f">= {_ALERT}"),
        columns={**SERIES, **VALUE},
        above=0,
        page=_PAGE,
        severity="critical",
    ),
    Rule(
        uid="beffroi-air-information",
        group=_GROUP,
        title=text(
            "Air : seuil d'information franchi par une mesure",
            "Air: information threshold passed by a measurement",
            "Luft: Informationsschwelle von einem Messwert überschritten",
        ),
        summary=text(
            f"Seuil d'information franchi : {WHO}.",
            f"Information threshold passed: {WHO}.",
            f"Informationsschwelle überschritten: {WHO}.",
        ),
        action=text(
            "Comparer aux capteurs voisins et à l'association agréée (AASQA) ; si elle confirme,"
            " relayer ses recommandations aux écoles, crèches et personnes sensibles ; sinon faire"
            " contrôler le capteur.",
            "Compare with neighbouring sensors and the approved monitoring body; if it confirms,"
            " pass its advice on to schools, nurseries and sensitive people; if not, have the"
            " sensor inspected.",
            "Mit benachbarten Sensoren und der amtlichen Luftüberwachung vergleichen; bestätigt"
            " sie es, ihre Empfehlungen an Schulen, Kitas und empfindliche Personen weitergeben;"
            " sonst den Sensor prüfen lassen.",
        ),
        sql=_thresholds(f"< {_ALERT}"),
        columns={**SERIES, **VALUE},
        above=0,
        page=_PAGE,
    ),
    Rule(
        uid="beffroi-air-limit",
        group=_GROUP,
        title=text(
            "Air : valeur limite de l'année dépassée",
            "Air: limit value of the year exceeded",
            "Luft: Grenzwert des Jahres überschritten",
        ),
        summary=text(
            f"{label('limit')} : {number()} à {WHERE}, capteur {label('sensor')}.",
            f"{label('limit')}: {number()} at {WHERE}, sensor {label('sensor')}.",
            f"{label('limit')}: {number()} an {WHERE}, Sensor {label('sensor')}.",
        ),
        action=text(
            "Consigner le dépassement avec sa date ; vérifier la saisie du capteur dans l'année ;"
            " porter le constat à l'AASQA et au service qui suit le plan de protection de"
            " l'atmosphère ; étudier une mesure (circulation, chauffage) et l'inscrire au registre :"
            " beffroi measures.",
            "Put the exceedance and its date on record; see how much of the year the sensor"
            " captured; take it to the approved monitoring body and to whoever runs the air quality"
            " plan; consider a measure (traffic, heating) and register it: beffroi measures.",
            "Die Überschreitung mit Datum festhalten; die Erfassung des Sensors im Jahr prüfen; der"
            " Luftüberwachung und der Stelle für den Luftreinhalteplan vorlegen; eine Maßnahme"
            " prüfen (Verkehr, Heizung) und eintragen: beffroi measures.",
        ),
        sql=_EXCEEDED,
        columns={**SERIES, **_LIMIT, **VALUE},
        above=0,
        page=_PAGE,
        every_s=300,
    ),
    Rule(
        uid="beffroi-air-limit-near",
        group=_GROUP,
        title=text(
            "Air : dépassements permis presque épuisés",
            "Air: exceedances allowed almost used up",
            "Luft: erlaubte Überschreitungen fast aufgebraucht",
        ),
        summary=text(
            f"{label('limit')} : {number()} % du permis à {WHERE}, capteur {label('sensor')}.",
            f"{label('limit')}: {number()} % of those allowed at {WHERE}, sensor"
            f" {label('sensor')}.",
            f"{label('limit')}: {number()} % des Erlaubten an {WHERE}, Sensor {label('sensor')}.",
        ),
        action=text(
            "Regarder quelles heures et quels jours comptent, et à quelle source ils tiennent ;"
            " préparer une mesure avant que la limite ne soit dépassée.",
            "See which hours and days count and what they come from; prepare a measure before the"
            " limit is exceeded.",
            "Ansehen, welche Stunden und Tage zählen und woher sie rühren; eine Maßnahme"
            " vorbereiten, bevor der Grenzwert überschritten ist.",
        ),
        sql=_NEAR,
        columns={**SERIES, **_LIMIT, **VALUE},
        above=80,
        page=_PAGE,
        severity="info",
    ),
)
