"""A declared panel -> Grafana's, in one language; pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grafana_foundation_sdk.builders import (
    barchart,
    bargauge,
    geomap,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders import common as common_builder
from grafana_foundation_sdk.builders import dashboard as dashboard_builder
from grafana_foundation_sdk.builders import text as text_builder
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models import geomap as geomap_model
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue as Property

from dashboards.grafana.panel import Class, Column, Kind, Panel, Step, Type
from dashboards.grafana.target import DATASOURCE, target

_SHAPE = {Kind.COURSE: "time_series", Kind.STATES: "time_series"}
# One transparent dot in place of every tile.
_NO_TILE = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
_WHOLES = {"percent": 100, "percentunit": 1}
# Grafana's own would make everything above 80 red.
_PLAIN = (Step(None, "text"),)
_UNKNOWN = "#8e8e8e"
"""Of what has a class when it is known: Grafana would paint it green, as if all were well."""
_SENTENCE = 40
"""Words of a value that are longer are a sentence: wrapped, not coloured."""
_DASHED = {"fill": "dash", "dash": [6, 6]}


def in_language(sql: str, language: str) -> str:
    """A query of a page in one language; ``@language`` stands for its code."""
    return sql.replace("@language", language)


def panel(declared: Panel, language: str) -> Any:
    """One panel as a builder of the SDK."""
    built = _KINDS[declared.kind](declared, language)
    built = (
        built.title(declared.title[language])
        .description(declared.description[language])
        .span(declared.span)
        .height(declared.height)
    )
    if declared.kind is Kind.TEXT:
        return built
    shape = _SHAPE.get(declared.kind, "table")
    built = (
        built.datasource(DATASOURCE)
        .unit(declared.unit)
        .no_value(declared.quiet[language])
        .with_target(target(in_language(declared.sql, language), shape))
    )
    if declared.decimals is not None:
        built = built.decimals(declared.decimals)
    if declared.floor is not None:
        built = built.min(declared.floor)
    if declared.ceiling is not None:
        built = built.max(declared.ceiling)
    if declared.steps or declared.kind is Kind.STAT:
        built = built.thresholds(_thresholds(declared.steps or _PLAIN))
    mappings = _mappings(declared.classes, declared, language)
    if mappings:
        built = built.mappings(mappings)
    for name, column in declared.columns.items():
        if properties := _properties(name, column, declared, language):
            built = built.override_by_name(name, properties)
    return built


def _thresholds(steps: tuple[Step, ...]) -> dashboard_builder.ThresholdsConfig:
    return (
        dashboard_builder.ThresholdsConfig()
        .mode(dashboard.ThresholdsMode.ABSOLUTE)
        .steps([dashboard.Threshold(value=step.value, color=step.color) for step in steps])
    )


def _mappings(
    classes: tuple[Class, ...], declared: Panel, language: str
) -> list[dashboard.ValueMap | dashboard.SpecialValueMap]:
    """Words of values; in a number shown alone, also those of a value that is not known."""
    found: list[dashboard.ValueMap | dashboard.SpecialValueMap] = []
    if classes:
        found.append(_mapping(classes, language))
    if declared.kind is Kind.STAT:
        filled = any(column.filled for column in declared.columns.values())
        found.append(
            dashboard.SpecialValueMap(
                options=dashboard.DashboardSpecialValueMapOptions(
                    match=dashboard.SpecialValueMatch.NULL_AND_NAN,
                    result=dashboard.ValueMappingResult(
                        text=declared.quiet[language],
                        color="transparent" if filled else "text",
                        index=len(classes),
                    ),
                )
            )
        )
    return found


def _mapping(classes: tuple[Class, ...], language: str) -> dashboard.ValueMap:
    return dashboard.ValueMap(
        options={
            f"{one.value:g}": dashboard.ValueMappingResult(
                text=one.label[language], color=one.color, index=index
            )
            for index, one in enumerate(classes)
        }
    )


def _properties(name: str, column: Column, declared: Panel, language: str) -> list[Property]:
    """What is said of one column besides what holds for all."""
    found: dict[str, Any] = {}
    if column.label is not None and declared.kind is not Kind.COURSE:
        found["displayName"] = column.label[language]
    elif declared.kind is Kind.TABLE and column.label is None:
        found["custom.hidden"] = True
    if column.unit:
        found["unit"] = column.unit
    elif column.type is Type.TEXT and declared.kind is Kind.TABLE:
        found["unit"] = "string"
    if column.decimals is not None:
        found["decimals"] = column.decimals
    if column.steps:
        found["thresholds"] = {
            "mode": "absolute",
            "steps": [{"value": step.value, "color": step.color} for step in column.steps],
        }
    elif column.classes:
        found["thresholds"] = {
            "mode": "absolute",
            "steps": [{"value": None, "color": _unknown(column, declared)}],
        }
    if column.classes:
        found["mappings"] = _mappings(column.classes, declared, language)
    if declared.kind is Kind.TABLE:
        found["noValue"] = "–"  # of a cell; what is said of the panel is said where no row is
        if column.gauge:
            found["custom.cellOptions"] = {"type": "gauge", "mode": "basic"}
            found["min"] = 0
            if (whole := _WHOLES.get(column.unit)) is not None:
                found["max"] = whole
        elif column.wrapped or any(len(one.label[language]) > _SENTENCE for one in column.classes):
            found["custom.cellOptions"] = {"type": "auto", "wrapText": True}
            found["custom.wrapText"] = True  # Grafana 12 reads it here
        elif column.filled:
            found["custom.cellOptions"] = {"type": "color-background", "mode": "basic"}
        elif column.steps or column.classes:
            found["custom.cellOptions"] = {"type": "color-text"}
        if column.classes:
            found["custom.align"] = "left"  # words, though they come as numbers
        if column.type is Type.TEXT and column.label is not None:
            found["custom.filterable"] = True
        if column.width:
            found["custom.width"] = column.width
        if column.page:
            found["links"] = [_link(name, column.page)]
    return [Property(id_val=key, value=value) for key, value in found.items()]


def _unknown(column: Column, declared: Panel) -> str:
    if declared.kind is Kind.TABLE:
        return "transparent" if column.filled else "text"
    return _UNKNOWN


def _link(title: str, uid: str) -> dashboard.DashboardLink:
    """To a page, with the row's territory and site and the range that is looked at."""
    return (
        dashboard_builder.DashboardLink(title)
        .type(dashboard.DashboardLinkType.LINK)
        .url(
            f"/d/{uid}?var-territory=${{__data.fields.territory}}"
            "&var-site=${__data.fields.site}&${__url_time_range}"
        )
        .build()
    )


def _legend() -> common_builder.VizLegendOptions:
    return (
        common_builder.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(True)
    )


def _course(declared: Panel, language: str) -> Any:
    built = (
        timeseries.Panel()
        .draw_style(common.GraphDrawStyle.BARS if declared.bars else common.GraphDrawStyle.LINE)
        .fill_opacity(60 if declared.bars else 0)
        .line_width(1 if declared.bars else 2)
        .show_points(common.VisibilityMode.AUTO)
        .span_nulls(False)
        .legend(_legend())
        .tooltip(
            common_builder.VizTooltipOptions()
            .mode(common.TooltipDisplayMode.MULTI)
            .sort(common.SortOrder.DESCENDING)
        )
    )
    if declared.stacked:
        built = built.stacking(
            common_builder.StackingConfig().mode(common.StackingMode.NORMAL).group("A")
        )
    if declared.lines:
        built = built.thresholds_style(
            common_builder.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        )
        limits = [step.value for step in declared.steps if step.value is not None]
        if limits:
            built = built.axis_soft_max(min(limits))  # how far away the nearest limit is
    if declared.dashed:
        built = built.override_by_regexp(
            f"/{declared.dashed}/",
            [
                Property(id_val="custom.lineStyle", value=_DASHED),
                Property(id_val="custom.lineWidth", value=1),
                Property(id_val="custom.fillOpacity", value=0),
                Property(id_val="custom.drawStyle", value="line"),
            ],
        )
    return built


def _stat(declared: Panel, language: str) -> Any:
    return (
        stat.Panel()
        .color_mode(
            common.BigValueColorMode.BACKGROUND_SOLID
            if any(column.filled for column in declared.columns.values())
            else common.BigValueColorMode.VALUE
        )
        .graph_mode(common.BigValueGraphMode.NONE)
        .wide_layout(False)
        .reduce_options(common_builder.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    )


def _table(declared: Panel, language: str) -> Any:
    sentences = any(
        column.wrapped or any(len(one.label[language]) > _SENTENCE for one in column.classes)
        for column in declared.columns.values()
    )
    height = common.TableCellHeight.LG if sentences else common.TableCellHeight.SM
    return table.Panel().cell_height(height)


def _bars(declared: Panel, language: str) -> Any:
    return (
        barchart.Panel()
        .x_field(declared.title_column)
        .orientation(common.VizOrientation.HORIZONTAL)
        .show_value(common.VisibilityMode.ALWAYS)
        .legend(_legend())
        .tooltip(
            common_builder.VizTooltipOptions()
            .mode(common.TooltipDisplayMode.MULTI)
            .sort(common.SortOrder.NONE)
        )
    )


def _levels(declared: Panel, language: str) -> Any:
    return (
        bargauge.Panel()
        .orientation(common.VizOrientation.HORIZONTAL)
        .display_mode(common.BarGaugeDisplayMode.BASIC)
        .reduce_options(common_builder.ReduceDataOptions().values(True).calcs(["lastNotNull"]))
    )


def _states(declared: Panel, language: str) -> Any:
    return (
        statetimeline.Panel()
        .show_value(common.VisibilityMode.NEVER)
        .merge_values(True)
        .row_height(0.85)
        .legend(_legend())
    )


def _map(declared: Panel, language: str) -> Any:
    """Places on a map without tiles: those would be asked of a server elsewhere."""
    places = common_builder.MapLayerOptions().type("markers").name(declared.title[language])
    return (
        geomap.Panel()
        .basemap(
            common_builder.MapLayerOptions()
            .type("xyz")
            .name("—")
            .config({"url": _NO_TILE, "attribution": ""})
        )
        .view(geomap.MapViewConfig().id("fit").all_layers(True).padding(10).zoom(15))
        .controls(
            geomap.ControlsOptions().show_zoom(True).mouse_wheel_zoom(True).show_attribution(False)
        )
        .tooltip(geomap.TooltipOptions().mode(geomap_model.TooltipMode.DETAILS))
        .layers([
            places.location(
                common_builder.FrameGeometrySource()
                .mode(common.FrameGeometrySourceMode.COORDS)
                .latitude("latitude")
                .longitude("longitude")
            ).config({
                "showLegend": False,
                "style": {
                    "color": {"field": declared.title_column, "fixed": "dark-blue"},
                    "size": {"fixed": 9, "min": 6, "max": 16},
                    "opacity": 0.85,
                    "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
                    "text": {"mode": "field", "field": "site_name", "fixed": ""},
                    "textConfig": {"fontSize": 12, "offsetX": 0, "offsetY": -14},
                },
            })
        ])
    )  # fmt: skip


def _text(declared: Panel, language: str) -> Any:
    return text_builder.Panel().content(declared.quiet[language])


_KINDS: dict[Kind, Callable[[Panel, str], Any]] = {
    Kind.COURSE: _course,
    Kind.STAT: _stat,
    Kind.TABLE: _table,
    Kind.BARS: _bars,
    Kind.LEVELS: _levels,
    Kind.STATES: _states,
    Kind.MAP: _map,
    Kind.TEXT: _text,
}
