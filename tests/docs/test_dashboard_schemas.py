"""Every page satisfies Grafana's own JSON Schemas: the dashboard, and what each kind of panel adds.

The schemas type what overrides hold as objects, though Grafana takes whatever the property is: a
unit is text, a width a number. So an override is held to the schema of the property it overrides.
"""

import json

import jsonschema
import pytest

from dashboards.build import rendered

KINDS = ("stat", "table", "text", "timeseries")

NULL = {"type": "null"}

NEWER = {("table", "custom.wrapText")}
"""Properties of Grafana 12 that the schemas, which are older, do not know."""


@pytest.fixture(scope="module")
def schemas(shared):
    folder = shared / "grafana" / "jsonschema"
    return {
        name: json.loads((folder / f"{name}.jsonschema.json").read_text("utf-8"))
        for name in ("dashboard", *KINDS)
    }


def panels(page):
    for panel in page["panels"]:
        yield panel
        yield from panel.get("panels", [])


def resolved(schema, part):
    """A part of a schema without the names, wrappings and permitted nulls around it."""
    while True:
        wrapped = [one for one in part.get("allOf", part.get("anyOf", ())) if one != NULL]
        if "$ref" in part:
            part = schema["definitions"][part["$ref"].rsplit("/", 1)[1]]
        elif len(wrapped) == 1:
            (part,) = wrapped
        else:
            return part


def errors(schema, part, value):
    """What is wrong with a value that is to satisfy one part of a schema.

    Of kinds that are told apart by their `type`, the one it says is meant.
    """
    for one in resolved(schema, part).get("oneOf", ()):
        kind = resolved(schema, one)
        if kind["properties"]["type"].get("default") == value.get("type"):
            part = one
    held_to = {**part, "definitions": schema["definitions"]}
    return [error.message for error in jsonschema.Draft7Validator(held_to).iter_errors(value)]


def wrong_overrides(schemas, panel):
    """What is wrong with the properties that single columns of a panel have for themselves."""
    kind, dashboard = panel["type"], schemas["dashboard"]
    for override in panel["fieldConfig"]["overrides"]:
        assert override["matcher"]["id"] in ("byName", "byRegexp")
        assert isinstance(override["matcher"]["options"], str)
        for given in override["properties"]:
            name, value = given["id"], given["value"]
            if (kind, name) in NEWER:
                continue
            if name.startswith("custom."):
                schema = schemas[kind]
                known = resolved(schema, {"$ref": "#/definitions/FieldConfig"})["properties"]
            else:
                schema, known = dashboard, dashboard["definitions"]["FieldConfig"]["properties"]
            part = known.get(name.removeprefix("custom."))
            found = ["unknown"] if part is None else errors(schema, part, value)
            yield from (f"{panel['title']}: {name}: {error}" for error in found)


@pytest.mark.parametrize("name", sorted(rendered()))
def test_a_dashboard_satisfies_the_dashboard_schema(schemas, name):
    page = json.loads(rendered()[name])
    for panel in panels(page):
        for override in panel.get("fieldConfig", {}).get("overrides", ()):
            # Held to what they override, by the tests below.
            override["matcher"]["options"] = {}
            for given in override["properties"]:
                given["value"] = {}

    assert errors(schemas["dashboard"], {"$ref": "#/definitions/Dashboard"}, page) == []


@pytest.mark.parametrize("name", sorted(rendered()))
def test_options_of_panels_satisfy_the_schema_of_their_kind(schemas, name):
    wrong = []
    for panel in panels(json.loads(rendered()[name])):
        if (schema := schemas.get(panel["type"])) is None:
            continue
        wrong += errors(schema, {"$ref": "#/definitions/Options"}, panel["options"])
        if "FieldConfig" in schema["definitions"]:
            custom = panel["fieldConfig"]["defaults"].get("custom", {})
            wrong += errors(schema, {"$ref": "#/definitions/FieldConfig"}, custom)

    assert wrong == []


@pytest.mark.parametrize("name", sorted(rendered()))
def test_overrides_satisfy_the_schema_of_what_they_override(schemas, name):
    page = json.loads(rendered()[name])

    assert [
        wrong
        for panel in panels(page)
        if "fieldConfig" in panel
        for wrong in wrong_overrides(schemas, panel)
    ] == []
