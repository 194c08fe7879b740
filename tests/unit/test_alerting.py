"""Alert rules as Grafana takes them: a file it provisions, an object of its HTTP API."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from dashboards.build import GRAFANA, rendered_rules
from dashboards.grafana.alerting import as_file, as_object
from dashboards.grafana.pages import PAGES
from dashboards.grafana.rules import RULES
from dashboards.grafana.text import LANGUAGES
from storage.alerts import AlertKind, to_do

GIVEN = Path(__file__).parents[3] / "shared" / "grafana"


def schema_of(name):
    """One definition of the API's description, with `for` and `interval` as the texts they are."""
    path = GIVEN / "openapi-11.4.json"
    if not path.exists():
        pytest.skip("Grafana's API description is not at hand (../shared/grafana)")
    given = json.loads(path.read_text("utf-8"))
    definitions = given.get("definitions") or given["components"]["schemas"]
    for one in definitions.values():
        if (
            one.get("type") == "object"
            and "properties" in one
            and not one.get("additionalProperties")
        ):
            one["additionalProperties"] = False
    length = {"type": "string", "pattern": r"^(\d+[dhms])+$"}
    definitions["AlertRuleExport"]["properties"]["for"] = length
    definitions["AlertRuleGroupExport"]["properties"]["interval"] = length
    return {"$ref": f"#/definitions/{name}", "definitions": definitions}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_satisfies_the_description_of_provisioning_files(language):
    validator = jsonschema.Draft7Validator(schema_of("AlertingFileExport"))

    assert [error.message for error in validator.iter_errors(as_file(RULES, language))] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.uid)
def test_the_object_satisfies_the_description_of_the_api(rule):
    validator = jsonschema.Draft7Validator(schema_of("ProvisionedAlertRule"))
    for language in LANGUAGES:
        given = as_object(rule, language, folder="beffroi", organisation=3)

        assert [error.message for error in validator.iter_errors(given)] == []


def test_the_rules_satisfy_the_schema_of_alerting():
    path = GIVEN / "jsonschema" / "alerting.jsonschema.json"
    if not path.exists():
        pytest.skip("Grafana's alerting schema is not at hand (../shared/grafana/jsonschema)")
    schema = json.loads(path.read_text("utf-8"))
    query = {"$ref": "#/definitions/Query", "definitions": schema["definitions"]}
    validator = jsonschema.Draft7Validator(query)

    for rule in RULES:
        for one in as_object(rule, "fr", folder="beffroi")["data"]:
            assert [error.message for error in validator.iter_errors(one)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_committed_file_is_the_generated_one_and_yaml_reads_it_back(language):
    name = f"{language}/alerting/beffroi.yaml"
    text = (GRAFANA / "provisioned" / name).read_text("utf-8")

    assert text == rendered_rules()[name], "run: python -m dashboards build"
    assert yaml.safe_load(text) == as_file(RULES, language)


def test_uids_are_what_grafana_takes_and_titles_are_told_apart_in_every_language():
    assert all(re.fullmatch(r"[a-z0-9-]{1,40}", rule.uid) for rule in RULES)
    assert len({rule.uid for rule in RULES}) == len(RULES) >= 20
    for language in LANGUAGES:
        assert len({rule.title[language] for rule in RULES}) == len(RULES)
        assert all(len(rule.title[language]) <= 190 for rule in RULES)


def test_queries_hold_no_dollar_sign_that_provisioning_would_take_for_a_variable():
    assert [rule.uid for rule in RULES if "$" in rule.sql] == []
    assert [rule.uid for rule in RULES for text in rule.title.values() if "$" in text] == []


def test_every_rule_says_what_happened_and_what_to_do_in_three_languages():
    for rule in RULES:
        given = as_object(rule, "fr", folder="beffroi")["annotations"]
        assert given["description"] == f"{rule.summary['fr']} À faire : {rule.action['fr']}"
        for language in LANGUAGES:
            assert len(given[f"action_{language}"]) > 30
            assert rule.summary[language].endswith(".")


def test_annotations_name_only_labels_that_the_rows_have():
    for rule in RULES:
        labels = {name for name in rule.columns if name != "value"}
        for text in rule.summary.values():
            assert set(re.findall(r"\$labels\.(\w+)", text)) <= labels, rule.uid
            assert set(re.findall(r"\$values\.(\w+)", text)) <= {"A"}


def test_a_rule_leads_to_a_panel_of_its_page():
    uids = {page.uid for page in PAGES}
    for rule in RULES:
        assert rule.page in uids, rule.uid
        given = as_object(rule, "en", folder="beffroi")["annotations"]
        page = json.loads((GRAFANA / "provisioned" / "en" / f"{rule.page}.json").read_text("utf-8"))
        panels = {panel["id"]: panel["type"] for panel in page["panels"]}
        assert given["__dashboardUid__"] == rule.page
        assert panels[int(given["__panelId__"])] != "row"


def test_no_row_means_that_all_is_well_and_a_query_that_fails_is_told():
    for rule in RULES:
        given = as_object(rule, "en", folder="beffroi")
        assert (given["noDataState"], given["execErrState"]) == ("OK", "Error")
        query, threshold = given["data"]
        assert (query["datasourceUid"], query["model"]["format"]) == ("beffroi", "table")
        assert threshold["model"]["conditions"][0]["evaluator"] == {
            "type": "gt",
            "params": [rule.above],
        }
        assert given["condition"] == threshold["refId"] == "B"


def test_rules_of_a_group_are_evaluated_equally_often():
    for group in {rule.group for rule in RULES}:
        assert len({rule.every_s for rule in RULES if rule.group == group}) == 1


@pytest.mark.parametrize("kind", AlertKind)
def test_every_kind_of_alert_calls_with_the_action_of_the_alert_itself(kind):
    (rule,) = (rule for rule in RULES if rule.uid == f"beffroi-{kind}")

    assert rule.action == {language: f"{to_do(kind, language)}." for language in LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_of_rules_reads_back_as_written_and_its_queries_keep_their_lines(language):
    written = rendered_rules()[f"{language}/alerting/beffroi.yaml"]

    assert yaml.safe_load(written) == as_file(RULES, language)
    assert written.count("rawSql: |-\n") == sum("\n" in rule.sql for rule in RULES)
