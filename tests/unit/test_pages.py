"""What people read on Grafana's pages: complete, in three languages, and nothing forgotten."""

import itertools
import json
import re

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.grafana.dashboard import as_json
from dashboards.grafana.pages import PAGES
from dashboards.grafana.panel import Kind, Type
from dashboards.grafana.render import panel as drawn
from dashboards.grafana.rules import RULES
from dashboards.grafana.text import LANGUAGES
from dashboards.grafana.units import DURATION, GRAFANA_UNITS, grafana_unit
from storage.catalogue import DOMAINS, METRICS
from storage.indicators.catalogue import INDICATORS

# Of Grafana's unit list (packages/grafana-data, valueFormats), those that pages use.
UNITS = set(GRAFANA_UNITS.values()) | {
    "bytes", DURATION, "none", "string", "",
}  # fmt: skip
MADE = re.compile(r"(suffix|prefix|time|si|count|currency|bool):.+")

PANELS = [
    pytest.param(page, panel, id=f"{page.uid} {panel.title['en']}")
    for page in PAGES
    for section in page.sections
    for panel in section.panels
]

# Indicators that no panel or rule names: why. People find them by the choice of indicators that
# every page of a trade has.
_SHORTER = "pages show it by the day or from windows; this is its hour"
_LONGER = "pages show it by the day"
_PARTS = "a part of another indicator's making, for those who check it"
_PROFESSION = "for who compares by the rule of the profession; pages show the other base"
ONLY_CHOSEN = {
    "air_hour_mean": _SHORTER, "co_hour_mean": _SHORTER, "air_8h_mean": _SHORTER,
    "co_8h_mean": _SHORTER, "nox_as_no2": _SHORTER, "flow_rate": _SHORTER,
    "passenger_car_flow": _SHORTER, "energy_hour": _SHORTER, "volume_hour": _SHORTER,
    "load_10min": _SHORTER, "load_15min": _SHORTER, "load_30min": _SHORTER,
    "co_day_mean": "the limits and thresholds made of it are shown",
    "air_day_max": "the limits and thresholds made of it are shown",
    "eaqi_sub": "the index of the site, which is the worst of them, is shown",
    "atmo_sub": "the index of the site, which is the worst of them, is shown",
    "traffic_density": "the level of service made of it is shown",
    "day_count": "pages show windows of days, which count the same",
    "profile_week": "pages show profiles by the kind of day",
    "energy_month": _LONGER, "volume_month": _LONGER,
    "load_peak_10min_day": "pages show the peak of 15 and 60 minutes",
    "load_peak_30min_day": "pages show the peak of 15 and 60 minutes",
    "load_peak_year": "pages show it by the month", "load_factor_year": "pages show it by the month",
    "utilisation_hours_year": "pages show the load factor, which says the same",
    "base_load_year": "pages show it by the month", "base_energy_year": "pages show it by the month",
    "outdoor_day_mean": "pages of the air show temperatures",
    "heating_degree_days_costic": _PROFESSION, "heating_degree_days_costic_month": _PROFESSION,
    "heating_season_degree_days": _PROFESSION, "heating_season_degree_days_costic": _PROFESSION,
    "cooling_degree_days": "pages show heating", "cooling_degree_days_month": "pages show heating",
    "heating_degree_days_month": _LONGER,
    "signature_cooling_point": _PARTS, "baseline_base": _PARTS, "baseline_heating": _PARTS,
    "baseline_cooling": _PARTS, "baseline_heating_point": _PARTS, "baseline_cooling_point": _PARTS,
    "baseline_rmse": _PARTS, "baseline_mean": _PARTS, "baseline_autocorrelation": _PARTS,
    "building_expected_month": "pages show the saving made of it",
    "air_day_median": _PARTS, "mobility_day_median": _PARTS, "energy_day_median": _PARTS,
}  # fmt: skip


def sqls():
    yield from (panel.values[1].sql for panel in PANELS)
    yield from (rule.sql for rule in RULES)


def named(names):
    """Those that some query writes out."""
    written = "\n".join(sqls())
    return {name for name in names if re.search(rf"'{name}'", written)}


def texts_of(page):
    yield from (page.title, page.description)
    yield from (choice.label for choice in page.choices)
    yield from (marks.name for marks in page.marks)
    for section in page.sections:
        yield section.title
        for panel in section.panels:
            yield from (panel.title, panel.description, panel.quiet)
            yield from (column.label for column in panel.columns.values() if column.label)
            for one in (panel, *panel.columns.values()):
                yield from (kind.label for kind in one.classes)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.uid)
def test_every_text_of_a_page_is_there_in_three_languages(page):
    for text in texts_of(page):
        assert tuple(text) == LANGUAGES
        assert all(words.strip() == words and words for words in text.values()), text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.uid)
def test_every_text_of_a_rule_is_there_in_three_languages_and_names_an_action(rule):
    for text in (rule.title, rule.summary, rule.action):
        assert tuple(text) == LANGUAGES
        assert all(words.strip() for words in text.values())
    assert all(len(words) >= 20 for words in rule.action.values())


@pytest.mark.parametrize(("page", "panel"), PANELS)
def test_a_panel_says_what_it_is_and_what_it_says_when_all_is_quiet(page, panel):
    for language in LANGUAGES:
        assert len(panel.title[language]) >= 2
        assert len(panel.description[language]) >= 30, panel.description[language]
        # A large number stands for itself; whatever else is empty says a sentence.
        assert len(panel.quiet[language]) >= (1 if panel.kind is Kind.STAT else 12)


# A sign or a figure before it belongs to it: "μg/m³ ;" but "12:30" and "https://" do not.
FRENCH = re.compile(r"(?<=[\w)»%])[;!?](?=\s|$)|(?<=[A-Za-zÀ-ÿ)»]):(?=\s|$)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.uid)
def test_french_leaves_a_space_before_a_sign_of_two_parts(page):
    assert [text["fr"] for text in texts_of(page) if FRENCH.search(text["fr"])] == []


@pytest.mark.parametrize(("page", "panel"), PANELS)
def test_units_of_a_panel_are_known_to_grafana(page, panel):
    units = {panel.unit, *(column.unit for column in panel.columns.values())}

    assert {unit for unit in units if unit not in UNITS and not MADE.fullmatch(unit)} == set()
    assert panel.kind is Kind.TEXT or any(units)


def test_every_unit_of_the_catalogues_has_a_name_in_grafana():
    assert all(grafana_unit(one.unit) for one in (*METRICS, *INDICATORS))


@pytest.mark.parametrize(("page", "panel"), PANELS)
def test_columns_of_a_panel_suit_what_it_draws(page, panel):
    columns = panel.columns
    if panel.kind in (Kind.COURSE, Kind.STATES):
        assert next(iter(columns)) == "time"
        assert columns["time"].type is Type.TIME
        assert any(column.type is Type.NUMBER for column in columns.values())
    if panel.kind is Kind.MAP:
        assert {"latitude", "longitude"} <= set(columns)
    if panel.kind in (Kind.BARS, Kind.LEVELS, Kind.MAP) and panel.title_column:
        assert panel.title_column in columns


@pytest.mark.parametrize(("page", "panel"), PANELS)
def test_a_cell_that_links_to_a_page_has_its_territory_and_site(page, panel):
    for column in panel.columns.values():
        if column.page:
            assert column.page in {other.uid for other in PAGES}
            assert {"territory", "site"} <= set(panel.columns)


@pytest.mark.parametrize(("page", "panel"), PANELS)
def test_thresholds_of_a_panel_begin_without_limit_and_rise(page, panel):
    for one in (panel, *panel.columns.values()):
        values = [step.value for step in one.steps]
        if values:
            assert values[0] is None
            assert values[1:] == sorted(set(values[1:]))


def test_uids_are_unique_and_short_enough_for_an_address():
    pages, rules = [page.uid for page in PAGES], [rule.uid for rule in RULES]

    assert len(set(pages)) == len(pages)
    assert len(set(rules)) == len(rules)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,40}", uid) for uid in (*pages, *rules))


def test_every_rule_leads_to_a_page():
    assert {rule.page for rule in RULES} <= {page.uid for page in PAGES}


def test_pages_are_those_of_the_trades_and_of_the_platform_the_overview_first():
    assert [page.uid for page in PAGES] == [
        "beffroi-city", "beffroi-energy", "beffroi-mobility", "beffroi-air", "beffroi-sensors",
        "beffroi-pipeline", "beffroi-footprint",
    ]  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.uid)
@pytest.mark.parametrize("language", LANGUAGES)
def test_panels_have_numbers_of_their_own_and_do_not_overlap_also_when_a_row_is_opened(
    page, language
):
    drawn = as_json(page, language)["panels"]
    folded = [inner for row in drawn for inner in row.get("panels") or []]
    numbers = [panel["id"] for panel in (*drawn, *folded)]

    assert len(set(numbers)) == len(numbers)
    for panels in (drawn, *((row["panels"]) for row in drawn if row.get("panels"))):
        for one, other in itertools.combinations([panel["gridPos"] for panel in panels], 2):
            assert (
                one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
                or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
            )  # fmt: skip


def choices_of(name):
    """Trades whose page offers all of the name, and shows what is chosen."""
    found = set()
    for page in PAGES:
        for choice in page.choices:
            uses = [
                p.values[1] for p in PANELS if p.values[0] is page and f"${name}" in p.values[1].sql
            ]
            if choice.name == name and uses:
                found |= {domain for domain in DOMAINS if f"domain = '{domain}'" in choice.sql}
    return found


def test_every_metric_can_be_reached_on_a_page():
    by_choice = choices_of("metric")

    assert [
        one.name
        for one in METRICS
        if one.domain not in by_choice and one.name not in named([one.name])
    ] == []
    assert by_choice == set(DOMAINS)


def test_every_indicator_is_on_a_page_or_said_to_be_found_by_choice_with_the_reason():
    every = {one.name for one in INDICATORS}
    shown = named(every)

    assert every - shown - set(ONLY_CHOSEN) == set()
    assert shown & set(ONLY_CHOSEN) == set()
    assert set(ONLY_CHOSEN) - every == set()
    assert choices_of("indicator") == set(DOMAINS)


def test_a_page_of_a_trade_draws_what_the_city_did_and_what_fell_silent():
    for uid in ("beffroi-energy", "beffroi-mobility", "beffroi-air"):
        (page,) = (page for page in PAGES if page.uid == uid)
        assert len(page.marks) == 2


@pytest.mark.parametrize(("page", "panel"), PANELS)
def test_what_is_not_known_has_not_the_colour_of_what_is_well(page, panel):
    built = json.loads(json.dumps(drawn(panel, "fr").build(), cls=JSONEncoder))
    config = built.get("fieldConfig", {})
    if panel.kind is Kind.STAT:
        (unknown,) = (
            one["options"]["result"]
            for one in config["defaults"]["mappings"]
            if one["type"] == "special"
        )
        assert unknown["text"] == panel.quiet["fr"]
        assert unknown["color"] in ("text", "transparent")
    for override in config.get("overrides", []):
        column = panel.columns.get(override["matcher"]["options"])
        if column and column.classes and panel.kind in (Kind.TABLE, Kind.MAP):
            (steps,) = (
                one["value"]["steps"] for one in override["properties"] if one["id"] == "thresholds"
            )
            assert steps[0]["color"] in ("text", "transparent", "#8e8e8e")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.uid)
def test_the_way_to_the_other_pages_stands_above_the_panels_and_keeps_what_was_chosen(page):
    (link,) = as_json(page, "fr")["links"]

    assert (link["type"], link["tags"], link["asDropdown"]) == ("dashboards", ["beffroi"], True)
    assert link["includeVars"] is link["keepTime"] is True
    assert "placement" not in link
