"""Every query of every page and rule, as Grafana sends it, as a reader, on the make-believe city."""

import datetime
import functools
import re
from dataclasses import dataclass
from decimal import Decimal

import psycopg
import pytest

from dashboards.grafana.page import Page
from dashboards.grafana.pages import PAGES
from dashboards.grafana.panel import Column, Kind, Type
from dashboards.grafana.render import in_language
from dashboards.grafana.rules import RULES
from dashboards.grafana.text import LANGUAGES
from tests.grafana.macros import expand, interpolate
from tests.grafana.reader_city import APOSTROPHE, reader_city

HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)
RANGES = {"6 hours": 6 * HOUR, "24 hours": DAY, "30 days": 30 * DAY, "1 year": 365 * DAY}
LIVE = {"5 minutes": HOUR / 12}
PANEL_POINTS = 1000
"""About as many as a panel is pixels wide; `$__interval` follows it."""
FORMATS = {
    Type.TIME: (psycopg.adapters.types["timestamptz"].oid,),
    Type.TEXT: tuple(psycopg.adapters.types[name].oid for name in ("text", "varchar", "name")),
    Type.NUMBER: tuple(
        psycopg.adapters.types[name].oid
        for name in ("int2", "int4", "int8", "float4", "float8", "numeric")
    ),
}
MARKS = {
    "time": Column(Type.TIME), "timeend": Column(Type.TIME), "title": Column(Type.TEXT),
    "text": Column(Type.TEXT), "tags": Column(Type.TEXT),
}  # fmt: skip
CHOICES = {"__text": Column(Type.TEXT), "__value": Column(Type.TEXT)}
MACROS = {
    "__timeFilter", "__timeFrom", "__timeTo", "__timeGroup", "__timeGroupAlias", "__time",
    "__unixEpochFrom", "__unixEpochTo", "__interval", "__interval_ms",
}  # fmt: skip


@dataclass(frozen=True)
class Query:
    """One query of a page or rule, and what must come back."""

    name: str
    page: Page | None
    sql: str
    columns: dict[str, Column]
    kind: Kind | None = None
    quiet: str = ""
    live: bool = False


def queries():
    for page in PAGES:
        for choice in page.choices:
            yield Query(f"{page.uid} choice {choice.name}", page, choice.sql, CHOICES)
        for marks in page.marks:
            yield Query(f"{page.uid} marks {marks.name['en']}", page, marks.sql, MARKS)
        for section in page.sections:
            for panel in section.panels:
                if panel.kind is not Kind.TEXT:
                    yield Query(
                        f"{page.uid} {section.title['en']} / {panel.title['en']}", page, panel.sql,
                        panel.columns, panel.kind, panel.quiet["fr"], panel.live,
                    )  # fmt: skip
    for rule in RULES:
        yield Query(f"rule {rule.uid}", None, rule.sql, rule.columns)


QUERIES = list(queries())
PANELS = [query for query in QUERIES if query.kind]
COURSES = [query for query in QUERIES if query.kind in (Kind.COURSE, Kind.STATES)]


@pytest.fixture(scope="module")
def addresses(cluster):
    with reader_city(cluster) as filled:
        yield filled


@pytest.fixture(scope="module")
def reader(addresses):
    with psycopg.connect(addresses[1], autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def chosen(reader):
    """What people choose on opening a page: everything, by the page's own choices."""
    found = {}
    for page in PAGES:
        values = {}
        for choice in page.choices:
            sql = interpolate(in_language(choice.sql, "fr"), values)
            values[choice.name] = [row[1] for row in reader.execute(sql).fetchall()]
        found[page.uid] = values
    return found


@functools.cache
def moment():
    """The end of every range: once for all, so that answers can be compared."""
    return datetime.datetime.now(datetime.UTC)


def asked(reader, query, span, chosen, language="fr"):
    """Columns and rows of the answer over the `span` that ends now."""
    to = moment()
    interval_s = max(span.total_seconds() / PANEL_POINTS, 900)
    values = chosen[query.page.uid] if query.page else {}
    sql = interpolate(in_language(query.sql, language), values)
    cursor = reader.execute(expand(sql, to - span, to, interval_s).encode())
    return cursor.description, cursor.fetchall()


def wrong_columns(description, columns):
    """Names that differ, or types that Grafana would not read as what they are said to be."""
    names = [one.name for one in description]
    if names != list(columns):
        return [f"returns {names}, not {list(columns)}"]
    return [
        f"{one.name} is of type {one.type_display}, not {declared.type}"
        for one, declared in zip(description, columns.values(), strict=True)
        if one.type_code not in FORMATS[declared.type]
    ]


def spans(query):
    return {**(LIVE if query.live else {}), **RANGES} if query.page else {"once": DAY}


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_query_returns_the_declared_columns_at_every_range(reader, chosen, query):
    for span in spans(query).values():
        description, _ = asked(reader, query, span, chosen)

        assert wrong_columns(description, query.columns) == []


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_query_returns_the_same_columns_in_every_language(reader, chosen, query):
    for language in LANGUAGES:
        description, _ = asked(reader, query, DAY, chosen, language)

        assert wrong_columns(description, query.columns) == []


@pytest.mark.parametrize("query", COURSES, ids=lambda query: query.name)
def test_a_course_is_ordered_by_time_and_has_one_value_per_line_and_time(reader, chosen, query):
    for span in spans(query).values():
        _, rows = asked(reader, query, span, chosen)
        times = [row[0] for row in rows]
        lines = [row[:2] for row in rows] if "metric" in query.columns else times

        assert None not in times
        assert times == sorted(times)
        assert len(set(lines)) == len(lines)


@pytest.mark.parametrize("query", COURSES, ids=lambda query: query.name)
def test_a_course_returns_no_more_lines_than_people_can_tell_apart(reader, chosen, query):
    _, rows = asked(reader, query, DAY, chosen)

    assert len({row[1] for row in rows if "metric" in query.columns}) <= 40


@pytest.mark.parametrize("query", PANELS, ids=lambda query: query.name)
def test_a_panel_shows_something_of_a_day_or_says_why_it_does_not(reader, chosen, query):
    _, rows = asked(reader, query, DAY, chosen)

    assert rows or len(query.quiet) >= 15


def test_most_panels_show_something_of_a_day(reader, chosen):
    shown = [query for query in PANELS if asked(reader, query, DAY, chosen)[1]]

    assert len(shown) >= 0.6 * len(PANELS)


@pytest.mark.parametrize("query", PANELS, ids=lambda query: query.name)
def test_a_city_without_any_sensor_breaks_no_panel(reader, query):
    nothing = {query.page.uid: {choice.name: [""] for choice in query.page.choices}}

    description, _ = asked(reader, query, DAY, nothing)

    assert wrong_columns(description, query.columns) == []


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_number_is_never_infinite_and_nan_is_not_shown_for_nothing(reader, chosen, query):
    _, rows = asked(reader, query, 30 * DAY, chosen)

    odd = [
        row
        for row in rows
        if any(isinstance(v, (float, Decimal)) and not abs(v) < float("inf") for v in row)
    ]
    assert odd == []


def code(sql):
    """A query without its texts, which may name what they like."""
    return re.sub(r"'(?:[^']|'')*'", "''", sql)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_query_reads_views_of_the_schema_reader_only(query):
    text = re.sub(r"\$\w+\([^)]*\)", "", code(query.sql))
    subqueries = set(re.findall(r"\b(\w+)\s+AS\s+(?:NOT\s+)?(?:MATERIALIZED\s+)?\(", text, re.I))
    functions = {"extract", "substring", "trim", "overlay"}
    named = re.findall(r"(?:\bFROM|\bJOIN|,\s*LATERAL)\s+(?!LATERAL\b)([\w.]+)(\s*\()?", text, re.I)
    tables = {name for name, called in named if not called and name.lower() not in functions}

    strangers = {
        name
        for name in tables - subqueries
        if not name.startswith("reader.")
        # `extract(… FROM column)` and `IS DISTINCT FROM` name no relation.
        and not re.search(
            rf"(extract\s*\([^()]*|DISTINCT\s+)FROM\s+{re.escape(name)}\b", text, re.I
        )
    }
    assert strangers == set()


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_query_uses_known_macros_and_no_interval_that_depends_on_todays_date(query):
    used = set(re.findall(r"\$(__\w+)", query.sql))
    variables = {choice.name for choice in query.page.choices} if query.page else set()

    assert used <= MACROS
    assert set(re.findall(r"\$(?!__)\{?(\w+)", code(query.sql))) <= variables
    assert not re.findall(r"\$__timeGroup(?:Alias)?\([^)]*\d[My]\b", query.sql)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_no_argument_of_a_macro_holds_a_bracket_or_comma_of_its_own(query):
    for arguments in re.findall(r"\$__(?:timeFilter|time)\(([^)]*)\)", query.sql):
        assert "(" not in arguments
        assert "," not in arguments


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_query_of_readings_asks_for_six_hours_at_most(query):
    if re.search(r"reader\.\w+_readings", query.sql):
        assert query.live
        assert re.search(
            r"\btime\s*>=?\s*[^;]*?-\s*interval\s*'(?:[1-6] hours?|\d{1,3} minutes?)'", query.sql
        )


@pytest.mark.parametrize("span", RANGES)
def test_no_query_looks_at_chunks_of_readings_older_than_six_hours(reader, addresses, chosen, span):
    """What the text promises, the plan keeps: readings of older days are taken away meanwhile."""
    live = [query for query in PANELS if re.search(r"reader\.\w+_readings", query.sql)]
    with psycopg.connect(addresses[0]) as owner:
        for domain in ("air", "mobility", "energy"):
            owner.execute(
                f"DELETE FROM {domain}.reading WHERE time <= %s".encode(), (moment() - 6 * HOUR,)
            )
        before = [asked(reader, query, RANGES[span], chosen)[1] for query in live]
        now = [
            asked(owner_as_reader(owner, reader), query, RANGES[span], chosen)[1] for query in live
        ]
        owner.rollback()

    assert now == before


def owner_as_reader(owner, reader):
    """The owner's session, which sees its own deletions, as the role that may only look."""
    owner.execute(f'SET LOCAL ROLE "{reader.info.user}"')
    return owner


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.uid)
def test_a_page_can_be_narrowed_to_one_site_with_an_apostrophe_and_accents(reader, page):
    assert reader.execute(
        "SELECT count(*) FROM reader.sites WHERE site_name = %s", (APOSTROPHE,)
    ).fetchone() >= (1,)
    values = {choice.name: ["d'Écluse", "O'Brien \\ $1"] for choice in page.choices}
    quoted = {name: [one.replace("'", "''") for one in many] for name, many in values.items()}

    for query in QUERIES:
        if query.page is page:
            asked(reader, query, DAY, {page.uid: quoted})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.uid)
def test_a_rule_returns_one_number_and_every_subject_once(reader, rule):
    numbers = [name for name, column in rule.columns.items() if column.type is Type.NUMBER]
    labels = [at for at, column in enumerate(rule.columns.values()) if column.type is Type.TEXT]
    sql = in_language(rule.sql, "fr")
    now = datetime.datetime.now(datetime.UTC)
    rows = reader.execute(expand(sql, now - DAY, now, 60).encode()).fetchall()

    assert numbers == ["value"]
    assert len({tuple(row[at] for at in labels) for row in rows}) == len(rows)
    assert all(row[at] is not None for row in rows for at in labels)


def test_the_rule_of_silent_sensors_names_the_two_that_fell_silent(reader):
    sql = next(rule.sql for rule in RULES if "silence" in rule.uid)
    now = datetime.datetime.now(datetime.UTC)

    rows = reader.execute(expand(in_language(sql, "fr"), now - DAY, now, 60).encode()).fetchall()

    assert rows != []


def test_a_query_that_names_a_table_would_be_found():
    sql = "SELECT start AS time FROM air.rollup_1d r JOIN reader.series s USING (series_id)"

    with pytest.raises(AssertionError):
        test_a_query_reads_views_of_the_schema_reader_only(Query("wrong", None, sql, {}))
