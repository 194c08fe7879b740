"""The city at a glance: what somebody on duty looks at in the morning."""

from __future__ import annotations

from dashboards.grafana.page import Page
from dashboards.grafana.pages import city_courses, city_now, city_places, city_work
from dashboards.grafana.queries import MEASURES, OUTAGES, SITE, TERRITORY
from dashboards.grafana.text import text

CITY = Page(
    uid="beffroi-city",
    title=text("La ville ce matin", "The city at a glance", "Die Stadt auf einen Blick"),
    description=text(
        "Pour qui est de service : faut-il agir, où, et quoi faire. De là vers les pages des métiers.",
        "For whoever is on duty: must somebody act, where, and how. From here to the trades' pages.",
        "Für den Dienst: ist zu handeln, wo und wie. Von hier zu den Seiten der Fächer.",
    ),
    tags=("city",),
    choices=(TERRITORY, SITE),
    sections=(
        city_now.NOW,
        city_places.PLACES,
        city_work.WORK,
        city_courses.COURSES,
        city_work.DECISIONS,
    ),
    marks=(MEASURES, OUTAGES),
)
