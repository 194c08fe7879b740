"""Rows become figures whose value, age, state and coverage say no more than is known."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from dashboards.board import language
from dashboards.board.figures import Amount
from dashboards.board.language import codes
from dashboards.board.open_json import as_json
from dashboards.board.pages import Period, board, histories, local_midnight
from dashboards.board.rows import Latest, Registered, Rows, Window, queries
from dashboards.board.sheet import State, Where
from dashboards.board.sparkline import spark
from dashboards.board.views import now
from dashboards.board.views.view import Asked
from dashboards.settings import HEADLINE, Settings
from storage.catalogue import BY_NAME

NOW = datetime(2026, 3, 12, 14, 7, tzinfo=UTC)  # 15:07 in Paris
QUARTER = timedelta(minutes=15)


def registered(metric, territory="59350", sensors=1, step_s=60, timezone="Europe/Paris"):
    known = BY_NAME[metric]
    return Registered(
        metric, known.domain, known.unit, known.kind, known.labels["fr"], known.labels["en"],
        known.labels["de"], known.public_step_s, territory, {"59350": "Lille"}.get(territory,
        territory), timezone, step_s, sensors,
    )  # fmt: skip


def latest(metric, value, ago_s, territory="59350", step_s=60):
    return Latest(metric, territory, step_s, NOW - timedelta(seconds=ago_s), value)


def window(metric, start, *, total=None, part=None, territory="59350", sensors=1, received=1):
    return Window(metric, territory, 900, start, total, part, sensors, received)


def at(hour, minute=0):
    return NOW.replace(hour=hour, minute=minute)


def whole_board(rows, name=""):
    return board(rows, histories(rows, NOW), NOW, name=name, headline=HEADLINE)


def figures(rows, place=0):
    page = whole_board(rows)
    return {figure.metric: figure for section in page.places[place].sections
            for figure in (*section.headline, *section.others)}  # fmt: skip


WHOLE = Where("", "Métropole", "Europe/Paris", frozenset({"59350", "59512"}))


def said(rows, code="fr"):
    """The sheet of the whole installation."""
    known = now.Now(rows, 0.0, histories(rows, NOW), 0)
    return now.say(known, Asked(WHOLE, language.language(code), NOW))


def fact(rows, metric, code="fr"):
    return next(fact for fact in said(rows, code).facts if fact.key == metric)


def test_a_concentration_now_is_the_mean_over_the_sensors_heard():
    rows = Rows(
        [registered("no2", sensors=3)],
        [latest("no2", 20, 30), latest("no2", 30, 50), latest("no2", 500, 4000)],
        [],
    )

    no2 = figures(rows)["no2"]

    assert no2.amount.value == 25.0
    assert (no2.received, no2.expected) == (2, 3)
    assert (no2.period, no2.state, no2.age_s) == (Period.NOW, State.FRESH, 30)


@pytest.mark.parametrize(("ago_s", "state"), [(119, "fresh"), (121, "late"), (361, "stale")])
def test_a_figure_ages_from_fresh_to_late_to_stale(ago_s, state):
    rows = Rows([registered("no2")], [latest("no2", 20, ago_s)], [])

    assert figures(rows)["no2"].state == state
    assert figures(rows)["no2"].amount.value == 20


def test_a_registered_sensor_that_never_spoke_is_absent_and_not_zero():
    rows = Rows([registered("o3")], [], [])
    o3, text = figures(rows)["o3"], fact(rows, "o3")

    assert o3.state is State.ABSENT
    assert o3.amount.value is None
    assert (text.value, text.note) == ("", "pas de mesure")


def test_a_measured_zero_is_shown_as_zero():
    rows = Rows([registered("bikes", step_s=900)], [], [window("bikes", at(13), total=0.0)])

    text = fact(rows, "bikes")

    assert (text.value, text.note) == ("0", "")


def test_a_metric_without_a_series_is_not_shown():
    assert list(figures(Rows([registered("no2")], [], []))) == ["no2"]


def test_free_places_add_up_while_temperatures_average():
    rows = Rows(
        [registered("parking_free", sensors=2), registered("temperature", sensors=2)],
        [
            latest("parking_free", 100, 5),
            latest("parking_free", 40, 5),
            latest("temperature", 10, 5),
            latest("temperature", 12, 5),
        ],
        [],
    )

    assert figures(rows)["parking_free"].amount.value == 140
    assert figures(rows)["temperature"].amount.value == 11


def test_today_begins_at_local_midnight():
    # 23:00 UTC is midnight in Paris in winter.
    before, after = at(22, 45) - timedelta(days=1), at(23) - timedelta(days=1)
    rows = Rows(
        [registered("bikes", step_s=900)],
        [],
        [window("bikes", before, total=100.0), window("bikes", after, total=7.0)],
    )

    assert figures(rows)["bikes"].amount.value == 7


def test_a_day_of_23_hours_still_begins_at_its_own_midnight():
    noon_of_the_change = datetime(2026, 3, 29, 10, tzinfo=UTC)

    assert local_midnight(noon_of_the_change, "Europe/Paris") == datetime(
        2026, 3, 28, 23, tzinfo=UTC
    )


def test_a_count_is_public_only_when_its_quarter_hour_has_closed():
    rows = Rows(
        [registered("bikes", step_s=60)],
        [],
        [window("bikes", at(13, 45), total=10.0), window("bikes", at(14), total=90.0)],
    )

    bikes = figures(rows)["bikes"]

    assert bikes.amount.value == 10
    assert bikes.at == at(14)


def test_power_is_public_only_by_the_hour():
    rows = Rows(
        [registered("power", step_s=60)],
        [latest("power", 999, 5)],
        [window("power", at(13) + k * QUARTER, part=40.0 + k) for k in range(5)],
    )

    power = figures(rows)["power"]

    assert power.amount.value == 41.5  # mean of 40, 41, 42, 43; 14:00 is still open
    assert (power.period, power.width) == (Period.HOUR, timedelta(hours=1))


def test_power_of_two_communes_adds_up():
    rows = Rows(
        [registered("power", "59350"), registered("power", "59512")], [],
        [window("power", at(13) + k * QUARTER, part=value, territory=code)
         for k in range(4) for code, value in (("59350", 40.0), ("59512", 2.0))],
    )  # fmt: skip

    assert figures(rows)["power"].amount.value == 42


def test_few_people_are_shown_as_fewer_than_five():
    rows = Rows(
        [registered("pedestrians", step_s=900)], [], [window("pedestrians", at(13, 45), total=3.0)]
    )
    pedestrians = figures(rows)["pedestrians"]

    assert pedestrians.amount.hidden
    assert fact(rows, "pedestrians", "en").value == "<\u00a05"


def test_a_total_does_not_depend_on_what_a_small_cell_hides():
    def total(hidden):
        return figures(Rows(
            [registered("pedestrians", "59350"), registered("pedestrians", "59512")], [],
            [window("pedestrians", at(13, 45), total=hidden, territory="59350"),
             window("pedestrians", at(13, 45), total=40.0, territory="59512")],
        ))["pedestrians"].amount  # fmt: skip

    assert [total(hidden) for hidden in (1.0, 2.0, 3.0, 4.0)] == [Amount(42.5, True)] * 4


def test_no_small_count_appears_in_the_json_in_any_form():
    rows = Rows(
        [registered("pedestrians", step_s=900)],
        [],
        [
            window("pedestrians", at(12) + k * QUARTER, total=float(t))
            for k, t in enumerate([3, 30, 4, 50])
        ],
    )
    told = as_json(said(rows), WHOLE, NOW, NOW, away=False, language="fr")["figures"][0]

    shown = {(p["value"], p.get("below")) for p in told["last_24_h"]}

    assert shown == {(None, None), (None, 5), (30.0, None), (50.0, None)}
    assert told["value"] == 85.0
    assert told["about"] is True


def test_coverage_counts_what_was_due_since_midnight():
    rows = Rows(
        [registered("vehicles", step_s=300, sensors=2)],
        [],
        [window("vehicles", at(13, 45), total=9.0, received=3)],
    )

    vehicles = figures(rows)["vehicles"]

    # 15 closed hours at 12 readings an hour from each of 2 sensors.
    assert (vehicles.received, vehicles.expected) == (3, 360)


def test_a_curve_has_a_gap_where_too_few_sensors_spoke():
    rows = Rows(
        [registered("no2", sensors=4)],
        [],
        [
            window("no2", at(13), part=80.0, sensors=4),
            window("no2", at(13, 15), part=40.0, sensors=2),
            window("no2", at(13, 30), part=60.0, sensors=3),
        ],
    )

    last_four = [point.amount.value for point in figures(rows)["no2"].points[-4:]]

    assert last_four == [20.0, None, 20.0, None]


def test_the_whole_comes_before_its_territories():
    rows = Rows(
        [registered("no2", "59350"), registered("no2", "59512")],
        [latest("no2", 10, 5, "59350"), latest("no2", 30, 5, "59512")],
        [],
    )
    page = whole_board(rows, "Métropole")

    assert [place.name for place in page.places] == ["Métropole", "Lille", "59512"]
    assert [figures(rows, k)["no2"].amount.value for k in range(3)] == [20, 10, 30]


def test_a_gap_breaks_the_line_of_a_sparkline():
    drawn = spark([1.0, 2.0, None, None, 3.0], from_zero=True)

    assert drawn.path.count("M") == 2
    assert drawn.gaps == 2
    assert spark([None, None], from_zero=True) is None


def test_a_level_sparkline_of_one_value_lies_in_the_middle():
    assert spark([7.0, 7.0], from_zero=False).path == "M0 28L240 28"


def test_a_stale_figure_says_of_when_it_is():
    rows = Rows([registered("no2")], [latest("no2", 20, 7200)], [])

    assert fact(rows, "no2", "fr").said == "donnée du 12 mars 13:07"
    assert fact(rows, "no2", "de").said == "Wert vom 12. März 13:07"
    assert fact(rows, "no2", "fr").age == "il y a 2\u00a0h"


def test_the_number_of_figures_on_a_page_is_bounded_by_13():
    rows = Rows([registered(metric) for metric in BY_NAME if BY_NAME[metric].public_step_s], [], [])

    assert len(said(rows).facts) == 13


def test_no_rate_of_vehicles_is_shown_live():
    rows = Rows([registered("flow"), registered("no2")], [latest("flow", 12, 5)], [])

    assert [fact.key for fact in said(rows).facts] == ["no2"]


def test_the_headline_names_metrics_of_the_catalogue():
    assert set(HEADLINE) <= set(BY_NAME)


def test_an_unknown_language_is_refused_with_its_remedy():
    with pytest.raises(ValueError, match="DASHBOARDS_LANGUAGE must be one of fr, en, de, got 'xx'"):
        Settings.read({"DASHBOARDS_LANGUAGE": "xx"}, codes())


def test_settings_come_from_the_environment():
    given = Settings.read(
        {"DASHBOARDS_PORT": "0", "DASHBOARDS_HEADLINE": "no2, bikes", "DASHBOARDS_HOST": ""}
    )

    assert (given.port, given.headline, given.host) == (0, ("no2", "bikes"), "127.0.0.1")


def test_the_public_never_reads_raw_readings():
    for name, sql in queries().items():
        relations = set(re.findall(r"(?:FROM|JOIN)\s+([\w.]+)", sql))
        assert not any(relation.endswith((".reading", ".readings")) for relation in relations), name
