"""Pipeline health: whether everything that came is accounted for, in time and computed."""

from __future__ import annotations

from dashboards.grafana.page import Page, Section
from dashboards.grafana.pages.pipeline_flows import FLOWS
from dashboards.grafana.pages.pipeline_now import STATS
from dashboards.grafana.pages.pipeline_tables import (
    COLLECTORS,
    REFUSED,
    SENDERS,
    UNBALANCED,
    WAITING,
)
from dashboards.grafana.queries import MEASURES, TERRITORY
from dashboards.grafana.text import text

PIPELINE = Page(
    uid="beffroi-pipeline",
    title=text("Santé du flux", "Pipeline health", "Zustand des Datenflusses"),
    description=text(
        "Pour qui fait tourner la plateforme : rien de perdu, rien en retard, rien en attente.",
        "For those who run the platform: nothing lost, nothing late, nothing waiting.",
        "Für alle, die die Plattform betreiben: nichts verloren, nichts verspätet, nichts wartend.",
    ),
    tags=("platform",),
    choices=(TERRITORY,),
    sections=(
        Section(text("En ce moment", "Right now", "Im Augenblick"), STATS),
        Section(text("Ce qui arrive", "What comes in", "Was ankommt"), FLOWS),
        Section(text("À traiter", "To work down", "Abzuarbeiten"), (REFUSED, SENDERS, UNBALANCED)),
        Section(
            text("Programmes et files", "Programs and queues", "Programme und Warteschlangen"),
            (COLLECTORS, WAITING),
        ),
    ),
    marks=(MEASURES,),
    since="now-24h",
    refresh="30s",
)
