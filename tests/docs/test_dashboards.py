"""The committed Grafana files are what the code would write, and Grafana would take them."""

import json
import re
from dataclasses import fields
from pathlib import Path

import yaml

from dashboards.build import GRAFANA, rendered, rendered_rules, write
from dashboards.grafana.target import DATASOURCE
from dashboards.settings import Settings

ROOT = Path(__file__).parents[2]


def provisioned(name):
    return yaml.safe_load((GRAFANA / "provisioning" / name / "beffroi.yaml").read_text("utf-8"))


def test_the_committed_dashboards_are_the_generated_ones():
    folder = GRAFANA / "provisioned"
    committed = {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in folder.glob("*/*.json")
    }

    assert committed == rendered(), "run: python -m dashboards build"


def test_writing_twice_gives_the_same_bytes(tmp_path):
    first = {path: path.read_bytes() for path in write(tmp_path)}

    assert len(first) == len(rendered()) + len(rendered_rules())
    assert {path: path.read_bytes() for path in write(tmp_path)} == first


def test_dashboards_are_classic_json_that_file_provisioning_accepts():
    for text in rendered().values():
        page = json.loads(text)
        assert "apiVersion" not in page
        assert page["schemaVersion"] >= 36
        assert page["editable"] is False


def test_panels_of_a_dashboard_do_not_overlap():
    for text in rendered().values():
        taken = set()
        for panel in json.loads(text)["panels"]:
            grid = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(grid["x"], grid["x"] + grid["w"])
                for y in range(grid["y"], grid["y"] + grid["h"])
            }
            assert grid["x"] + grid["w"] <= 24
            assert not cells & taken
            taken |= cells


def test_the_data_source_has_the_uid_the_panels_ask_for_and_its_database_in_json_data():
    (source,) = provisioned("datasources")["datasources"]

    assert (source["uid"], source["type"]) == (DATASOURCE.uid, DATASOURCE.type_val)
    assert source["editable"] is False
    assert "database" not in source
    assert source["jsonData"]["database"] == "${BEFFROI_PGDATABASE}"
    assert source["jsonData"]["timescaledb"] is True
    assert source["jsonData"]["timeInterval"] == "15m"


def test_every_address_and_secret_of_the_data_source_comes_from_the_environment():
    (source,) = provisioned("datasources")["datasources"]
    given = [source["url"], source["user"], source["secureJsonData"]["password"]]

    assert all(re.fullmatch(r"(\$\{[A-Z_]+\}:?)+", value) for value in given)


def test_dashboards_are_provisioned_from_where_compose_mounts_them():
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    (provider,) = provisioned("dashboards")["providers"]

    mounts = [volume["target"] for volume in compose["services"]["grafana"]["volumes"]]

    assert provider["options"]["path"] in mounts
    assert provider["allowUiUpdates"] is False


def test_every_setting_of_the_board_is_explained():
    explained = (ROOT / "dashboards" / "README.md").read_text("utf-8")

    for field in fields(Settings):
        assert f"`DASHBOARDS_{field.name.upper()}`" in explained
