"""Footprint: what the platform itself uses of disk, processor time and memory."""

from __future__ import annotations

from dashboards.grafana.page import Page, Section
from dashboards.grafana.pages.footprint_courses import COURSES, RELATIONS
from dashboards.grafana.pages.footprint_now import STATS
from dashboards.grafana.text import text

FOOTPRINT = Page(
    uid="beffroi-footprint",
    title=text("Empreinte", "Footprint", "Fußabdruck"),
    description=text(
        "Pour qui paie et héberge : ce que la plateforme consomme elle-même, mesuré par elle-même"
        " chaque heure. Ne se mesurent pas : le serveur de base de données, le courtier, Grafana et"
        " l'affichage public.",
        "For those who pay and host: what the platform itself uses, as it measures every hour. Not"
        " measured: the database server, the broker, Grafana and the public board.",
        "Für alle, die zahlen und betreiben: was die Plattform selbst verbraucht, stündlich von ihr"
        " gemessen. Nicht gemessen: Datenbankserver, Broker, Grafana und öffentliche Tafel.",
    ),
    tags=("platform",),
    choices=(),
    sections=(
        Section(text("En ce moment", "Right now", "Im Augenblick"), STATS),
        Section(text("Au fil du temps", "Over time", "Im Lauf der Zeit"), COURSES),
        Section(
            text("Ce qui occupe la base", "What takes the room", "Was den Platz belegt"),
            (RELATIONS,),
        ),
    ),
    since="now-30d",
    refresh="15m",
)
