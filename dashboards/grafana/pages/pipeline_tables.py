"""Pipeline health: tables to work down."""

from __future__ import annotations

from dashboards.grafana.columns import PLACE, SENSOR
from dashboards.grafana.pages.pipeline_now import IN_TERRITORY
from dashboards.grafana.pages.pipeline_words import REASONS, REMEDIES
from dashboards.grafana.panel import Class, Column, Kind, Panel, Step, Type
from dashboards.grafana.text import text
from dashboards.grafana.units import grafana_unit
from dashboards.grafana.words import words

_PLACE = {**PLACE, "sensor": SENSOR}
_YES_NO = (
    Class(0, text("non", "no", "nein"), "red"),
    Class(1, text("oui", "yes", "ja"), "green"),
)


def _count(fr: str, en: str, de: str) -> Column:
    return Column(Type.NUMBER, text(fr, en, de), decimals=0, width=130)


REFUSED = Panel(
    kind=Kind.TABLE,
    title=text("Refus et remèdes", "Refusals and remedies", "Ablehnungen und Abhilfe"),
    description=text(
        "Refus encore gardés de la période, par motif, le plus fréquent d'abord, avec ce qu'il faut"
        " faire. Après correction : beffroi refusals replay.",
        "Refusals of the range that are still kept, by reason, the most frequent first, with what to"
        " do. Once corrected: beffroi refusals replay.",
        "Noch aufbewahrte Ablehnungen des Zeitraums, je Grund, häufigste zuerst, mit der Abhilfe."
        " Nach der Berichtigung: beffroi refusals replay.",
    ),
    sql=(
        f"SELECT {words('reason', REASONS)} AS why,\n"
        "       sum(CASE WHEN field = '' THEN messages ELSE 0 END)::float8 AS messages,\n"
        "       sum(CASE WHEN field = '' THEN 0 ELSE readings END)::float8 AS readings,\n"
        "       count(DISTINCT sensor)::float8 AS sensors, max(received_at) AS last,\n"
        f"       {words('reason', REMEDIES)} AS remedy\n"
        "  FROM reader.refusals\n"
        f" WHERE $__timeFilter(received_at) AND {IN_TERRITORY}\n"
        " GROUP BY reason ORDER BY sum(messages) + sum(readings) DESC, 1"
    ),
    columns={
        "why": Column(Type.TEXT, text("Motif", "Reason", "Grund"), width=200),
        "messages": _count("Messages", "Messages", "Nachrichten"),
        "readings": _count("Mesures", "Readings", "Messwerte"),
        "sensors": _count("Capteurs", "Sensors", "Sensoren"),
        "last": Column(Type.TIME, text("Dernier", "Last", "Letzte")),
        "remedy": Column(Type.TEXT, text("À faire", "To do", "Zu tun"), wrapped=True),
    },
    unit="none",
    quiet=text(
        "Aucun refus gardé dans cette période : rien à faire.",
        "No refusal kept in this range: nothing to do.",
        "In diesem Zeitraum keine Ablehnung: nichts zu tun.",
    ),
    span=24,
    height=8,
)

SENDERS = Panel(
    kind=Kind.TABLE,
    title=text("Capteurs les plus refusés", "Sensors refused most", "Am häufigsten abgelehnt"),
    description=text(
        "Capteurs dont le plus de messages ou de mesures est refusé, au plus sur les 7 derniers jours"
        " de la période ; 50 lignes. Les appareils non inscrits n'apparaissent qu'à qui lit tout.",
        "Sensors of which most messages or readings are refused, over the last 7 days of the range"
        " at most; 50 rows. Devices that nobody registered are shown only to who reads everything.",
        "Sensoren mit den meisten abgelehnten Nachrichten oder Messwerten, höchstens der letzten 7"
        " Tage des Zeitraums; 50 Zeilen. Nicht angemeldete Geräte sieht nur, wer alles liest.",
    ),
    sql=(
        "SELECT territory, site, site_name, sensor,\n"
        "       sum(messages_refused)::float8 AS messages, sum(readings_refused)::float8 AS readings,\n"
        "       (100.0 * sum(messages_refused + readings_refused)\n"
        "        / nullif(sum(messages_refused + readings_decoded), 0))::float8 AS share\n"
        "  FROM reader.ledger\n"
        " WHERE $__timeFilter(hour) AND hour > $__timeTo()::timestamptz - interval '7 days'\n"
        f"   AND {IN_TERRITORY} AND messages_refused + readings_refused > 0\n"
        " GROUP BY territory, site, site_name, sensor\n"
        " ORDER BY sum(messages_refused + readings_refused) DESC, sensor LIMIT 50"
    ),
    columns={
        **_PLACE,
        "messages": _count("Messages refusés", "Messages refused", "Nachrichten abgelehnt"),
        "readings": _count("Mesures refusées", "Readings refused", "Werte abgelehnt"),
        "share": Column(
            Type.NUMBER,
            text("Part des heures en cause", "Share in those hours", "Anteil in diesen Stunden"),
            unit=grafana_unit("%"),
            decimals=1,
            steps=(Step(None, "green"), Step(5, "orange"), Step(50, "red")),
        ),
    },
    unit="none",
    quiet=text(
        "Aucun capteur refusé : rien à faire.",
        "No sensor refused: nothing to do.",
        "Kein Sensor abgelehnt: nichts zu tun.",
    ),
    span=12,
    height=9,
)

UNBALANCED = Panel(
    kind=Kind.TABLE,
    title=text(
        "Lignes du registre qui ne s'équilibrent pas",
        "Lines of the ledger that do not balance",
        "Zeilen der Bücher, die nicht aufgehen",
    ),
    description=text(
        "Lignes du registre de la période où l'entrée n'est pas égale aux sorties (100 au plus). Il"
        " ne doit y en avoir aucune. À faire : beffroi ledger --check, comparer à une sauvegarde, ne"
        " rien effacer.",
        "Lines of the ledger in the range where what came in is not what became of it (100 at most)."
        " There must be none. To do: beffroi ledger --check, compare with a backup, delete nothing.",
        "Zeilen der Bücher im Zeitraum, in denen der Eingang nicht der Verwendung gleicht (höchstens"
        " 100). Es darf keine geben. Zu tun: beffroi ledger --check, mit einer Sicherung"
        " vergleichen, nichts löschen.",
    ),
    sql=(
        "SELECT territory, site, site_name, sensor, hour,\n"
        "       (messages_received - messages_decoded - messages_refused)::float8 AS messages,\n"
        "       (readings_decoded - readings_stored - readings_duplicate - readings_refused)::float8\n"
        "       AS readings\n"
        "  FROM reader.ledger\n"
        f" WHERE NOT balanced AND $__timeFilter(hour) AND {IN_TERRITORY}\n"
        " ORDER BY hour DESC, sensor LIMIT 100"
    ),
    columns={
        **_PLACE,
        "hour": Column(Type.TIME, text("Heure", "Hour", "Stunde")),
        "messages": _count("Messages en trop", "Messages too many", "Nachrichten zu viel"),
        "readings": _count("Mesures en trop", "Readings too many", "Werte zu viel"),
    },
    unit="none",
    quiet=text(
        "Tout s'équilibre : reçu = stocké + doublon + refusé.",
        "Everything balances: received = stored + duplicate + refused.",
        "Alles geht auf: empfangen = gespeichert + doppelt + abgelehnt.",
    ),
    span=12,
    height=9,
)

COLLECTORS = Panel(
    kind=Kind.TABLE,
    title=text("Collecteurs", "Collectors", "Sammler"),
    description=text(
        "Chaque session MQTT : vue quand, connectée ou non, et combien de messages le courtier dit"
        " avoir jetés depuis son démarrage. Jetés > 0 : agrandir la file du courtier ou ajouter un"
        " collecteur. Réservé à qui lit tout.",
        "Every MQTT session: when it was seen, connected or not, and how many messages the broker"
        " says it dropped since its start. Dropped > 0: enlarge the broker's queue or add a"
        " collector. Only for who reads everything.",
        "Jede MQTT-Sitzung: wann gesehen, verbunden oder nicht, und wie viele Nachrichten der Broker"
        " seit seinem Start verworfen haben will. Verworfen > 0: Warteschlange vergrößern oder"
        " Sammler hinzufügen. Nur für den, der alles liest.",
    ),
    sql=(
        "SELECT client_id, share_group, connected::int AS connected, seen_at, started_at, left_at,\n"
        "       messages::float8 AS messages, messages_qos0::float8 AS qos0,\n"
        "       broker_dropped::float8 AS dropped\n"
        "  FROM reader.collectors ORDER BY left_at NULLS FIRST, client_id"
    ),
    columns={
        "client_id": Column(Type.TEXT, text("Session", "Session", "Sitzung")),
        "share_group": Column(Type.TEXT, text("Groupe", "Group", "Gruppe")),
        "connected": Column(
            Type.NUMBER, text("Connecté", "Connected", "Verbunden"), classes=_YES_NO, width=100
        ),
        "seen_at": Column(Type.TIME, text("Vu", "Seen", "Gesehen")),
        "started_at": Column(Type.TIME, text("Démarré", "Started", "Gestartet")),
        "left_at": Column(Type.TIME, text("Parti", "Left", "Abgemeldet")),
        "messages": _count("Messages", "Messages", "Nachrichten"),
        "qos0": _count("dont QoS 0", "at QoS 0", "davon QoS 0"),
        "dropped": Column(
            Type.NUMBER,
            text("Jetés par le courtier", "Dropped by the broker", "Vom Broker verworfen"),
            decimals=0,
            steps=(Step(None, "green"), Step(1, "red")),
        ),
    },
    unit="none",
    quiet=text(
        "Aucun collecteur visible : réservé à qui lit toute la plateforme.",
        "No collector to be seen: only for who reads the whole platform.",
        "Kein Sammler sichtbar: nur für den, der die ganze Plattform liest.",
    ),
    span=16,
)

WAITING = Panel(
    kind=Kind.TABLE,
    title=text("En attente", "Waiting", "In Warteschlange"),
    description=text(
        "Demandes de calcul que le processeur n'a pas encore prises, toute la plateforme, et place"
        " que prennent les refus gardés. Quelques centaines qui se renouvellent sont normales.",
        "Requests to compute that the processor has not taken yet, of the whole platform, and the"
        " room that kept refusals take. Some hundreds that come and go are normal.",
        "Rechenanforderungen, die der Prozessor noch nicht genommen hat, der ganzen Plattform, und"
        " der Platz der aufbewahrten Ablehnungen. Einige Hundert, die wechseln, sind normal.",
    ),
    sql=(
        "SELECT marks_waiting::float8 AS marks, oldest_mark, changes_waiting::float8 AS changes,\n"
        "       oldest_change, refusal_bytes::float8 AS refusals\n  FROM reader.platform"
    ),
    columns={
        "marks": _count("Fenêtres", "Windows", "Fenster"),
        "oldest_mark": Column(Type.TIME, text("Depuis", "Since", "Seit")),
        "changes": _count("Indicateurs", "Indicators", "Kennzahlen"),
        "oldest_change": Column(Type.TIME, text("Depuis", "Since", "Seit")),
        "refusals": Column(
            Type.NUMBER,
            text("Refus gardés", "Refusals kept", "Ablehnungen"),
            unit=grafana_unit("By"),
            decimals=1,
        ),
    },
    unit="none",
    quiet=text("Rien n'attend.", "Nothing waits.", "Nichts wartet."),
    span=8,
)
