"""What kinds of alerts and of changes are called, and what somebody does about them."""

from __future__ import annotations

from dashboards.grafana.panel import Column, Type
from dashboards.grafana.text import LANGUAGES, Text, text
from dashboards.grafana.words import words
from storage.alerts import AlertKind, to_do

KINDS: dict[str, Text] = {
    AlertKind.SILENCE: text("muet", "silent", "stumm"),
    AlertKind.STUCK: text("figé", "stuck", "steht still"),
    AlertKind.DRIFT: text("dérive", "drift", "Drift"),
    AlertKind.JUMP: text("saut de niveau", "jump of level", "Niveausprung"),
}
ACTIONS: dict[str, Text] = {
    kind: {language: to_do(kind, language) for language in LANGUAGES} for kind in AlertKind
}
CHANGES: dict[str, Text] = {
    "new": text("nouveau", "new", "neu"),
    "changed": text("modifié", "changed", "geändert"),
    "moved": text("déplacé", "moved", "umgezogen"),
    "retired": text("retiré", "retired", "abgemeldet"),
    "back": text("de retour", "back", "wieder da"),
}

KIND_SQL = words("kind", KINDS)
ACTION_SQL = words("kind", ACTIONS)
CHANGE_SQL = words("action", CHANGES)

SENSOR = Column(Type.TEXT, text("Capteur", "Sensor", "Sensor"))
MEASURED = Column(Type.TEXT, text("Mesure", "Metric", "Messgröße"))
PROBLEM = Column(Type.TEXT, text("Problème", "Problem", "Problem"), width=130)
PLACE: dict[str, Column] = {
    "territory": Column(Type.TEXT),
    "site": Column(Type.TEXT),
    "site_name": Column(Type.TEXT, text("Lieu", "Site", "Ort")),
}
