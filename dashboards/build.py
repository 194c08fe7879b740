"""Grafana dashboards, one per audience, generated from the catalogue.

Classic v1 JSON: Grafana 13.0's file provisioning rejects its own v2 format. What this
writes is committed, and a test holds it equal to what this would write now.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard as builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard

from dashboards import panels
from storage.catalogue import METRICS, Domain, Metric

GRAFANA = Path(__file__).parent / "grafana"

# Grafana offers the window lengths by what people call them; the views are storage's.
WINDOWS = "15 min : quarter_hours, 1 h : hours, 1 jour : days"


@dataclass(frozen=True, slots=True)
class Audience:
    """Who a dashboard is for.

    Attributes
    ----------
    first
        Metrics whose panels stand open, in this order; the others wait in a folded row.
    window, since
        Window length and time range on opening.
    """

    uid: str
    title: str
    description: str
    domain: Domain
    first: tuple[str, ...]
    window: tuple[str, str]
    since: str


AUDIENCES = (
    Audience(
        "beffroi-energy",
        "Énergie : exploitation",
        "Pour qui exploite les bâtiments et réseaux : puissance, énergie, capteurs qui se taisent.",
        Domain.ENERGY,
        ("power", "energy_import", "energy_used", "gas_import", "heat_import", "water_import"),
        ("15 min", "quarter_hours"),
        "now-48h",
    ),
    Audience(
        "beffroi-mobility",
        "Déplacements : bilan",
        "Pour qui étudie les flux : comptages par lieu, vitesses, stationnement, leur couverture.",
        Domain.MOBILITY,
        ("bikes", "pedestrians", "vehicles", "heavy_vehicles", "speed", "parking_free"),
        ("1 h", "hours"),
        "now-7d",
    ),
    Audience(
        "beffroi-air",
        "Qualité de l'air",
        "Pour qui suit l'air : polluants et météo par capteur, et leur couverture. "
        "Mesures de la collectivité, sans valeur d'indice officiel.",
        Domain.AIR,
        ("no2", "pm25", "pm10", "o3", "temperature", "noise_level"),
        ("1 h", "hours"),
        "now-7d",
    ),
)


def build(audience: Audience) -> dashboard.Dashboard:
    """One audience's dashboard."""
    domain = audience.domain
    own = {metric.name: metric for metric in METRICS if metric.domain is domain}
    page = (
        builder.Dashboard(audience.title)
        .uid(audience.uid)
        .description(audience.description)
        .tags(["beffroi", domain.value])
        .timezone("browser")
        .time(audience.since, "now")
        .refresh("1m")
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .readonly()
    )
    for variable in _variables(audience):
        page.with_variable(variable)
    for panel in (panels.coverage_panel(domain), panels.silent_panel(domain)):
        page.with_panel(panel)
    for name in audience.first:
        page.with_panel(panels.metric_panel(own[name]))
    page.with_panel(panels.days_panel(domain)).with_panel(panels.latest_panel(domain))
    page.with_row(_folded("Autres mesures", [m for n, m in own.items() if n not in audience.first]))
    return page.build()


def _folded(title: str, metrics: list[Metric]) -> builder.Row:
    row = builder.Row(title).collapsed(True)
    for metric in metrics:
        row.with_panel(panels.metric_panel(metric))
    return row


def _variables(audience: Audience) -> list[builder.QueryVariable | builder.CustomVariable]:
    domain = audience.domain
    label, view = audience.window
    return [
        _query_variable(
            "territory", "Commune",
            "SELECT DISTINCT territory_name AS __text, territory AS __value\n"
            f"  FROM public.series WHERE domain = '{domain}' ORDER BY 1",
        ),
        _query_variable(
            "site", "Lieu",
            "SELECT DISTINCT site_name AS __text, site AS __value\n"
            f"  FROM public.series WHERE domain = '{domain}'\n"
            "   AND territory IN ($territory) ORDER BY 1",
        ),
        _query_variable(
            "metric", "Mesure",
            "SELECT DISTINCT label_fr AS __text, metric AS __value\n"
            f"  FROM public.series WHERE domain = '{domain}'\n"
            "   AND territory IN ($territory) ORDER BY 1",
        ),
        builder.CustomVariable("window")
        .label("Fenêtre")
        .description("Longueur des fenêtres que lisent les courbes.")
        .values(WINDOWS)
        .current(dashboard.VariableOption(selected=True, text=label, value=view)),
    ]  # fmt: skip


def _query_variable(name: str, label: str, sql: str) -> builder.QueryVariable:
    return (
        builder.QueryVariable(name)
        .label(label)
        .description(f"Choix : {label.lower()}. Tout est choisi à l'ouverture.")
        .datasource(panels.DATASOURCE)
        .query(sql)
        .definition(sql)
        .multi(True)
        .include_all(True)
        .current(dashboard.VariableOption(selected=True, text=["All"], value=["$__all"]))
        .refresh(dashboard.VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(dashboard.VariableSort.DISABLED)
    )


def rendered() -> dict[str, str]:
    """File name -> content of every dashboard, ready to be provisioned."""
    return {
        f"{audience.uid}.json": json.dumps(
            build(audience), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False
        ) + "\n"
        for audience in AUDIENCES
    }  # fmt: skip


def write(folder: Path = GRAFANA) -> list[Path]:
    """Write the dashboards below `folder`; returns the paths written."""
    target = folder / "dashboards"
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in rendered().items():
        path = target / name
        path.write_text(content, "utf-8")
        written.append(path)
    return written
