"""A metric becomes a panel that people can read and that reads rollups only."""

import json
import re

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import panels
from dashboards.build import AUDIENCES, rendered
from storage.catalogue import BY_NAME, METRICS, Domain


def as_json(built):
    return json.loads(json.dumps(built, cls=JSONEncoder))


def every_panel():
    for name, text in rendered().items():
        for panel in json.loads(text)["panels"]:
            for each in [panel, *panel.get("panels", [])]:
                if each["type"] != "row":
                    yield pytest.param(each, id=f"{name}-{each['title']}")


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_of_the_catalogue_has_a_panel_with_a_grafana_unit(metric):
    panel = as_json(panels.metric_panel(metric).build())

    assert panel["title"] == metric.labels["fr"]
    assert panel["fieldConfig"]["defaults"]["unit"] == panels.grafana_unit(metric) != ""


def test_what_is_counted_is_drawn_as_bars_of_totals():
    panel = as_json(panels.metric_panel(BY_NAME["bikes"]).build())

    assert panel["fieldConfig"]["defaults"]["custom"]["drawStyle"] == "bars"
    assert panel["fieldConfig"]["defaults"]["min"] == 0
    assert "total AS value" in panel["targets"][0]["rawSql"]


def test_what_is_sampled_is_drawn_as_a_line_of_means_with_gaps_left_open():
    panel = as_json(panels.metric_panel(BY_NAME["no2"]).build())

    assert panel["fieldConfig"]["defaults"]["custom"]["drawStyle"] == "line"
    assert panel["fieldConfig"]["defaults"]["custom"]["spanNulls"] is False
    assert "mean AS value" in panel["targets"][0]["rawSql"]
    assert panel["fieldConfig"]["defaults"]["unit"] == "conμgm3"


def test_a_query_target_names_its_format_and_the_fixed_data_source():
    target = as_json(panels.metric_panel(BY_NAME["power"]).build())["targets"][0]

    assert target["format"] == "time_series"
    assert target["rawQuery"] is True
    assert target["datasource"] == {"type": "grafana-postgresql-datasource", "uid": "beffroi"}


@pytest.mark.parametrize("panel", list(every_panel()))
def test_every_panel_has_a_title_a_description_and_a_unit(panel):
    assert panel["title"]
    assert len(panel["description"]) > 40
    assert panel["fieldConfig"]["defaults"]["unit"]


@pytest.mark.parametrize("panel", list(every_panel()))
def test_no_panel_reads_a_range_of_readings(panel):
    for target in panel["targets"]:
        relations = set(re.findall(r"(?:FROM|JOIN)\s+([\w.$]+)", target["rawSql"]))
        views = {
            f"{domain}.{view}"
            for domain in Domain
            for view in ("$window", "quarter_hours", "hours", "days", "now")
        }
        assert relations
        assert relations <= views | {"public.series"}


def test_every_metric_of_a_domain_has_exactly_one_panel_on_its_dashboard():
    for audience in AUDIENCES:
        page = json.loads(rendered()[f"{audience.uid}.json"])
        titles = [
            panel["title"]
            for top in page["panels"]
            for panel in [top, *top.get("panels", [])]
            if panel["type"] == "timeseries"
        ]

        assert sorted(titles) == sorted(
            metric.labels["fr"] for metric in METRICS if metric.domain is audience.domain
        )


def test_every_dashboard_can_be_narrowed_by_territory_site_and_metric():
    for text in rendered().values():
        names = [v["name"] for v in json.loads(text)["templating"]["list"]]

        assert names == ["territory", "site", "metric", "window"]
