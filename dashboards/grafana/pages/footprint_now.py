"""Footprint: size, growth, what is left, and what a reading costs."""

from __future__ import annotations

from dashboards.grafana.growth import GROWTH
from dashboards.grafana.panel import Panel, Step
from dashboards.grafana.stats import number
from dashboards.grafana.text import Text, text
from dashboards.grafana.units import grafana_unit
from storage.catalogue import DOMAINS

UNKNOWN = text("inconnu", "unknown", "unbekannt")
_BYTES, _SECONDS, _PERCENT = grafana_unit("By"), grafana_unit("s"), grafana_unit("%")
_DAYS = grafana_unit("d")

READING_TABLES = ", ".join(f"'{domain}.reading'" for domain in DOMAINS)
NEWEST_DAY = "day = (SELECT max(day) FROM reader.relation_sizes)"


def _stat(
    title: Text,
    description: Text,
    sql: str,
    unit: str,
    steps: tuple[Step, ...] = (),
    decimals: int = 1,
) -> Panel:
    return number(
        title, description, sql, unit, steps, quiet=UNKNOWN, decimals=decimals, span=6, height=4
    )


STATS: tuple[Panel, ...] = (
    _stat(
        text("Taille de la base", "Size of the database", "Größe der Datenbank"),
        text(
            "Tout ce que la base contient, index compris, au dernier relevé horaire ; sans les"
            " journaux d'écriture ni les sauvegardes.",
            "Everything in the database with its indexes, as last sampled; without write-ahead log"
            " and backups.",
            "Alles in der Datenbank mit Indizes, laut letzter stündlicher Messung; ohne"
            " Schreibprotokoll und Sicherungen.",
        ),
        "SELECT database_bytes::float8 AS value FROM reader.platform",
        _BYTES,
    ),
    _stat(
        text("Croissance par jour", "Growth per day", "Wachstum je Tag"),
        text(
            "Pente d'une droite par les 14 derniers jours ; inconnue avant 3 jours. Une croissance"
            " plus vive que d'habitude : voir quelle table grossit, plus bas.",
            "Slope of a straight line through the last 14 days; unknown before 3 days. Faster than"
            " usual: see below which table grows.",
            "Steigung einer Geraden durch die letzten 14 Tage; unbekannt vor 3 Tagen. Schneller als"
            " sonst: unten nachsehen, welche Tabelle wächst.",
        ),
        f"SELECT g.per_day AS value FROM (\n{GROWTH}\n) g",
        _BYTES,
    ),
    _stat(
        text("Disque libre", "Free disk", "Freie Platte"),
        text(
            "Part libre du disque qui porte la base. Sous 10 % : libérer ou agrandir aujourd'hui."
            " Inconnue tant que PROCESSORS_DISK ne montre pas ce disque au processeur.",
            "Free share of the disk that holds the database. Below 10 %: free or enlarge it today."
            " Unknown unless PROCESSORS_DISK shows that disk to the processor.",
            "Freier Anteil der Platte mit der Datenbank. Unter 10 %: heute Platz schaffen oder"
            " vergrößern. Unbekannt, solange PROCESSORS_DISK dem Prozessor die Platte nicht zeigt.",
        ),
        "SELECT (100.0 * disk_free_bytes / nullif(disk_bytes, 0))::float8 AS value\n"
        "  FROM reader.platform",
        _PERCENT,
        (Step(None, "red"), Step(10, "orange"), Step(25, "green")),
    ),
    _stat(
        text("Disque plein dans", "Disk full in", "Platte voll in"),
        text(
            "Place libre divisée par la croissance des 14 derniers jours. Moins de 14 jours :"
            " prévoir de la place cette semaine. Inconnu si l'un des deux l'est, ou si la base ne"
            " grossit pas.",
            "Free room divided by the growth of the last 14 days. Less than 14 days: plan for room"
            " this week. Unknown if either is, or if the database does not grow.",
            "Freier Platz geteilt durch das Wachstum der letzten 14 Tage. Unter 14 Tagen: diese"
            " Woche Platz einplanen. Unbekannt, wenn eines es ist oder nichts wächst.",
        ),
        "SELECT (p.disk_free_bytes / g.per_day)::float8 AS value\n"
        f"  FROM reader.platform p\n  LEFT JOIN (\n{GROWTH}\n) g ON g.per_day > 0",
        _DAYS,
        (Step(None, "red"), Step(14, "orange"), Step(60, "green")),
        0,
    ),
    _stat(
        text("Octets par mesure", "Bytes per reading", "Bytes je Messwert"),
        text(
            "Tables de mesures brutes, index compris, divisées par leur nombre de lignes estimé.",
            "Tables of readings with their indexes, divided by their estimated number of rows.",
            "Tabellen der Messwerte mit Indizes, geteilt durch ihre geschätzte Zeilenzahl.",
        ),
        "SELECT (sum(table_bytes + index_bytes) / nullif(sum(rows), 0))::float8 AS value\n"
        f"  FROM reader.relation_sizes\n WHERE relation IN ({READING_TABLES}) AND {NEWEST_DAY}",
        _BYTES,
        decimals=0,
    ),
    _stat(
        text("Mesures par jour", "Readings per day", "Messwerte je Tag"),
        text(
            "Mesures nouvelles, moyenne des 7 derniers jours de la période, dans les communes que"
            " l'on peut lire.",
            "New readings, mean of the last 7 days of the range, in the communes one may read.",
            "Neue Messwerte, Mittel der letzten 7 Tage des Zeitraums in den lesbaren Gemeinden.",
        ),
        "SELECT (sum(readings_stored) / 7.0)::float8 AS value FROM reader.ledger_hours\n"
        " WHERE hour > $__timeTo()::timestamptz - interval '7 days' AND hour <= $__timeTo()",
        grafana_unit("1"),
    ),
    _stat(
        text("Processeur en 24 h", "Processor time in 24 h", "Rechenzeit in 24 h"),
        text(
            "Temps de calcul du collecteur et du processeur sur les 24 dernières heures de la"
            " période ; 86 400 s seraient un cœur occupé en permanence. Ce qui court depuis la"
            " dernière heure pleine manque encore.",
            "Computing time of collector and processor over the last 24 hours of the range; 86,400 s"
            " would be one core busy all the time. What runs since the last full hour is not in it"
            " yet.",
            "Rechenzeit von Sammler und Prozessor in den letzten 24 Stunden des Zeitraums; 86.400 s"
            " wären ein dauernd belegter Kern. Was seit der letzten vollen Stunde läuft, fehlt noch.",
        ),
        "SELECT sum(cpu_s) AS value FROM reader.footprint\n"
        " WHERE hour > $__timeTo()::timestamptz - interval '24 hours' AND hour <= $__timeTo()",
        _SECONDS,
        decimals=0,
    ),
    _stat(
        text("Mémoire des programmes", "Memory of the programs", "Speicher der Programme"),
        text(
            "Somme des pointes du collecteur et du processeur sur les 24 dernières heures de la"
            " période ; de plusieurs collecteurs, le plus grand.",
            "Sum of the peaks of collector and processor over the last 24 hours of the range; of"
            " several collectors the largest.",
            "Summe der Spitzen von Sammler und Prozessor in den letzten 24 Stunden des Zeitraums;"
            " von mehreren Sammlern der größte.",
        ),
        "SELECT sum(peak)::float8 AS value\n"
        "  FROM (SELECT max(memory_bytes) AS peak FROM reader.footprint\n"
        "         WHERE hour > $__timeTo()::timestamptz - interval '24 hours'\n"
        "           AND hour <= $__timeTo() GROUP BY program) p",
        _BYTES,
    ),
)
