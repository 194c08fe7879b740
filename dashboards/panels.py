"""A metric -> a Grafana panel; pure.

Every query reads rollup views or the view of newest readings, never a range of readings:
a panel over a year must not read a year of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from grafana_foundation_sdk.builders import common as common_builder
from grafana_foundation_sdk.builders import dashboard as dashboard_builder
from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.cog import builder as cog
from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.models import common, dashboard

from storage.catalogue import Domain, Kind, Metric

DATASOURCE = common.DataSourceRef(type_val="grafana-postgresql-datasource", uid="beffroi")

# UCUM -> identifiers of Grafana's unit list (packages/grafana-data, valueFormats).
GRAFANA_UNITS = {
    "1": "short", "%": "percent", "ug/m3": "conμgm3", "mg/m3": "conmgm3", "Cel": "celsius",
    "hPa": "pressurehpa", "m/s": "velocityms", "deg": "degree", "dB": "dB", "mm": "lengthmm",
    "km": "lengthkm", "h-1": "suffix:/h", "km/h": "velocitykmh", "s": "s", "kW.h": "kwatth",
    "m3": "m3", "kW": "kwatt", "kV.A": "kvoltamp", "V": "volt", "A": "amp",
}  # fmt: skip

_COUNTED = (Kind.COUNT, Kind.INDEX)
_CHOSEN = "territory IN ($territory) AND site IN ($site)"


@dataclass
class PostgresQuery(variants.Dataquery):
    """A target of the PostgreSQL data source, which the SDK does not know.

    `shape` is ``time_series`` (a column named time, ordered by it) or ``table``.
    """

    sql: str
    shape: str
    ref_id: str = "A"

    def to_json(self) -> dict[str, object]:
        """As Grafana stores it; `editorMode: code` keeps the query builder from rewriting it."""
        return {
            "datasource": DATASOURCE,
            "editorMode": "code",
            "format": self.shape,
            "rawQuery": True,
            "rawSql": self.sql,
            "refId": self.ref_id,
        }


@dataclass
class _Query(cog.Builder[variants.Dataquery]):
    query: PostgresQuery

    def build(self) -> variants.Dataquery:
        return self.query


def _target(sql: str, shape: str) -> _Query:
    return _Query(PostgresQuery(sql, shape))


def grafana_unit(metric: Metric) -> str:
    """Unit of what the panel draws: states are drawn as a share of time.

    >>> from storage.catalogue import BY_NAME
    >>> grafana_unit(BY_NAME["no2"]), grafana_unit(BY_NAME["road_open"])
    ('conμgm3', 'percentunit')
    """
    return "percentunit" if metric.kind is Kind.STATE else GRAFANA_UNITS[metric.unit]


def metric_query(metric: Metric) -> str:
    """One line per sensor over the chosen window length."""
    column = "total" if metric.kind in _COUNTED else "mean"
    return (
        f"SELECT start AS \"time\", site_name || ' · ' || sensor AS metric, {column} AS value\n"
        f"  FROM {metric.domain}.$window\n"
        f" WHERE $__timeFilter(start) AND metric = '{metric.name}'\n"
        f"   AND {_CHOSEN}\n"
        " ORDER BY 1"
    )


def metric_panel(metric: Metric) -> timeseries.Panel:
    """The course of one metric: bars for what is counted, lines for what is sampled."""
    counted = metric.kind in _COUNTED
    what = (
        "Total de chaque fenêtre" if counted
        else "Part du temps dans chaque fenêtre" if metric.kind is Kind.STATE
        else "Moyenne de chaque fenêtre"
    )  # fmt: skip
    panel = (
        timeseries.Panel()
        .title(metric.labels["fr"])
        .description(
            f"{what}, par capteur. Un trou est une absence de mesure, jamais un zéro. "
            "Les capteurs plus lents que la fenêtre choisie n'y paraissent pas."
        )
        .datasource(DATASOURCE)
        .unit(grafana_unit(metric))
        .with_target(_target(metric_query(metric), "time_series"))
        .draw_style(common.GraphDrawStyle.BARS if counted else common.GraphDrawStyle.LINE)
        .fill_opacity(60 if counted else 0)
        .line_width(1 if counted else 2)
        .show_points(common.VisibilityMode.NEVER)
        .span_nulls(False)
        .legend(
            common_builder.VizLegendOptions()
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .span(12)
        .height(8)
    )
    return panel.min(0) if counted else panel


def coverage_panel(domain: Domain) -> stat.Panel:
    """Share of the expected readings that arrived."""
    sql = (
        'SELECT 100.0 * sum(received) / nullif(sum(expected), 0) AS "couverture"\n'
        f"  FROM {domain}.hours\n"
        f" WHERE $__timeFilter(start) AND {_CHOSEN} AND metric IN ($metric)"
    )
    return (
        stat.Panel()
        .title("Couverture")
        .description(
            "Mesures reçues sur mesures attendues, sur la période et les lieux choisis. "
            "En dessous de 75 %, une moyenne horaire n'est pas réglementairement valable."
        )
        .datasource(DATASOURCE)
        .unit("percent")
        .decimals(1)
        .thresholds(
            dashboard_builder.ThresholdsConfig()
            .mode(dashboard.ThresholdsMode.ABSOLUTE)
            .steps([
                dashboard.Threshold(value=None, color="red"),
                dashboard.Threshold(value=75.0, color="orange"),
                dashboard.Threshold(value=95.0, color="green"),
            ])
        )
        .with_target(_target(sql, "table"))
        .span(6)
        .height(5)
    )  # fmt: skip


def silent_panel(domain: Domain) -> stat.Panel:
    """Series whose newest reading is older than six steps."""
    sql = (
        'SELECT count(*) AS "silencieuses"\n'
        "  FROM public.series s\n"
        f"  LEFT JOIN {domain}.now n USING (series_id)\n"
        f" WHERE s.domain = '{domain}' AND s.step_s > 0 AND s.in_service\n"
        "   AND s.territory IN ($territory) AND s.site IN ($site) AND s.metric IN ($metric)\n"
        "   AND (n.time IS NULL OR n.time < now() - 6 * s.step_s * interval '1 second')"
    )
    return (
        stat.Panel()
        .title("Séries silencieuses")
        .description(
            "Séries dont la dernière mesure a plus de six pas d'âge, ou qui n'ont jamais parlé. "
            "À faire : voir le capteur dans la table « Dernière mesure »."
        )
        .datasource(DATASOURCE)
        .unit("short")
        .thresholds(
            dashboard_builder.ThresholdsConfig()
            .mode(dashboard.ThresholdsMode.ABSOLUTE)
            .steps([
                dashboard.Threshold(value=None, color="green"),
                dashboard.Threshold(value=1.0, color="orange"),
            ])
        )
        .with_target(_target(sql, "table"))
        .span(6)
        .height(5)
    )  # fmt: skip


def latest_panel(domain: Domain) -> table.Panel:
    """Newest usable reading of every sensor."""
    sql = (
        'SELECT time AS "time", territory_name AS "commune", site_name AS "lieu",\n'
        '       sensor AS "capteur", label_fr AS "mesure", value AS "valeur", unit AS "unité"\n'
        f"  FROM {domain}.now\n"
        f" WHERE {_CHOSEN} AND metric IN ($metric)\n"
        " ORDER BY 1"
    )
    return _table(
        "Dernière mesure",
        "Dernière mesure utilisable de chaque capteur, la plus ancienne d'abord : "
        "en tête, ceux qui se taisent.",
        sql,
    )


def days_panel(domain: Domain) -> table.Panel:
    """Local days, with the coverage each rests on."""
    sql = (
        'SELECT start AS "time", territory_name AS "commune", site_name AS "lieu",\n'
        '       sensor AS "capteur", metric AS "mesure", coalesce(total, mean) AS "valeur",\n'
        '       unit AS "unité", round(100.0 * received / nullif(expected, 0), 1) AS "reçu (%)"\n'
        f"  FROM {domain}.days\n"
        f" WHERE $__timeFilter(start) AND {_CHOSEN} AND metric IN ($metric)\n"
        " ORDER BY 1 DESC"
    )
    return _table(
        "Jours",
        "Total du jour pour ce qui se compte, moyenne du jour pour le reste, par jour local "
        "du territoire (23 à 25 heures), avec la part des mesures reçues.",
        sql,
    )


def _table(title: str, description: str, sql: str) -> table.Panel:
    return (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        # Each row names its own unit.
        .unit("none")
        .with_target(_target(sql, "table"))
        .span(12)
        .height(10)
    )
