"""Pipeline health: what came, what became of it, how late, how far computed."""

from __future__ import annotations

from dataclasses import replace

from dashboards.grafana.pages.pipeline_now import IN_TERRITORY
from dashboards.grafana.pages.pipeline_words import REASONS
from dashboards.grafana.pages.sensors_courses import TRADES, delays
from dashboards.grafana.panel import COURSE, Kind, Panel
from dashboards.grafana.queries import SPAN
from dashboards.grafana.text import Text, text
from dashboards.grafana.units import grafana_unit
from dashboards.grafana.words import words
from storage.catalogue import DOMAINS

_WEEK, _MONTHS = 7 * 86400, 62 * 86400
_COUNT = grafana_unit("1")
_NOTHING = text(
    "Rien n'est arrivé dans cette période.",
    "Nothing came in this range.",
    "In diesem Zeitraum kam nichts an.",
)


def _ledger(columns: str, span: str) -> str:
    """The ledger by hours up to two months, beyond that by days (UTC); text of a query.

    Up to a week the ledger itself, which knows the last minute; beyond that what the processor
    summed up once an hour.
    """
    where = f"$__timeFilter(hour) AND {IN_TERRITORY}"
    return (
        f"SELECT hour AS time, {columns} FROM reader.ledger\n"
        f" WHERE {where} AND {span} <= {_WEEK} GROUP BY 1\n"
        f"UNION ALL\nSELECT hour AS time, {columns} FROM reader.ledger_hours\n"
        f" WHERE {where} AND {span} > {_WEEK} AND {span} <= {_MONTHS} GROUP BY 1\n"
        f"UNION ALL\nSELECT time_bucket('1 day', hour) AS time, {columns}\n"
        f"  FROM reader.ledger_hours\n WHERE {where} AND {span} > {_MONTHS} GROUP BY 1"
    )


def _flow(title: Text, description: Text, lines: dict[str, Text]) -> Panel:
    """Bars of several columns of the ledger, one upon the other."""
    sums = ", ".join(f"sum({name})::float8 AS {name}" for name in lines)
    values = ",\n       ".join(f"({words(_quoted(name), lines)}, {name})" for name in lines)
    return Panel(
        kind=Kind.COURSE,
        title=title,
        description=description,
        sql=(
            f"SELECT time, m.metric, m.value FROM (\n{_ledger(sums, SPAN)}\n) l\n"
            f" CROSS JOIN LATERAL (VALUES\n       {values}) m (metric, value)\n ORDER BY 1, 2"
        ),
        columns=COURSE,
        unit=_COUNT,
        quiet=_NOTHING,
        decimals=0,
        bars=True,
        stacked=True,
        floor=0,
    )


def _quoted(name: str) -> str:
    return f"'{name}'"


FLOWS: tuple[Panel, ...] = (
    _flow(
        text("Messages", "Messages", "Nachrichten"),
        text(
            "Par heure de réception (par jour UTC au-delà de deux mois) : lus ou refusés en entier."
            " Des refus constants viennent d'un appareil à inscrire ou à corriger.",
            "By hour of reception (by UTC day beyond two months): read, or refused as a whole."
            " Steady refusals come from a device to be registered or corrected.",
            "Je Empfangsstunde (über zwei Monate: je UTC-Tag): gelesen oder ganz abgelehnt. Stete"
            " Ablehnungen kommen von einem Gerät, das anzumelden oder zu berichtigen ist.",
        ),
        {
            "messages_decoded": text("lus", "read", "gelesen"),
            "messages_refused": text("refusés", "refused", "abgelehnt"),
        },
    ),
    _flow(
        text("Mesures", "Readings", "Messwerte"),
        text(
            "Par heure de réception (par jour UTC au-delà de deux mois) : stockées, doublons,"
            " refusées. Beaucoup de doublons : un expéditeur répète, ou un historique est rejoué.",
            "By hour of reception (by UTC day beyond two months): stored, duplicate, refused. Many"
            " duplicates: a sender repeats itself, or a history is replayed.",
            "Je Empfangsstunde (über zwei Monate: je UTC-Tag): gespeichert, doppelt, abgelehnt."
            " Viele Doppelte: ein Absender wiederholt sich, oder ein Verlauf wird neu eingespielt.",
        ),
        {
            "readings_stored": text("stockées", "stored", "gespeichert"),
            "readings_duplicate": text("doublons", "duplicate", "doppelt"),
            "readings_refused": text("refusées", "refused", "abgelehnt"),
        },
    ),
    Panel(
        kind=Kind.COURSE,
        title=text("Refus par motif", "Refusals by reason", "Ablehnungen je Grund"),
        description=text(
            "Ce qui est encore gardé (7 jours d'ordinaire), par heure de réception : messages"
            " entiers et mesures. Le tableau plus bas dit que faire de chaque motif.",
            "What is still kept (usually 7 days), by hour of reception: whole messages and"
            " readings. The table below says what to do about each reason.",
            "Was noch aufbewahrt wird (meist 7 Tage), je Empfangsstunde: ganze Nachrichten und"
            " Messwerte. Die Tabelle unten sagt, was je Grund zu tun ist.",
        ),
        sql=(
            "SELECT time_bucket('1 hour', received_at) AS time,\n"
            f"       {words('reason', REASONS)} AS metric,\n"
            "       sum(CASE WHEN field = '' THEN messages ELSE readings END)::float8 AS value\n"
            "  FROM reader.refusals\n"
            f" WHERE $__timeFilter(received_at) AND {IN_TERRITORY}\n"
            " GROUP BY 1, reason ORDER BY 1, 2"
        ),
        columns=COURSE,
        unit=_COUNT,
        quiet=text(
            "Aucun refus gardé dans cette période.",
            "No refusal kept in this range.",
            "In diesem Zeitraum wird keine Ablehnung aufbewahrt.",
        ),
        decimals=0,
        bars=True,
        stacked=True,
        floor=0,
    ),
    Panel(
        kind=Kind.COURSE,
        title=text("Fenêtres provisoires", "Provisional windows", "Vorläufige Fenster"),
        description=text(
            "Part des quarts d'heure encore provisoires, dans les 6 dernières heures de la période."
            " Le quart d'heure en cours l'est toujours ; plus tôt, le processeur est en retard.",
            "Share of quarter-hours that are still provisional, in the last 6 hours of the range."
            " The current one always is; earlier ones mean that the processor is behind.",
            "Anteil noch vorläufiger Viertelstunden in den letzten 6 Stunden des Zeitraums. Die"
            " laufende ist es immer; frühere zeigen, dass der Prozessor zurückliegt.",
        ),
        sql=(
            f"SELECT start AS time, {words('trade', TRADES)} AS metric,\n"
            "       (100.0 * count(*) FILTER (WHERE provisional) / count(*))::float8 AS value\n"
            "  FROM (\n"
            + "\nUNION ALL\n".join(
                f"SELECT start, provisional, '{domain}' AS trade FROM reader.{domain}_quarter_hours\n"
                " WHERE start > $__timeTo()::timestamptz - interval '6 hours'\n"
                "   AND start <= $__timeTo() AND territory IN ($territory)"
                for domain in DOMAINS
            )
            + "\n) w GROUP BY start, trade ORDER BY 1, 2"
        ),
        columns=COURSE,
        unit=grafana_unit("%"),
        quiet=text(
            "Aucun quart d'heure dans ces 6 heures.",
            "No quarter-hour in these 6 hours.",
            "Keine Viertelstunde in diesen 6 Stunden.",
        ),
        floor=0,
        ceiling=100,
    ),
    replace(delays("territory IN ($territory)"), span=24),
)
