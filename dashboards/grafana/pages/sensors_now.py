"""Sensor health: what is the matter now, and what to do about it."""

from __future__ import annotations

from dashboards.grafana.moment import OPEN, UNWATCHED, open_alerts
from dashboards.grafana.pages.sensors_figures import last_days
from dashboards.grafana.pages.sensors_words import (
    ACTION_SQL,
    KIND_SQL,
    MEASURED,
    PLACE,
    PROBLEM,
    SENSOR,
)
from dashboards.grafana.panel import Column, Kind, Panel, Step, Type
from dashboards.grafana.queries import CHOSEN
from dashboards.grafana.stats import number
from dashboards.grafana.text import Text, text
from dashboards.grafana.units import DURATION, grafana_unit

_NONE_GOOD = (Step(None, "green"), Step(1, "orange"), Step(10, "red"))
_SHARE = (Step(None, "red"), Step(80, "orange"), Step(95, "green"))
"""Steps of a share; 75 % is the least that the law asks of air measurements, 95 % what a sensor
that nobody has to visit does."""

SILENT_STEPS = 6
"""As on the public board: after six steps without a reading a figure is stale."""

_NO_DAY = text(
    "Aucun jour complet pour l'instant : à revoir demain.",
    "No whole day yet: look again tomorrow.",
    "Noch kein ganzer Tag: morgen wieder nachsehen.",
)


def _stat(
    title: Text, description: Text, sql: str, steps: tuple[Step, ...], unit: str, quiet: Text
) -> Panel:
    decimals = 1 if unit == grafana_unit("%") else 0
    return number(title, description, sql, unit, steps, quiet=quiet, decimals=decimals)


_COUNT = grafana_unit("1")

LISTENED = (
    "(EXISTS (SELECT FROM reader.heard)"
    " OR EXISTS (SELECT FROM reader.footprint WHERE hour < now() - interval '2 hours'))"
)
"""Who speaks is noted once an hour: before the first time nobody is known to be silent."""

STATS: tuple[Panel, ...] = (
    _stat(
        text("Séries muettes", "Silent series", "Stumme Reihen"),
        text(
            "Alertes de silence ouvertes : rien reçu depuis 4 pas de mesure et au moins 30 minutes"
            " (réglable). À faire : le tableau ci-dessous.",
            "Open alerts of silence: nothing received for 4 steps and at least 30 minutes"
            " (configurable). What to do: the table below.",
            "Offene Warnungen wegen Stille: seit 4 Messschritten und mindestens 30 Minuten nichts"
            " empfangen (einstellbar). Was zu tun ist: Tabelle unten.",
        ),
        open_alerts("count(*)", f"kind = 'silence' AND {CHOSEN}"),
        _NONE_GOOD,
        _COUNT,
        UNWATCHED,
    ),
    _stat(
        text("Mesures douteuses", "Doubtful series", "Zweifelhafte Reihen"),
        text(
            "Séries avec une alerte ouverte : figée, en dérive, ou passée à un autre niveau. Leurs"
            " chiffres sont à prendre avec réserve tant que personne n'a regardé.",
            "Series with an open alert: stuck, drifting, or on another level. Take their figures"
            " with care until somebody has looked.",
            "Reihen mit offener Warnung: stehengeblieben, driftend oder auf anderem Niveau. Ihre"
            " Zahlen mit Vorsicht verwenden, bis jemand nachgesehen hat.",
        ),
        open_alerts("count(DISTINCT series_id)", f"kind <> 'silence' AND {CHOSEN}"),
        _NONE_GOOD,
        _COUNT,
        UNWATCHED,
    ),
    _stat(
        text("Jamais entendues", "Never heard", "Nie gehört"),
        text(
            "Séries inscrites depuis plus d'un jour dont rien n'est jamais arrivé. À faire :"
            " comparer le code et le champ inscrits à ce que l'appareil envoie : beffroi sensors"
            " discover.",
            "Series registered for more than a day of which nothing ever came. To do: compare the"
            " registered code and field with what the device sends: beffroi sensors discover.",
            "Seit mehr als einem Tag angemeldete Reihen, von denen nie etwas kam. Zu tun:"
            " angemeldeten Code und Feld mit dem vergleichen, was das Gerät sendet: beffroi"
            " sensors discover.",
        ),
        f"SELECT CASE WHEN {LISTENED} THEN count(*) END AS value FROM reader.series\n"
        f" WHERE in_service AND {CHOSEN}\n"
        "   AND coalesce(valid_from, '-infinity') < now() - interval '1 day'\n"
        "   AND series_id NOT IN (SELECT series_id FROM reader.heard)",
        _NONE_GOOD,
        _COUNT,
        text(
            "Pas encore relevé : à revoir dans une heure.",
            "Not noted yet: look again in an hour.",
            "Noch nicht erfasst: in einer Stunde nachsehen.",
        ),
    ),
    _stat(
        text("Mesures reçues", "Readings received", "Empfangene Messwerte"),
        text(
            "Mesures reçues sur celles que le pas annoncé appelle, sur les 7 derniers jours"
            " complets. Bas : réseau, batterie, ou pas mal inscrit.",
            "Readings received of those that the registered step calls for, over the last 7 whole"
            " days. Low: network, battery, or a wrong step.",
            "Empfangene Messwerte von denen, die der angemeldete Schritt verlangt, über die letzten"
            " 7 ganzen Tage. Niedrig: Netz, Batterie oder falscher Schritt.",
        ),
        "SELECT 100.0 * sum(least(n, due)) / nullif(sum(due), 0) AS value FROM (\n"
        + last_days("coverage", "n, due")
        + "\n) d",
        _SHARE,
        grafana_unit("%"),
        _NO_DAY,
    ),
    _stat(
        text("Disponibilité", "Availability", "Verfügbarkeit"),
        text(
            "Heures où les séries ont parlé au moins une fois, sur les 7 derniers jours complets."
            " Séries qui parlent au moins une fois par heure seulement.",
            "Hours in which the series spoke at least once, over the last 7 whole days. Only of"
            " series that should speak every hour.",
            "Stunden, in denen die Reihen mindestens einmal sprachen, über die letzten 7 ganzen"
            " Tage. Nur Reihen, die stündlich sprechen sollen.",
        ),
        "SELECT 100.0 * sum(n) / nullif(sum(due), 0) AS value FROM (\n"
        + last_days("availability", "n, due")
        + "\n) d",
        _SHARE,
        grafana_unit("%"),
        _NO_DAY,
    ),
    _stat(
        text("Retard moyen", "Mean delay", "Mittlere Verspätung"),
        text(
            "De l'horodatage de la mesure à sa réception, sur les 24 dernières heures de la"
            " période ; les mesures sans horodatage n'y comptent pas. Un pas entier est normal où"
            " l'heure marque le début d'un intervalle. Élevé : horloges ou réseau.",
            "From a reading's time stamp to its reception, over the last 24 hours of the range;"
            " readings without a time stamp do not count. A whole step is normal where the time"
            " marks the start of an interval. High: clocks or network.",
            "Vom Zeitstempel des Messwerts bis zum Empfang, über die letzten 24 Stunden des"
            " Zeitraums; Messwerte ohne Zeitstempel zählen nicht. Ein ganzer Schritt ist normal, wo"
            " die Zeit den Beginn eines Intervalls meint. Hoch: Uhren oder Netz.",
        ),
        "SELECT sum(mean_s * readings) / nullif(sum(readings), 0) AS value FROM reader.delays\n"
        " WHERE hour > $__timeTo()::timestamptz - interval '24 hours'\n"
        f"   AND hour <= $__timeTo()::timestamptz AND {CHOSEN}",
        (Step(None, "green"), Step(1800, "orange"), Step(7200, "red")),
        DURATION,
        text(
            "Aucun retard connu sur ces 24 heures.",
            "No delay known in these 24 hours.",
            "In diesen 24 Stunden ist keine Verspätung bekannt.",
        ),
    ),
)

TO_DO = Panel(
    kind=Kind.TABLE,
    title=text("À faire", "To do", "Zu tun"),
    description=text(
        "Chaque alerte ouverte avec l'action conseillée, les silences d'abord, puis la plus"
        " ancienne (200 lignes au plus). Une alerte se ferme seule quand son motif disparaît ;"
        " un capteur retiré se déclare : beffroi sensors retire.",
        "Every open alert with what to do about it, silence first, then the oldest (200 rows at"
        " most). An alert closes by itself when its cause is gone; say so when a sensor was taken"
        " away: beffroi sensors retire.",
        "Jede offene Warnung mit dem Rat dazu, Stille zuerst, dann die älteste (höchstens 200"
        " Zeilen). Eine Warnung schließt sich, wenn ihr Grund entfällt; abgebaute Sensoren"
        " abmelden: beffroi sensors retire.",
    ),
    sql=(
        "SELECT territory, site, site_name, sensor, label_@language AS measured,\n"
        f"       {KIND_SQL} AS problem,\n       since, value, unit,\n       {ACTION_SQL} AS action\n"
        f"  FROM reader.alerts\n WHERE {OPEN} AND {CHOSEN}\n"
        " ORDER BY kind <> 'silence', since LIMIT 200"
    ),
    columns={
        **PLACE,
        "sensor": SENSOR,
        "measured": MEASURED,
        "problem": PROBLEM,
        "since": Column(Type.TIME, text("Depuis", "Since", "Seit")),
        "value": Column(
            Type.NUMBER,
            text("Valeur à l'ouverture", "Value when opened", "Wert beim Öffnen"),
            decimals=2,
            width=120,
        ),
        "unit": Column(Type.TEXT, text("Unité", "Unit", "Einheit"), width=80),
        "action": Column(Type.TEXT, text("Action", "Action", "Maßnahme"), wrapped=True),
    },
    unit="none",
    quiet=text(
        "Aucune alerte ouverte.",
        "No open alert.",
        "Keine offene Warnung.",
    ),
    span=24,
    height=10,
)

SILENT = Panel(
    kind=Kind.TABLE,
    title=text(
        f"Sans nouvelles depuis plus de {SILENT_STEPS} pas",
        f"Not heard for more than {SILENT_STEPS} steps",
        f"Seit mehr als {SILENT_STEPS} Schritten nicht gehört",
    ),
    description=text(
        "Séries en service dont la dernière mesure, relevée chaque heure pleine, a plus de"
        f" {SILENT_STEPS} pas ; celles qui n'ont jamais parlé sont à la fin. Plusieurs au même"
        " lieu : alimentation ou passerelle ; partout : collecteur, courtier ou réseau.",
        f"Series in service whose last reading, noted every full hour, is more than {SILENT_STEPS}"
        " steps old; those that never spoke come last. Several at one site: power or gateway;"
        " everywhere: collector, broker or network.",
        "Reihen in Betrieb, deren letzter Messwert, stündlich festgehalten, älter als"
        f" {SILENT_STEPS} Schritte ist; zuletzt solche, die nie sprachen. Mehrere an einem Ort:"
        " Strom oder Gateway; überall: Sammler, Broker oder Netz.",
    ),
    sql=(
        "SELECT s.territory, s.site, s.site_name, s.sensor, s.label_@language AS measured,\n"
        "       s.step_s::float8 AS step, h.last,\n"
        "       floor(extract(epoch FROM now() - h.last) / s.step_s)::float8 AS missed\n"
        "  FROM reader.series s\n  LEFT JOIN reader.heard h ON h.series_id = s.series_id\n"
        " WHERE s.in_service AND s.step_s > 0\n"
        "   AND s.territory IN ($territory) AND s.site IN ($site)\n"
        f"   AND (h.last IS NULL AND {LISTENED}\n"
        "        OR h.last < date_trunc('hour', now() - interval '5 minutes')\n"
        f"                    - {SILENT_STEPS} * s.step_s * interval '1 second')\n"
        " ORDER BY h.last DESC NULLS LAST, s.site_name, s.sensor LIMIT 200"
    ),
    columns={
        **PLACE,
        "sensor": SENSOR,
        "measured": MEASURED,
        "step": Column(
            Type.NUMBER, text("Pas", "Step", "Schritt"), unit=grafana_unit("s"), width=90
        ),
        "last": Column(
            Type.TIME,
            text("Dernière mesure", "Last reading", "Letzter Messwert"),
        ),
        "missed": Column(
            Type.NUMBER,
            text("Mesures manquées", "Readings missed", "Verpasste Messwerte"),
            decimals=0,
            width=150,
        ),
    },
    unit="none",
    quiet=text(
        "Aucune série muette connue.",
        "No silent series known.",
        "Keine stumme Reihe bekannt.",
    ),
    span=24,
    height=8,
)
