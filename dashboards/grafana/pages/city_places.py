"""Every site with the worst that is known of it: on a map, and as a table to work down."""

from __future__ import annotations

from dashboards.grafana.columns import MAPPED, PLACE
from dashboards.grafana.moment import OPEN
from dashboards.grafana.page import Section
from dashboards.grafana.pages.air_index import INDEX_NOW
from dashboards.grafana.pages.air_words import EAQI, GREEN, ORANGE, POOR, RED
from dashboards.grafana.panel import Class, Column, Kind, Panel, Step, Type
from dashboards.grafana.queries import CHOSEN
from dashboards.grafana.text import text
from storage.catalogue import Domain

STATES = (
    Class(1, text("bien", "well", "gut"), GREEN),
    Class(2, text("à regarder", "to look at", "ansehen"), ORANGE),
    Class(3, text("agir", "act", "handeln"), RED),
)
"""Of a site. No state: nothing is in service there."""

_VERY_POOR = POOR + 1

# Act: nothing speaks any more, or the air is very poor. Look: an alert is open, or it is poor.
_PLACES = f"""\
WITH here AS (
     SELECT territory, site, count(*) AS series,
            count(*) FILTER (WHERE domain = 'air') AS air,
            count(*) FILTER (WHERE domain = 'mobility') AS mobility,
            count(*) FILTER (WHERE domain = 'energy') AS energy
       FROM reader.series WHERE in_service AND {CHOSEN} GROUP BY 1, 2),
open AS (
     SELECT territory, site, count(DISTINCT series_id) FILTER (WHERE kind = 'silence') AS silent,
            count(*) FILTER (WHERE kind <> 'silence') AS others
       FROM reader.alerts WHERE {OPEN} AND {CHOSEN} GROUP BY 1, 2),
last AS (
     SELECT territory, site, max(last) AS heard
       FROM reader.heard WHERE in_service AND {CHOSEN} GROUP BY 1, 2),
index_now AS (
{INDEX_NOW}),
places AS (
     SELECT p.territory, p.site, p.site_name, p.longitude, p.latitude, h.series,
            coalesce(o.silent, 0) AS silent, coalesce(o.others, 0) AS others,
            i.value::float8 AS class, l.heard, h.air, h.mobility, h.energy,
            CASE WHEN h.series IS NULL THEN NULL
                 WHEN o.silent >= h.series OR i.value >= {_VERY_POOR} THEN 3
                 WHEN o.silent > 0 OR o.others > 0 OR i.value >= {POOR} THEN 2
                 ELSE 1 END AS state
       FROM reader.sites p
       LEFT JOIN here h USING (territory, site)
       LEFT JOIN open o USING (territory, site)
       LEFT JOIN last l USING (territory, site)
       LEFT JOIN index_now i USING (territory, site)
      WHERE territory IN ($territory) AND site IN ($site))
"""

_STATE = Column(Type.NUMBER, text("État", "State", "Zustand"), classes=STATES, width=95)

_MAP = Panel(
    kind=Kind.MAP,
    title=text("Carte des lieux", "Map of the sites", "Karte der Orte"),
    description=text(
        "Chaque lieu avec son pire état. Agir : plus rien n'y parle, ou l'air y est très mauvais. À"
        " regarder : une alerte ouverte, ou l'air mauvais. Gris : rien en service.",
        "Every site with its worst state. Act: nothing speaks there any more, or the air is very"
        " poor. To look at: an alert is open, or the air is poor. Grey: nothing in service.",
        "Jeder Ort mit seinem schlechtesten Zustand. Handeln: dort spricht nichts mehr, oder die Luft"
        " ist sehr schlecht. Ansehen: eine offene Warnung, oder schlechte Luft. Grau: nichts in"
        " Betrieb.",
    ),
    sql=(
        f"{_PLACES}SELECT site_name, longitude, latitude, state, silent, others, class, territory, site\n"
        "  FROM places WHERE latitude IS NOT NULL ORDER BY state NULLS FIRST, site_name"
    ),
    columns={
        **MAPPED,
        "state": _STATE,
        "silent": Column(Type.NUMBER, text("Séries muettes", "Silent series", "Stumme Reihen"), unit="none"),
        "others": Column(Type.NUMBER, text("Autres alertes", "Other alerts", "Andere Warnungen"), unit="none"),
        "class": Column(Type.NUMBER, text("Air (EAQI)", "Air (EAQI)", "Luft (EAQI)"), classes=EAQI),
        "territory": Column(Type.TEXT),
        "site": Column(Type.TEXT),
    },
    unit="none",
    quiet=text(
        "Aucun lieu n'a de coordonnées : les donner dans sensors.csv.",
        "No site has coordinates: give them in sensors.csv.",
        "Kein Ort hat Koordinaten: in sensors.csv angeben.",
    ),
    title_column="state",
    span=7,
    height=14,
)  # fmt: skip

_WORRY = (Step(None, "text"), Step(1, ORANGE))

_TABLE = Panel(
    kind=Kind.TABLE,
    title=text("Lieux, les plus urgents d'abord", "Sites, the most urgent first", "Orte, die dringendsten zuerst"),
    description=text(
        "Ce qui est connu de chaque lieu : séries muettes, autres alertes, séries par métier ; un clic sur le nom mène"
        " aux capteurs, sur un nombre à la page du métier. « Entendu » est tenu à jour chaque heure.",
        "What is known of every site: silent series, other alerts, series by trade; a click on the name leads to"
        " the sensors, on a number to the page of the trade. Heard is brought up to date every hour.",
        "Was von jedem Ort bekannt ist: stumme Reihen, andere Warnungen, Reihen je Fach; ein Klick auf den Namen führt"
        " zu den Sensoren, auf eine Zahl zur Seite des Fachs. Gehört wird stündlich nachgeführt.",
    ),
    sql=(
        f"{_PLACES}SELECT territory, site, site_name, state, silent, others, class, heard,\n"
        "       nullif(air, 0) AS air, nullif(mobility, 0) AS mobility, nullif(energy, 0) AS energy\n"
        "  FROM places ORDER BY state DESC NULLS LAST, silent DESC, others DESC, site_name"
    ),
    columns={
        **PLACE,
        "state": _STATE,
        "silent": Column(Type.NUMBER, text("Muettes", "Silent", "Stumm"), unit="none", steps=_WORRY, width=75),
        "others": Column(Type.NUMBER, text("Autres", "Others", "Andere"), unit="none", steps=_WORRY, width=85),
        "class": Column(Type.NUMBER, text("Air (EAQI)", "Air (EAQI)", "Luft (EAQI)"), classes=EAQI, filled=True, width=110),
        "heard": Column(Type.TIME, text("Entendu", "Heard", "Gehört"), width=150),
        **{
            domain.value: Column(Type.NUMBER, label, unit="none", page=f"beffroi-{domain.value}", width=70)
            for domain, label in (
                (Domain.AIR, text("Air", "Air", "Luft")),
                (Domain.MOBILITY, text("Mobilité", "Mobility", "Mobilität")),
                (Domain.ENERGY, text("Énergie", "Energy", "Energie")),
            )
        },
    },
    unit="none",
    quiet=text(
        "Aucun lieu n'est déclaré : beffroi sensors import.",
        "No site is registered: beffroi sensors import.",
        "Kein Ort ist angemeldet: beffroi sensors import.",
    ),
    span=17,
    height=14,
)  # fmt: skip

PLACES = Section(text("Lieux", "Sites", "Orte"), (_MAP, _TABLE))
