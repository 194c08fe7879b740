"""What there is to do: alerts with their action, and measures that the city took."""

from __future__ import annotations

from dataclasses import replace

from dashboards.grafana.columns import PLACE, SENSOR
from dashboards.grafana.moment import OPEN, TO
from dashboards.grafana.page import Section
from dashboards.grafana.pages.air_words import GREEN, GREY, ORANGE, RED
from dashboards.grafana.panel import Class, Column, Kind, Panel, Type
from dashboards.grafana.queries import CHOSEN
from dashboards.grafana.text import LANGUAGES, Text, text
from storage.alerts import AlertKind, to_do
from storage.evaluations import WORDS, Verdict

_KIND_WORDS: dict[AlertKind, tuple[Text, str]] = {
    AlertKind.SILENCE: (text("muet", "silent", "stumm"), RED),
    AlertKind.STUCK: (text("figé", "stuck", "stehengeblieben"), ORANGE),
    AlertKind.DRIFT: (text("dérive", "drift", "Drift"), ORANGE),
    AlertKind.JUMP: (text("saut", "jump", "Sprung"), ORANGE),
}
_KINDS = tuple(Class(number, *_KIND_WORDS[kind]) for number, kind in enumerate(AlertKind, start=1))
_ACTIONS = tuple(
    Class(number, {language: to_do(kind, language) for language in LANGUAGES}, "text")
    for number, kind in enumerate(AlertKind, start=1)
)


def _position(values: tuple[str, ...], column: str) -> str:
    """Where a word stands in a list, from 1."""
    listed = ", ".join(f"'{one}'" for one in values)
    return f"array_position(ARRAY[{listed}], {column})"


_KIND = _position(tuple(AlertKind), "kind")

_ALERTS = Panel(
    kind=Kind.TABLE,
    title=text("Alertes ouvertes, les plus récentes d'abord", "Open alerts, the newest first", "Offene Warnungen, die neuesten zuerst"),
    description=text(
        "Les 50 dernières alertes ouvertes et quoi faire. Un clic sur le lieu mène à ses capteurs ;"
        " toutes : beffroi alerts list.",
        "The 50 newest open alerts and what to do. A click on the site leads to its sensors; all of"
        " them: beffroi alerts list.",
        "Die 50 neuesten offenen Warnungen und was zu tun ist. Ein Klick auf den Ort führt zu seinen"
        " Sensoren; alle: beffroi alerts list.",
    ),
    sql=(
        "SELECT opened_at AS opened, territory, site, site_name, sensor, label_@language AS measured,\n"
        f"       {_KIND} AS kind, since, {_KIND} AS action\n"
        "  FROM reader.alerts\n"
        f" WHERE {OPEN} AND {CHOSEN}\n"
        " ORDER BY opened_at DESC, site_name, sensor, metric LIMIT 50"
    ),
    columns={
        "opened": Column(Type.TIME, text("Ouverte", "Opened", "Geöffnet"), width=160),
        **PLACE,
        "site_name": replace(PLACE["site_name"], width=160),
        "sensor": replace(SENSOR, width=110),
        "measured": Column(Type.TEXT, text("Mesure", "Metric", "Messgröße"), width=160),
        "kind": Column(Type.NUMBER, text("Alerte", "Alert", "Warnung"), classes=_KINDS, width=90),
        "since": Column(Type.TIME, text("Depuis", "Since", "Seit"), width=160),
        "action": Column(Type.NUMBER, text("À faire", "To do", "Zu tun"), classes=_ACTIONS),
    },
    unit="none",
    quiet=text(
        "Aucune alerte ouverte.",
        "No alert is open.",
        "Keine Warnung offen.",
    ),
    span=24,
    height=10,
)  # fmt: skip

_VERDICT_COLORS = {Verdict.EXPECTED: GREEN, Verdict.AGAINST: RED, Verdict.OPEN: GREY}
VERDICTS = (
    Class(0, text("pas encore évaluée", "not evaluated yet", "noch nicht bewertet"), GREY),
    *(
        Class(number, WORDS[verdict], _VERDICT_COLORS[verdict])
        for number, verdict in enumerate(Verdict, start=1)
    ),
)
_EXPECTED = (
    Class(1, text("baisse", "down", "weniger"), "text"),
    Class(2, text("hausse", "up", "mehr"), "text"),
)

_MEASURES = Panel(
    kind=Kind.TABLE,
    title=text("Mesures en vigueur", "Measures in force", "Geltende Maßnahmen"),
    description=text(
        "Ce que la ville a décidé, ce qu'elle en attend, et ce que les mesures en disent : l'effet aux"
        " lieux touchés de plus qu'ailleurs, avec son intervalle à 95 %. « Non concluant » : attendre"
        " des jours de plus ; beffroi measures show dit pourquoi.",
        "What the city decided, what it expects of it, and what readings say: how much more the"
        " touched sites changed than the others, with its interval of 95 %. Not conclusive: wait for"
        " more days; beffroi measures show says why.",
        "Was die Stadt beschloss, was sie davon erwartet und was die Messwerte sagen: wie viel mehr"
        " sich die betroffenen Orte änderten als die anderen, mit Intervall von 95 %. Nicht"
        " aussagekräftig: weitere Tage abwarten; beffroi measures show sagt, warum.",
    ),
    sql=(
        "SELECT m.title_@language AS title, m.territory_name, m.since, m.until,\n"
        "       coalesce(i.label_@language, q.label_@language, nullif(m.indicator, ''), m.metric)\n"
        "       AS compared,\n"
        f"       {_position(('down', 'up'), 'expected')} AS expected,\n"
        f"       coalesce({_position(tuple(Verdict), 'verdict')}, 0) AS verdict,\n"
        "       m.estimate, m.low, m.high, nullif(m.unit, '1') AS unit, m.days_after,\n"
        "       m.computed_at AS computed\n"
        "  FROM (SELECT n.*, n.in_force::timestamp AT TIME ZONE t.timezone AS since,\n"
        "               n.ends::timestamp AT TIME ZONE t.timezone AS until\n"
        "          FROM reader.measures n JOIN reader.territories t USING (territory)\n"
        "         WHERE territory IN ($territory)) m\n"
        "  LEFT JOIN reader.indicators i USING (indicator)\n"
        "  LEFT JOIN reader.metrics q USING (metric)\n"
        f" WHERE m.since <= {TO} AND (m.until IS NULL OR m.until > {TO})\n"
        " ORDER BY m.in_force DESC, m.code"
    ),
    columns={
        "title": Column(Type.TEXT, text("Mesure", "Measure", "Maßnahme"), width=260),
        "territory_name": Column(Type.TEXT, text("Commune", "Commune", "Gemeinde")),
        "since": Column(Type.TIME, text("Depuis", "Since", "Seit"), unit="time:YYYY-MM-DD", width=110),
        "until": Column(Type.TIME, text("Jusqu'à", "Until", "Bis"), unit="time:YYYY-MM-DD", width=110),
        "compared": Column(Type.TEXT, text("Ce qui est comparé", "What is compared", "Was verglichen wird")),
        "expected": Column(Type.NUMBER, text("Attendu", "Expected", "Erwartet"), classes=_EXPECTED, width=90),
        "verdict": Column(Type.NUMBER, text("Verdict", "Verdict", "Urteil"), classes=VERDICTS, width=200),
        "estimate": Column(Type.NUMBER, text("Effet", "Effect", "Wirkung"), unit="none", decimals=1, width=80),
        "low": Column(Type.NUMBER, text("de", "from", "von"), unit="none", decimals=1, width=80),
        "high": Column(Type.NUMBER, text("à", "to", "bis"), unit="none", decimals=1, width=80),
        "unit": Column(Type.TEXT, text("Unité", "Unit", "Einheit"), width=80),
        "days_after": Column(Type.NUMBER, text("Jours après", "Days after", "Tage danach"), unit="none", width=110),
        "computed": Column(Type.TIME, text("Évaluée", "Evaluated", "Bewertet"), width=160),
    },
    unit="none",
    quiet=text(
        "Aucune mesure en vigueur : en déclarer une avec beffroi measures register.",
        "No measure in force: register one with beffroi measures register.",
        "Keine geltende Maßnahme: eine melden mit beffroi measures register.",
    ),
    span=24,
    height=8,
)  # fmt: skip

WORK = Section(text("À faire", "To do", "Zu tun"), (_ALERTS,))
DECISIONS = Section(
    text("Mesures de la ville", "Measures of the city", "Maßnahmen der Stadt"), (_MEASURES,)
)
