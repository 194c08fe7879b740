"""Hours in a row that are far from what is usual in that hour of the week."""

from __future__ import annotations

from dashboards.grafana.rule import Rule
from dashboards.grafana.rules.rows import SERIES, VALUE, WHO, names, number
from dashboards.grafana.text import Text, text
from dashboards.grafana.usual import said
from storage.catalogue import Domain

IN_A_ROW = 3
"""A single unusual hour is chance in some of 100,000 hours; three of them hardly ever."""

MANY = 10
"""So many series of a commune at once have one cause, such as a holiday or a storm: one call."""

_SHOWN = names(SERIES, "i", metric="s.metric", label="s.label_@language AS label")
_GROUPED = names(SERIES, "i", metric="s.metric", label="s.label_@language")


_SENSORS = text("beaucoup de capteurs à la fois", "many sensors at once", "viele Sensoren zugleich")
_METRICS = text("une cause commune", "one common cause", "eine gemeinsame Ursache")
_SITES = text("plusieurs lieux", "several sites", "mehrere Orte")


def _rows(domain: Domain) -> str:
    # Hours that follow one another on the same side have the same `run`.
    return f"""
WITH found AS (
SELECT {_SHOWN}, max(abs(i.value))::float8 AS value
  FROM (SELECT f.*, sign(f.value) AS side,
               f.start - row_number() OVER (PARTITION BY f.series_id, sign(f.value)
                                            ORDER BY f.start) * interval '1 hour' AS run
          FROM reader.{domain}_figures f
         WHERE f.indicator = '{domain}_unusual' AND f.start > now() - interval '24 hours'
           AND f.stop <= now()) i
  JOIN reader.series s ON s.series_id = i.series_id
 GROUP BY {_GROUPED}, i.series_id, i.side, i.run
HAVING count(*) >= {IN_A_ROW} AND max(i.stop) > now() - interval '{IN_A_ROW} hours'),
together AS (SELECT territory FROM found GROUP BY territory HAVING count(*) > {MANY})
SELECT {", ".join(SERIES)}, value FROM found
 WHERE territory NOT IN (SELECT territory FROM together)
UNION ALL
SELECT territory, territory_name, '' AS site, {said(_SITES)} AS site_name,
       {said(_SENSORS)} AS sensor, '' AS metric, {said(_METRICS)} AS label, max(value) AS value
  FROM found WHERE territory IN (SELECT territory FROM together)
 GROUP BY territory, territory_name
""".strip()


_TITLES: dict[Domain, Text] = {
    Domain.AIR: text(
        "Air : heures inhabituelles d'affilée",
        "Air: unusual hours in a row",
        "Luft: ungewöhnliche Stunden in Folge",
    ),
    Domain.MOBILITY: text(
        "Mobilité : heures inhabituelles d'affilée",
        "Mobility: unusual hours in a row",
        "Mobilität: ungewöhnliche Stunden in Folge",
    ),
    Domain.ENERGY: text(
        "Énergie : heures inhabituelles d'affilée",
        "Energy: unusual hours in a row",
        "Energie: ungewöhnliche Stunden in Folge",
    ),
}
_ACTIONS: dict[Domain, Text] = {
    Domain.AIR: text(
        "Comparer aux capteurs voisins : si eux aussi montent, chercher la source (incendie,"
        " chantier, météo) ; si le capteur est seul, le faire contrôler.",
        "Compare with neighbouring sensors: if they rise too, look for the source (fire, works,"
        " weather); if it is alone, have the sensor inspected.",
        "Mit benachbarten Sensoren vergleichen: steigen auch sie, die Ursache suchen (Brand,"
        " Baustelle, Wetter); ist er allein, den Sensor prüfen lassen.",
    ),
    Domain.MOBILITY: text(
        "Chercher ce qui se passe sur place (accident, travaux, manifestation, météo) et prévenir"
        " l'exploitation ; un comptage tombé à zéro se contrôle au capteur.",
        "Find out what happens on the spot (accident, works, event, weather) and tell traffic"
        " operations; where a count fell to zero, inspect the sensor.",
        "Klären, was vor Ort los ist (Unfall, Baustelle, Veranstaltung, Wetter), und die"
        " Verkehrsleitung verständigen; fiel eine Zählung auf null, den Sensor prüfen.",
    ),
    Domain.ENERGY: text(
        "Voir sur la page de l'énergie quel usage est en marche hors de ses heures ; prévenir le"
        " gestionnaire du bâtiment ; pour l'eau, chercher une fuite.",
        "See on the energy page what is running outside its hours; tell the building's manager; for"
        " water, look for a leak.",
        "Auf der Energieseite ansehen, was außerhalb seiner Zeiten läuft; die Gebäudeleitung"
        " verständigen; bei Wasser nach einem Leck suchen.",
    ),
}

UNUSUAL: tuple[Rule, ...] = tuple(
    Rule(
        uid=f"beffroi-unusual-{domain}",
        group="beffroi-unusual",
        title=_TITLES[domain],
        summary=text(
            f"Au moins {IN_A_ROW} heures d'affilée, jusqu'à {number()} écarts-types de l'habituel :"
            f" {WHO}.",
            f"At least {IN_A_ROW} hours in a row, up to {number()} standard deviations from the"
            f" usual: {WHO}.",
            f"Mindestens {IN_A_ROW} Stunden in Folge, bis zu {number()} Standardabweichungen vom"
            f" Üblichen: {WHO}.",
        ),
        action=_ACTIONS[domain],
        sql=_rows(domain),
        columns={**SERIES, **VALUE},
        above=0,
        page=f"beffroi-{domain}",
        severity="info",
    )
    for domain in _TITLES
)
