"""Why something was refused, in words, and what somebody does about it."""

from __future__ import annotations

from dashboards.grafana.text import Text, text
from storage.reading import Reason

REASONS: dict[str, Text] = {
    Reason.UNREADABLE_TOPIC: text("sujet inconnu", "unreadable topic", "unbekanntes Thema"),
    Reason.UNKNOWN_SENSOR: text("capteur inconnu", "unknown sensor", "unbekannter Sensor"),
    Reason.UNKNOWN_FIELD: text("champ inconnu", "unknown field", "unbekanntes Feld"),
    Reason.BAD_PAYLOAD: text("message illisible", "unreadable message", "unlesbare Nachricht"),
    Reason.NO_CODEC: text("octets sans codec", "bytes without a codec", "Bytes ohne Codec"),
    Reason.TOO_LARGE: text("message trop grand", "message too large", "Nachricht zu groß"),
    Reason.BAD_TIME: text("heure illisible", "unreadable time", "unlesbare Zeit"),
    Reason.TOO_OLD: text("heure trop ancienne", "time too old", "Zeit zu alt"),
    Reason.IN_FUTURE: text("heure dans le futur", "time in the future", "Zeit in der Zukunft"),
    Reason.BAD_VALUE: text("valeur illisible", "unreadable value", "unlesbarer Wert"),
    Reason.BAD_UNIT: text("unité impropre", "wrong unit", "falsche Einheit"),
    Reason.OUT_OF_RANGE: text("valeur hors limites", "out of range", "außerhalb des Bereichs"),
    Reason.CONFLICT: text(
        "autre valeur pour la même heure", "another value for the time", "anderer Wert zur Zeit"
    ),
    Reason.PERSONAL: text("donnée personnelle", "personal data", "personenbezogen"),
    Reason.REJECTED: text(
        "rejeté par la base", "rejected by the database", "von der DB abgewiesen"
    ),
    Reason.RETIRED: text("capteur retiré", "retired sensor", "abgemeldeter Sensor"),
    Reason.NOT_BORN: text(
        "certificat de naissance manquant", "birth certificate missing", "Geburtsmeldung fehlt"
    ),
}

REMEDIES: dict[str, Text] = {
    Reason.UNREADABLE_TOPIC: text(
        "Ajouter à city.toml un [[binding]] qui couvre le sujet, inscrire, rejouer",
        "Add a [[binding]] to city.toml that fits the topic, register, replay",
        "In city.toml ein passendes [[binding]] ergänzen, anmelden, neu verarbeiten",
    ),
    Reason.UNKNOWN_SENSOR: text(
        "Inscrire le capteur : beffroi sensors discover propose les lignes, puis sensors import",
        "Register the sensor: beffroi sensors discover proposes the lines, then sensors import",
        "Sensor anmelden: beffroi sensors discover schlägt die Zeilen vor, dann sensors import",
    ),
    Reason.UNKNOWN_FIELD: text(
        "Inscrire le champ dans sensors.csv, ou l'ignorer dans le binding ; rejouer",
        "Add the field to sensors.csv, or ignore it in the binding; replay",
        "Feld in sensors.csv eintragen oder im Binding ignorieren; neu verarbeiten",
    ),
    Reason.BAD_PAYLOAD: text(
        "Corriger l'expéditeur, ou le format du binding",
        "Correct the sender, or the binding's format",
        "Absender oder Format des Bindings berichtigen",
    ),
    Reason.NO_CODEC: text(
        "Donner un codec à l'appareil : serveur de réseau ou profil de city.toml ; rejouer",
        "Give the device a codec: network server or profile of city.toml; replay",
        "Dem Gerät einen Codec geben: Netzserver oder Profil in city.toml; neu verarbeiten",
    ),
    Reason.TOO_LARGE: text(
        "Faire découper les messages, ou augmenter COLLECTOR_PAYLOAD_BYTES",
        "Let the sender split its messages, or raise COLLECTOR_PAYLOAD_BYTES",
        "Nachrichten teilen lassen oder COLLECTOR_PAYLOAD_BYTES erhöhen",
    ),
    Reason.BAD_TIME: text(
        "Faire dire l'heure à l'expéditeur, ou nommer son champ (time_field) ; rejouer",
        "Let the sender state its time, or name its member (time_field); replay",
        "Absender die Zeit nennen lassen oder ihr Feld angeben (time_field); neu verarbeiten",
    ),
    Reason.TOO_OLD: text(
        "Régler l'horloge, ou abaisser COLLECTOR_OLDEST et rejouer",
        "Set the clock, or lower COLLECTOR_OLDEST and replay",
        "Uhr stellen oder COLLECTOR_OLDEST senken und neu verarbeiten",
    ),
    Reason.IN_FUTURE: text(
        "Régler l'horloge, ou augmenter COLLECTOR_AHEAD_S et rejouer",
        "Set the clock, or raise COLLECTOR_AHEAD_S and replay",
        "Uhr stellen oder COLLECTOR_AHEAD_S erhöhen und neu verarbeiten",
    ),
    Reason.BAD_VALUE: text(
        "Corriger l'expéditeur, ou ignorer le champ dans le binding",
        "Correct the sender, or ignore the field in the binding",
        "Absender berichtigen oder das Feld im Binding ignorieren",
    ),
    Reason.BAD_UNIT: text(
        "Corriger l'unité de l'expéditeur ou la mesure dans sensors.csv ; rejouer",
        "Correct the sender's unit, or the metric in sensors.csv; replay",
        "Einheit des Absenders oder Messgröße in sensors.csv berichtigen; neu verarbeiten",
    ),
    Reason.OUT_OF_RANGE: text(
        "Contrôler le capteur, ou son unité dans sensors.csv ; inscrire, rejouer",
        "Inspect the sensor, or its unit in sensors.csv; register, replay",
        "Sensor prüfen oder seine Einheit in sensors.csv; anmelden, neu verarbeiten",
    ),
    Reason.CONFLICT: text(
        "Chercher pourquoi le capteur dit deux choses ; la première reste, beffroi readings correct",
        "Find out why the sensor says two things; the first stays, beffroi readings correct",
        "Klären, warum der Sensor zweierlei sagt; das Erste bleibt, beffroi readings correct",
    ),
    Reason.PERSONAL: text(
        "Faire retirer cette donnée à la source : Beffroi compte, il n'identifie pas",
        "Have it left out at the source: Beffroi counts, it does not identify",
        "An der Quelle weglassen: Beffroi zählt, es identifiziert nicht",
    ),
    Reason.REJECTED: text(
        "Lire ce que la base a dit : beffroi refusals show ; puis rejouer",
        "See what the database said: beffroi refusals show; then replay",
        "Nachlesen, was die Datenbank sagte: beffroi refusals show; dann neu verarbeiten",
    ),
    Reason.RETIRED: text(
        "S'il sert de nouveau, l'inscrire avec sa date : beffroi sensors import",
        "If it serves again, import it with its date: beffroi sensors import",
        "Dient er wieder, mit Datum anmelden: beffroi sensors import",
    ),
    Reason.NOT_BORN: text(
        "Attendre la prochaine naissance du nœud, ou la demander",
        "Wait for the edge node's next birth, or ask for it",
        "Nächste Geburtsmeldung des Knotens abwarten oder anfordern",
    ),
}
