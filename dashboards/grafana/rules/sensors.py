"""Sensors that somebody should look after: what the watch over all trades found."""

from __future__ import annotations

from dashboards.grafana.rule import Rule
from dashboards.grafana.rules.rows import (
    SERIES,
    SITE,
    TERRITORY,
    VALUE,
    WHERE,
    WHO,
    label,
    names,
    number,
)
from dashboards.grafana.text import LANGUAGES, Text, text
from storage.alerts import (
    LEAST_TOGETHER,
    SHARE_TOGETHER,
    AlertKind,
    to_do,
    to_do_together,
)

_PAGE = "beffroi-sensors"
_GROUP = "beffroi-sensors"

_SILENT = f"""
WITH silent AS (
     SELECT * FROM reader.alerts WHERE kind = 'silence' AND closed_at IS NULL AND in_service),
watched AS (
     SELECT territory, count(*) AS series FROM reader.heard WHERE in_service AND step_s > 0
      GROUP BY territory),
together AS (
     SELECT s.territory, s.territory_name, 100.0 * count(*) / w.series AS share
       FROM silent s JOIN watched w USING (territory)
      GROUP BY s.territory, s.territory_name, w.series
     HAVING count(*) >= {LEAST_TOGETHER} AND count(*) > {SHARE_TOGETHER} * w.series)
""".strip()

_OUTAGE = f"{_SILENT}\nSELECT {names(TERRITORY, 't')}, t.share::float8 AS value FROM together t"

_SITES = f"""
{_SILENT}
SELECT {names(SITE, "s")}, count(*)::float8 AS value
  FROM silent s
 WHERE s.territory NOT IN (SELECT territory FROM together)
 GROUP BY {names(SITE, "s")}
""".strip()


def _open(kind: AlertKind) -> str:
    return f"""
SELECT {names(SERIES, "a", label="a.label_@language AS label")},
       max(extract(epoch FROM now() - a.opened_at) / 86400)::float8 AS value
  FROM reader.alerts a
 WHERE a.kind = '{kind}' AND a.closed_at IS NULL AND a.in_service
 GROUP BY {names(SERIES, "a", label="a.label_@language")}
""".strip()


_TITLES: dict[AlertKind, Text] = {
    AlertKind.STUCK: text(
        "Capteur figé sur une valeur", "Sensor stuck at one value", "Sensor bleibt bei einem Wert"
    ),
    AlertKind.DRIFT: text(
        "Capteur qui dérive de ses voisins",
        "Sensor drifting from its neighbours",
        "Sensor driftet von den Nachbarn weg",
    ),
    AlertKind.JUMP: text(
        "Capteur passé à un autre niveau",
        "Sensor measures on another level",
        "Sensor misst auf anderem Niveau",
    ),
}
_SAID: dict[AlertKind, Text] = {
    AlertKind.STUCK: text(
        f"Toujours la même valeur : {WHO}.", f"Always one value: {WHO}.", f"Immer ein Wert: {WHO}."
    ),
    AlertKind.DRIFT: text(
        f"S'écarte de ses voisins depuis quatre semaines : {WHO}.",
        f"Goes away from its neighbours over four weeks: {WHO}.",
        f"Entfernt sich seit vier Wochen von den Nachbarn: {WHO}.",
    ),
    AlertKind.JUMP: text(
        f"Mesure soudain à un autre niveau : {WHO}.",
        f"Suddenly measures on another level: {WHO}.",
        f"Misst plötzlich auf anderem Niveau: {WHO}.",
    ),
}


def _action(kind: AlertKind) -> Text:
    return {language: f"{to_do(kind, language)}." for language in LANGUAGES}


SENSORS: tuple[Rule, ...] = (
    Rule(
        uid="beffroi-outage",
        group=_GROUP,
        title=text(
            "La plupart des capteurs d'une commune se taisent",
            "Most sensors of a commune are silent",
            "Die meisten Sensoren einer Gemeinde schweigen",
        ),
        summary=text(
            f"{label('territory_name')} : {number()} % des séries se taisent.",
            f"{label('territory_name')}: {number()} % of the series are silent.",
            f"{label('territory_name')}: {number()} % der Reihen schweigen.",
        ),
        action={language: f"{to_do_together(language)}." for language in LANGUAGES},
        sql=_OUTAGE,
        columns={**TERRITORY, **VALUE},
        above=0,
        page=_PAGE,
        severity="critical",
        every_s=60,
        for_s=120,
    ),
    Rule(
        uid="beffroi-silence",
        group=_GROUP,
        title=text("Capteurs muets", "Silent sensors", "Stumme Sensoren"),
        summary=text(
            f"{WHERE} : {number()} série(s) sans mesure.",
            f"{WHERE}: {number()} series without a reading.",
            f"{WHERE}: {number()} Reihe(n) ohne Messwert.",
        ),
        action=_action(AlertKind.SILENCE),
        sql=_SITES,
        columns={**SITE, **VALUE},
        above=0,
        page=_PAGE,
        every_s=60,
        for_s=300,
    ),
    *(
        Rule(
            uid=f"beffroi-{kind}",
            group=_GROUP,
            title=_TITLES[kind],
            summary=_SAID[kind],
            action=_action(kind),
            sql=_open(kind),
            columns={**SERIES, **VALUE},
            above=0,
            page=_PAGE,
            severity="info" if kind is AlertKind.DRIFT else "warning",
            every_s=60,
        )
        for kind in _TITLES
    ),
)
