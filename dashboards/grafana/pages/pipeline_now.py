"""Pipeline health: is anything lost, late or waiting at this moment."""

from __future__ import annotations

from dashboards.grafana.panel import Panel, Step
from dashboards.grafana.stats import number
from dashboards.grafana.text import Text, text
from dashboards.grafana.units import DURATION, grafana_unit

IN_TERRITORY = "(territory IN ($territory) OR territory = '')"
"""Whoever reads everything also sees what belongs to no territory."""

_LAG = (Step(None, "green"), Step(300, "orange"), Step(900, "red"))
_WAIT = (Step(None, "green"), Step(600, "orange"), Step(1800, "red"))
_NOTHING_YET = text("rien reçu encore", "nothing received yet", "noch nichts empfangen")


def _stat(
    title: Text,
    description: Text,
    sql: str,
    unit: str,
    steps: tuple[Step, ...] = (),
    *,
    quiet: Text = _NOTHING_YET,
    decimals: int = 0,
) -> Panel:
    return number(title, description, sql, unit, steps, quiet=quiet, decimals=decimals)


_COUNT, _PERCENT = grafana_unit("1"), grafana_unit("%")
_LAST_DAY = "hour > $__timeTo()::timestamptz - interval '24 hours' AND hour <= $__timeTo()"

LAST_COMMIT = _stat(
    text("Dernier enregistrement", "Last commit", "Letzte Speicherung"),
    text(
        "Temps depuis que la base a enregistré quelque chose, toute la plateforme. Au-delà de"
        " 15 minutes : collecteur, courtier, réseau, disque, dans cet ordre : beffroi doctor.",
        "Time since the database stored anything, of the whole platform. Beyond 15 minutes:"
        " collector, broker, network, disk, in this order: beffroi doctor.",
        "Zeit, seit die Datenbank etwas gespeichert hat, der ganzen Plattform. Über 15 Minuten:"
        " Sammler, Broker, Netz, Platte, in dieser Reihenfolge: beffroi doctor.",
    ),
    "SELECT extract(epoch FROM now() - newest_commit)::float8 AS value FROM reader.platform",
    DURATION,
    _LAG,
)
"""Also what somebody on duty looks at first: whether anything is stored at all."""

STATS: tuple[Panel, ...] = (
    _stat(
        text(
            "Heures qui ne s'équilibrent pas",
            "Hours that do not balance",
            "Stunden, die nicht aufgehen",
        ),
        text(
            "Heures de capteur où messages reçus ≠ décodés + refusés, ou mesures décodées ≠"
            " stockées + doublons + refusées ; toute la plateforme, depuis toujours. Doit rester à"
            " 0. Sinon : beffroi ledger --check, et ne rien effacer.",
            "Sensor-hours in which messages received ≠ decoded + refused, or readings decoded ≠"
            " stored + duplicate + refused; of the whole platform, since ever. Must stay 0. If not:"
            " beffroi ledger --check, and delete nothing.",
            "Sensorstunden, in denen empfangene Nachrichten ≠ gelesene + abgelehnte, oder gelesene"
            " Werte ≠ gespeicherte + doppelte + abgelehnte; der ganzen Plattform, seit jeher. Muss"
            " 0 bleiben. Sonst: beffroi ledger --check und nichts löschen.",
        ),
        "SELECT unbalanced AS value FROM reader.platform",
        _COUNT,
        (Step(None, "green"), Step(1, "red")),
    ),
    LAST_COMMIT,
    _stat(
        text("Mesures stockées en 24 h", "Readings stored in 24 h", "In 24 h gespeicherte Werte"),
        text(
            "Mesures nouvelles des 24 dernières heures de la période, dans les communes choisies."
            " Une baisse sans alerte de silence : regarder doublons et refus.",
            "New readings of the last 24 hours of the range, in the chosen communes. A fall without"
            " alerts of silence: look at duplicates and refusals.",
            "Neue Messwerte der letzten 24 Stunden des Zeitraums in den gewählten Gemeinden. Sinkt"
            " es ohne Stille-Warnung: Doppelte und Abgelehnte ansehen.",
        ),
        "SELECT coalesce(sum(readings_stored), 0)::float8 AS value FROM reader.ledger\n"
        f" WHERE {_LAST_DAY} AND {IN_TERRITORY}",
        _COUNT,
        quiet=text("0", "0", "0"),
    ),
    _stat(
        text("Part refusée en 24 h", "Share refused in 24 h", "In 24 h abgelehnt"),
        text(
            "Messages et mesures refusés sur tout ce qui est arrivé, 24 dernières heures de la"
            " période. Au-dessus de 5 % : voir les motifs plus bas ; rien n'est perdu avant 7 jours"
            " (réglable), beffroi refusals replay.",
            "Messages and readings refused of everything that came, last 24 hours of the range."
            " Above 5 %: see the reasons below; nothing is lost for 7 days (configurable), beffroi"
            " refusals replay.",
            "Abgelehnte Nachrichten und Messwerte von allem, was kam, in den letzten 24 Stunden des"
            " Zeitraums. Über 5 %: Gründe unten; 7 Tage lang (einstellbar) ist nichts verloren,"
            " beffroi refusals replay.",
        ),
        "SELECT (100.0 * sum(messages_refused + readings_refused)\n"
        "        / nullif(sum(messages_refused + readings_decoded), 0))::float8 AS value\n"
        f"  FROM reader.ledger\n WHERE {_LAST_DAY} AND {IN_TERRITORY}",
        _PERCENT,
        (Step(None, "green"), Step(1, "orange"), Step(5, "red")),
        quiet=text(
            "rien reçu en 24 heures",
            "nothing received in 24 hours",
            "in 24 Stunden nichts empfangen",
        ),
        decimals=2,
    ),
    _stat(
        text(
            "Plus ancienne demande de calcul",
            "Oldest request to compute",
            "Älteste Rechenanforderung",
        ),
        text(
            "Âge de la plus ancienne marque que le processeur n'a pas encore prise ; 0 : tout est"
            " calculé. Au-delà de 30 minutes sans import en cours : voir le journal de beffroi"
            " process.",
            "Age of the oldest mark that the processor has not taken; 0: everything is computed."
            " Beyond 30 minutes with no import going on: see the log of beffroi process.",
            "Alter der ältesten Marke, die der Prozessor noch nicht genommen hat; 0: alles ist"
            " berechnet. Über 30 Minuten ohne laufenden Import: Protokoll von beffroi process.",
        ),
        "SELECT coalesce(extract(epoch FROM now() - least(oldest_mark, oldest_change)), 0)::float8\n"
        "       AS value\n  FROM reader.platform",
        DURATION,
        _WAIT,
    ),
    _stat(
        text("Collecteurs connectés", "Collectors connected", "Verbundene Sammler"),
        text(
            "Collecteurs connectés au courtier et vus depuis moins de 2 minutes, toute la"
            " plateforme. 0 : plus rien n'entre, le courtier garde les messages ; relancer beffroi"
            " collect.",
            "Collectors connected to the broker and seen within 2 minutes, of the whole platform. 0:"
            " nothing comes in, the broker keeps the messages; start beffroi collect.",
            "Mit dem Broker verbundene, in den letzten 2 Minuten gesehene Sammler der ganzen"
            " Plattform. 0: nichts kommt herein, der Broker behält die Nachrichten; beffroi collect"
            " starten.",
        ),
        "SELECT collectors_connected AS value FROM reader.platform",
        _COUNT,
        (Step(None, "red"), Step(1, "green")),
    ),
)
