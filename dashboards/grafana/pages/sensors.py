"""Sensor health: who speaks, who does not, who can be believed, and what to do about it."""

from __future__ import annotations

from dashboards.grafana.page import Page, Section
from dashboards.grafana.pages.sensors_courses import COURSES, DRIFTS, PAST
from dashboards.grafana.pages.sensors_now import SILENT, STATS, TO_DO
from dashboards.grafana.pages.sensors_worst import WORST
from dashboards.grafana.queries import MEASURES, OUTAGES, SITE, TERRITORY
from dashboards.grafana.text import text

SENSORS = Page(
    uid="beffroi-sensors",
    title=text("Santé des capteurs", "Sensor health", "Zustand der Sensoren"),
    description=text(
        "Pour qui entretient les capteurs : ce qui demande une visite, un réglage ou une correction.",
        "For those who look after sensors: what needs a visit, a setting or a correction.",
        "Für alle, die Sensoren betreuen: was einen Besuch, eine Einstellung oder eine Korrektur"
        " braucht.",
    ),
    tags=("sensors",),
    choices=(TERRITORY, SITE),
    sections=(
        Section(text("En ce moment", "Right now", "Im Augenblick"), (*STATS, TO_DO, SILENT)),
        Section(text("Au fil des jours", "Day by day", "Tag für Tag"), COURSES),
        Section(text("Les pires d'abord", "Worst first", "Die schlechtesten zuerst"), (WORST,)),
        Section(text("Dérives", "Drift", "Drift"), DRIFTS, folded=True),
        Section(
            text("Historique et inscriptions", "History and registry", "Verlauf und Anmeldungen"),
            PAST,
            folded=True,
        ),
    ),
    marks=(MEASURES, OUTAGES),
    since="now-7d",
)
