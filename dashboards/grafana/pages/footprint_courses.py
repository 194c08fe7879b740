"""Footprint: size, use and work over time, and what takes the room."""

from __future__ import annotations

from dashboards.grafana.pages.footprint_now import NEWEST_DAY
from dashboards.grafana.panel import COURSE, Column, Kind, Panel, Step, Type
from dashboards.grafana.text import Text, text
from dashboards.grafana.units import grafana_unit
from dashboards.grafana.words import words

_BYTES = grafana_unit("By")
_BUCKET = (
    "time_bucket(CASE WHEN $__unixEpochTo() - $__unixEpochFrom() > 5356800\n"
    "                        THEN interval '1 day' ELSE interval '1 hour' END, hour)"
)
"""Hours, beyond two months days (UTC)."""

_PROGRAMS = {
    "collector": text("collecteur", "collector", "Sammler"),
    "processor": text("processeur", "processor", "Prozessor"),
}
_NOT_SAMPLED = text(
    "Aucun relevé dans cette période : le premier vient avec l'heure pleine.",
    "Nothing sampled in this range: the first sample comes at the full hour.",
    "Keine Messung in diesem Zeitraum: die erste kommt zur vollen Stunde.",
)


def _course(title: Text, description: Text, sql: str, unit: str, *, bars: bool = False) -> Panel:
    return Panel(
        kind=Kind.COURSE,
        title=title,
        description=description,
        sql=sql,
        columns=COURSE,
        unit=unit,
        quiet=_NOT_SAMPLED,
        bars=bars,
        stacked=bars,
        floor=0,
    )


_SIZES = {
    "database": text("base", "database", "Datenbank"),
    "free": text("libre sur le disque", "free on the disk", "frei auf der Platte"),
}
_DATABASE, _FREE = words("'database'", _SIZES), words("'free'", _SIZES)
_STORED = words(
    "'readings'",
    {"readings": text("mesures stockées", "readings stored", "gespeicherte Messwerte")},
)

COURSES: tuple[Panel, ...] = (
    _course(
        text("Base et place libre", "Database and free room", "Datenbank und freier Platz"),
        text(
            "Taille de la base et place libre du disque qui la porte, au dernier relevé de chaque"
            " heure. Quand les deux se rejoignent, il est temps d'agrandir. Ce qui manque est"
            " inconnu.",
            "Size of the database and free room on its disk, as last sampled in each hour. When the"
            " two meet it is time to enlarge. What is missing is unknown.",
            "Größe der Datenbank und freier Platz auf ihrer Platte, letzte Messung jeder Stunde."
            " Treffen sie sich, ist es Zeit zu vergrößern. Was fehlt, ist unbekannt.",
        ),
        "SELECT time, m.metric, m.value FROM (\n"
        f"  SELECT {_BUCKET} AS time, max(database_bytes)::float8 AS database,\n"
        "         min(disk_free_bytes)::float8 AS free\n"
        "    FROM reader.footprint\n"
        "   WHERE $__timeFilter(hour) AND program = 'processor' GROUP BY 1) f\n"
        f" CROSS JOIN LATERAL (VALUES\n       ({_DATABASE}, database),\n"
        f"       ({_FREE}, free)) m (metric, value)\n"
        " WHERE m.value IS NOT NULL ORDER BY 1, 2",
        _BYTES,
    ),
    _course(
        text(
            "Temps de calcul par programme",
            "Processor time by program",
            "Rechenzeit je Programm",
        ),
        text(
            "Secondes de processeur par heure (par jour UTC au-delà de deux mois) ; 3 600 par heure"
            " serait un cœur plein. Un bond sans plus de mesures : historique importé ou recalcul.",
            "Seconds of processor time by hour (by UTC day beyond two months); 3,600 an hour would be"
            " a full core. A jump without more readings: a history imported, or computed anew.",
            "Rechensekunden je Stunde (über zwei Monate: je UTC-Tag); 3.600 je Stunde wären ein"
            " voller Kern. Ein Sprung ohne mehr Messwerte: Verlauf importiert oder neu berechnet.",
        ),
        f"SELECT {_BUCKET} AS time, {words('program', _PROGRAMS)} AS metric,\n"
        "       sum(cpu_s) AS value\n  FROM reader.footprint\n"
        " WHERE $__timeFilter(hour) GROUP BY 1, program ORDER BY 1, 2",
        grafana_unit("s"),
        bars=True,
    ),
    _course(
        text("Mémoire par programme", "Memory by program", "Speicher je Programm"),
        text(
            "Le plus de mémoire tenue depuis le démarrage de chaque programme. Un palier est normal ;"
            " une montée sans fin est une fuite : redémarrer et signaler.",
            "The most memory held since each program's start. A plateau is normal; an endless rise is"
            " a leak: start it anew and report it.",
            "Der meiste seit dem Start jedes Programms belegte Speicher. Ein Plateau ist normal;"
            " endloses Steigen ist ein Leck: neu starten und melden.",
        ),
        f"SELECT {_BUCKET} AS time, {words('program', _PROGRAMS)} AS metric,\n"
        "       max(memory_bytes)::float8 AS value\n  FROM reader.footprint\n"
        " WHERE $__timeFilter(hour) GROUP BY 1, program ORDER BY 1, 2",
        _BYTES,
    ),
    _course(
        text("Mesures stockées", "Readings stored", "Gespeicherte Messwerte"),
        text(
            "Mesures nouvelles par heure de réception (par jour UTC au-delà de deux mois), dans les"
            " communes que l'on peut lire : ce que les courbes voisines ont servi à faire.",
            "New readings by hour of reception (by UTC day beyond two months), in the communes one"
            " may read: what the courses beside were used for.",
            "Neue Messwerte je Empfangsstunde (über zwei Monate: je UTC-Tag) in den lesbaren"
            " Gemeinden: wofür der Aufwand nebenan diente.",
        ),
        f"SELECT {_BUCKET} AS time, {_STORED} AS metric,\n"
        "       sum(readings_stored)::float8 AS value\n  FROM reader.ledger_hours\n"
        " WHERE $__timeFilter(hour) GROUP BY 1 ORDER BY 1, 2",
        grafana_unit("1"),
        bars=True,
    ),
)

RELATIONS = Panel(
    kind=Kind.TABLE,
    title=text(
        "Tables, la plus grande d'abord", "Tables, largest first", "Tabellen, größte zuerst"
    ),
    description=text(
        "Hypertables avec tous leurs morceaux, et tables, au dernier relevé ; croissance sur les 7"
        " jours d'avant, vide si l'on ne sait pas. Les lignes sont estimées. reading : mesures brutes ;"
        " rollup : résumés ; figure : indicateurs.",
        "Hypertables with all their chunks, and tables, as last sampled; growth over the 7 days"
        " before, empty where unknown. Rows are estimated. reading: raw readings; rollup: summaries;"
        " figure: indicators.",
        "Hypertabellen mit allen Teilen und Tabellen, laut letzter Messung; Wachstum der 7 Tage davor,"
        " leer, wo unbekannt. Zeilen sind geschätzt. reading: Messwerte; rollup: Zusammenfassungen;"
        " figure: Kennzahlen.",
    ),
    sql=(
        "SELECT n.relation, n.rows::float8 AS rows, n.table_bytes::float8 AS data,\n"
        "       n.index_bytes::float8 AS indexes,\n"
        "       (n.table_bytes + n.index_bytes)::float8 AS total,\n"
        "       (100.0 * (n.table_bytes + n.index_bytes)\n"
        "        / nullif(sum(n.table_bytes + n.index_bytes) OVER (), 0))::float8 AS share,\n"
        "       ((n.table_bytes + n.index_bytes)::float8 / nullif(n.rows, 0)) AS per_row,\n"
        "       (n.table_bytes + n.index_bytes - b.table_bytes - b.index_bytes)::float8 AS grown\n"
        "  FROM reader.relation_sizes n\n"
        "  LEFT JOIN reader.relation_sizes b ON b.relation = n.relation AND b.day = n.day - 7\n"
        f" WHERE n.{NEWEST_DAY}\n ORDER BY total DESC, n.relation LIMIT 100"
    ),
    columns={
        "relation": Column(Type.TEXT, text("Table", "Table", "Tabelle")),
        "rows": Column(
            Type.NUMBER,
            text("Lignes (estimées)", "Rows (estimated)", "Zeilen (geschätzt)"),
            unit=grafana_unit("1"),
            decimals=1,
        ),
        "data": Column(Type.NUMBER, text("Données", "Data", "Daten"), decimals=1),
        "indexes": Column(Type.NUMBER, text("Index", "Indexes", "Indizes"), decimals=1),
        "total": Column(Type.NUMBER, text("Total", "Total", "Gesamt"), decimals=1),
        "share": Column(
            Type.NUMBER,
            text("Part", "Share", "Anteil"),
            unit=grafana_unit("%"),
            decimals=1,
            steps=(Step(None, "blue"),),
            gauge=True,
        ),
        "per_row": Column(
            Type.NUMBER, text("Octets par ligne", "Bytes per row", "Bytes je Zeile"), decimals=0
        ),
        "grown": Column(Type.NUMBER, text("En 7 jours", "In 7 days", "In 7 Tagen"), decimals=1),
    },
    unit=_BYTES,
    quiet=text(
        "Aucun relevé encore : le premier vient au démarrage du processeur.",
        "Nothing sampled yet: the first sample comes when the processor starts.",
        "Noch keine Messung: die erste kommt mit dem Start des Prozessors.",
    ),
    span=24,
    height=14,
)
