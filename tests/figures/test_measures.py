"""`beffroi measures` on a real database: registered, corrected, evaluated, shown."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from typer.testing import CliRunner, Result

from beffroi.measures.commands import app
from storage.city import parse
from storage.registry import register

DAY = datetime.timedelta(days=1)
BEGIN = datetime.date(2026, 3, 10)
"""In its days after a day of Paris has 23 hours, in those long before one has 25."""
UNTIL = "2026-05-01"
DAYS = [BEGIN - 140 * DAY + n * DAY for n in range(192)]

CITY = """
[city]
name = "Val"
timezone = "Europe/Paris"
[[territory]]
code = "99001"
name = "Vieux"
[[territory]]
code = "99002"
name = "Neuf"
[[binding]]
topic = "city/{territory}/{site}/{sensor}"
"""
ADD = (
    "add", "zfe", "--title-fr", "ZFE", "--objective", "Less NO2", "--territory", "99001",
    "--in-force", str(BEGIN), "--metric", "no2", "--daily", "mean", "--expected", "down",
    "--decision", "Délibération 7", "--touched-sites", "rue-0;rue-1;rue-2",
)  # fmt: skip


def lines() -> str:
    """Three touched streets and five others with NO2 and bicycles; one site in each territory."""
    head = "territory,site,site_name,sensor,metric,field,unit,step_s\n"
    places = [("99001", f"rue-{n}") for n in range(6)] + [("99002", f"parc-{n}") for n in range(2)]
    rows = [
        f"{territory},{site},{site},{metric}-{site},{metric},{metric},,3600\n"
        for territory, site in places
        for metric in ("no2", "bikes")
    ]
    return head + "".join(rows)


@pytest.fixture
def places(connection: psycopg.Connection) -> psycopg.Connection:
    """A city where nothing was measured yet."""
    register(connection, parse(CITY, lines()))
    return connection


@pytest.fixture
def streets(places: psycopg.Connection) -> psycopg.Connection:
    """192 days of NO2; since the measure the touched streets have 6 less."""
    rng = np.random.default_rng(1)
    weather = rng.normal(0, 3, len(DAYS))
    for site in [f"rue-{n}" for n in range(6)] + [f"parc-{n}" for n in range(2)]:
        value = 30 + rng.normal(0, 1.5, len(DAYS)) + weather
        if site in ("rue-0", "rue-1", "rue-2"):
            value -= 6 * np.array([day >= BEGIN for day in DAYS])
        roll_up(places, f"no2-{site}", dict(zip(DAYS, value.tolist(), strict=True)))
    return places


def roll_up(
    connection: psycopg.Connection,
    sensor: str,
    means: dict[datetime.date, float],
    *,
    domain: str = "air",
    good: int = 24,
    provisional: bool = False,
) -> None:
    """Daily rollups as the processor writes them: from local midnight to local midnight."""
    connection.execute(
        f"""
        INSERT INTO {domain}.rollup_1d
        SELECT day::timestamp AT TIME ZONE 'Europe/Paris', mean * %(good)s, 0, 0, 0, 0, 0, 'NaN',
               'NaN', series_id, 24, %(good)s, %(good)s, 0, %(open)s, ''
          FROM city.series JOIN city.sensor USING (sensor_id),
               unnest(%(days)s::date[], %(means)s::float8[]) AS d (day, mean)
         WHERE code = %(sensor)s
            ON CONFLICT (series_id, start) DO UPDATE
           SET (sum, good, received, provisional)
             = (excluded.sum, excluded.good, excluded.received, excluded.provisional)
        """,
        {
            "sensor": sensor, "days": list(means), "means": list(means.values()), "good": good,
            "open": provisional,
        },
    )  # fmt: skip


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def done(*words: str) -> str:
    result = typed(*words)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def wrong(*words: str) -> str:
    result = typed(*words)
    assert result.exit_code in (1, 2), result.output
    return " ".join(result.stderr.split()) or str(result.exception)


def evaluated(*words: str) -> dict[str, Any]:
    (one,) = json.loads(done("evaluate", *words, "--until", UNTIL, "--json"))["measures"]
    return dict(one)


def rows(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT count(*) FROM city.evaluation").fetchone()
    assert row is not None
    return int(row[0])


def test_a_measure_is_registered_evaluated_and_shown(streets: psycopg.Connection):
    assert done(*ADD, "--person", "Ada") == "zfe: new, version 1\n"
    found = evaluated("zfe")

    assert (found["verdict"], found["reason"], found["unit"]) == ("expected", "clear", "ug/m3")
    assert found["estimate"] == pytest.approx(-6, abs=0.6)
    assert found["low"] < -6 < found["high"] < 0
    assert (found["touched_sites"], found["comparison_sites"]) == (3, 5)
    # 52 days after from 10 March, 52 before; both changes of the clock leave whole days.
    assert (found["days_before"], found["days_after"]) == (52, 52)
    assert (found["before_from"], found["after_to"]) == ("2026-01-17", "2026-05-01")
    assert (found["matching"], found["placebo_low"] < 0 < found["placebo_high"]) == (
        "weekdays_before", True,
    )  # fmt: skip
    shown = done("show", "zfe")
    assert f"in the expected direction: {found['estimate']:+.3g} ug/m3 (95 %: " in shown
    assert "3 sites, 3 series" in shown
    assert "│" in shown
    assert "█" in shown
    assert "Ada" in shown
    whole = json.loads(done("show", "zfe", "--json"))
    assert whole["evaluation"]["estimate"] == found["estimate"]
    assert [one["day"] for one in whole["gap"]] == [str(day) for day in DAYS]
    assert {"2025-10-26", "2026-03-29"} < {one["day"] for one in whole["gap"]}
    view = streets.execute("SELECT code, verdict, comparison_series FROM city.measures").fetchall()
    assert view == [("zfe", "expected", 5)]


def test_an_evaluation_from_the_same_readings_writes_nothing_and_late_data_write_a_new_one(
    streets: psycopg.Connection,
):
    done(*ADD)
    assert (evaluated("zfe")["written"], evaluated("zfe")["written"]) == (True, False)
    assert rows(streets) == 1
    done("evaluate", "--until", UNTIL, "--dry-run")

    roll_up(streets, "no2-rue-0", {BEGIN + 3 * DAY: 90.0})
    assert "in the expected direction" in done("evaluate", "--until", UNTIL)
    assert rows(streets) == 2
    assert done("history", "zfe").count("evaluated ") == 2


def test_a_correction_is_a_new_version_and_says_why_and_the_old_one_can_be_read(
    streets: psycopg.Connection,
):
    done(*ADD)
    evaluated("zfe")
    settled = (*ADD, "--settled", "2026-03-20")

    assert "a correction says why" in wrong(*settled)
    assert done(*ADD) == "zfe: nothing to change; it is so already\n"
    assert "would be corrected, version 2" in done(*settled, "--why", "signs late", "--dry-run")
    assert "corrected, version 2" in done(*settled, "--why", "signs late", "--person", "Bea")
    story = done("history", "zfe")
    assert "Bea: corrected; why: signs late" in story
    assert "settled: none → 2026-03-20" in story
    assert "not evaluated yet" in done("list")
    again = evaluated("zfe")
    assert (again["version"], again["after_from"], again["days_after"]) == (2, "2026-03-20", 42)
    assert streets.execute("SELECT count(*), max(version) FROM city.measure").fetchone() == (2, 2)


def test_a_retired_measure_is_not_evaluated_and_touches_nothing_any_more(
    streets: psycopg.Connection,
):
    done(*ADD)
    other = [
        word.replace("rue-0;rue-1;rue-2", "rue-3;rue-4").replace("zfe", "pave") for word in ADD
    ]
    done(*other)
    assert evaluated("zfe")["comparison_sites"] == 3

    assert "--why is empty" in wrong("retire", "pave", "--why", " ")
    assert done("retire", "pave", "--why", "entered twice") == "pave: retired, version 2\n"
    assert evaluated("zfe")["comparison_sites"] == 5
    assert "measure 'pave' is retired" in wrong("evaluate", "pave")
    assert "pave" not in done("list")
    assert "pave" in done("list", "--retired")


def test_touched_streets_to_which_another_measure_came_in_the_same_days_are_left_out(
    streets: psycopg.Connection,
):
    done(*ADD)
    other = [word.replace("rue-0;rue-1;rue-2", "rue-0").replace("zfe", "pave") for word in ADD]
    done(*other)
    assert evaluated("zfe")["touched_sites"] == 2

    found = evaluated("pave")
    assert (found["verdict"], found["reason"]) == ("not_conclusive", "other_measure")
    assert found["confounded_by"] == ["zfe"]


def test_comparison_is_with_the_city_the_territory_elsewhere_or_those_named(
    streets: psycopg.Connection,
):
    done(*ADD)

    def sites(*words: str) -> tuple[int, str]:
        done(*ADD, *words, "--why", "try")
        found = evaluated("zfe")
        return found["comparison_sites"], found["reason"]

    assert sites("--comparison", "territory") == (3, "clear")
    assert sites("--comparison", "elsewhere") == (2, "clear")
    assert sites("--comparison-sites", "99002/parc-1") == (1, "one_comparison_site")
    assert sites("--comparison-sensors", "no2-rue-4;no2-rue-5;no2-parc-0")[0] == 3


def test_days_that_are_open_or_hardly_measured_do_not_count(streets: psycopg.Connection):
    done(*ADD)
    before = evaluated("zfe")
    after = [BEGIN + n * DAY for n in range(52)]
    roll_up(streets, "no2-rue-0", dict.fromkeys(after[:24], 500.0), good=17)
    assert (evaluated("zfe")["reason"], evaluated("zfe")["touched_sites"]) == ("clear", 3)
    roll_up(streets, "no2-rue-0", {after[24]: 500.0}, provisional=True)
    found = evaluated("zfe")

    assert found["touched_sites"] == 2  # 27 of 52 days are left
    assert abs(found["estimate"] - before["estimate"]) < 1


def test_days_of_an_indicator_are_those_of_its_figures(streets: psycopg.Connection):
    streets.execute(
        """
        INSERT INTO air.figure
        SELECT start, start + interval '1 day', '-infinity',
               20 - CASE WHEN day >= %s AND code IN ('rue-0', 'rue-1', 'rue-2') THEN 5 ELSE 0 END
                  + sin(site_id * extract(day FROM day)::float8), 'NaN', 'NaN', series_id, 24, 24, 0,
               indicator_id, CASE WHEN day = '2026-04-01' THEN 3 ELSE 1 END, 0, day = '2026-04-02',
               false
          FROM city.indicator, city.series s JOIN city.site i USING (site_id),
               generate_series('2026-01-01'::date, '2026-04-30', '1 day') day,
               LATERAL (SELECT (day::timestamp AT TIME ZONE 'UTC') - interval '1 h' AS start) f
         WHERE indicator = 'air_day_mean' AND metric = 'no2'
        """,
        [BEGIN],
    )
    by_figure = [*ADD, "--indicator", "air_day_mean"]
    del by_figure[by_figure.index("--daily") : by_figure.index("--daily") + 2]
    done(*by_figure)
    found = evaluated("zfe")

    assert found["reason"] == "clear"
    assert found["estimate"] == pytest.approx(-5, abs=0.5)
    assert (found["days_before"], found["days_after"]) == (52, 50)


def test_bicycles_are_totals_and_told_in_per_cent(streets: psycopg.Connection):
    rng = np.random.default_rng(3)
    for number, site in enumerate(["rue-0", "rue-1", "rue-2", "rue-3", "rue-4", "parc-0"]):
        level = 50 * 4.0**number
        more = [1.3 if number < 3 and day >= BEGIN else 1.0 for day in DAYS]
        mean = level * np.array(more) * (1 + rng.normal(0, 0.05, len(DAYS)))
        roll_up(streets, f"bikes-{site}", dict(zip(DAYS, mean.tolist(), strict=True)),
                domain="mobility", good=18)  # fmt: skip
    bikes = [{"no2": "bikes", "mean": "total", "down": "up"}.get(word, word) for word in ADD]
    done(*bikes, "--effect", "percent")
    found = evaluated("zfe")

    assert (found["verdict"], found["unit"], found["comparison_sites"]) == ("expected", "%", 3)
    assert found["estimate"] == pytest.approx(30, abs=3)
    done(*bikes, "--why", "in bicycles")
    # 18 of 24 hours were counted: a day's total is scaled to the whole day, 24 times the mean.
    assert evaluated("zfe")["touched_before"] == pytest.approx(24 * 50 * 21 / 3, rel=0.02)


def test_measures_without_data_or_with_data_only_before_are_not_conclusive(
    places: psycopg.Connection,
):
    done(*ADD)
    nothing = evaluated("zfe")
    assert (nothing["verdict"], nothing["reason"]) == ("not_conclusive", "nothing_measured")
    assert (nothing["estimate"], nothing["touched_sites"]) == (None, 0)

    for site in (f"rue-{n}" for n in range(6)):
        roll_up(places, f"no2-{site}", dict.fromkeys(DAYS[:140], 20.0))
    assert evaluated("zfe")["reason"] == "few_days_after"
    assert "too_early" in done("evaluate", "--until", "2026-01-01", "--json")
    assert "Not evaluated yet" not in done("show", "zfe")
    assert rows(places) == 3


def test_on_an_empty_database_every_command_says_so(connection: psycopg.Connection):
    assert done("list") == "No measure is registered.\n"
    assert done("evaluate") == "No measure is registered.\n"
    assert "none is yet: beffroi measures add" in wrong("show", "zfe")
    assert "--territory: '99001' is not registered" in wrong(*ADD)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("99001", "99010", "--territory: '99010' is not registered; did you mean 99002 or 99001"),
        (
            "rue-0;rue-1;rue-2",
            "rue-9",
            "--touched-sites: site '99001/rue-9' is not registered; did",
        ),
        ("no2", "no3", "--metric: 'no3' is unknown; did you mean o3 or no or nox"),
        ("no2", "wind_direction", "--metric: wind_direction is a direction, which goes neither"),
        ("mean", "total", "--daily: no2 has no total; write mean"),
        ("down", "less", "--expected: Input should be 'down' or 'up'"),
        (str(BEGIN), "10.3.2026", "--in-force: '10.3.2026' is no day; write one like 2026-03-01"),
        ("ZFE", "", "--title-fr: is missing; give title_fr, title_en or title_de"),
        ("Less NO2", "ask jean@example.org", "--objective: holds an e-mail address"),
    ],
)
def test_a_mistake_is_told_with_what_is_near(
    places: psycopg.Connection, old: str, new: str, told: str
):
    assert told in wrong(*(new if word == old else word for word in ADD))
    assert places.execute("SELECT count(*) FROM city.measure").fetchone() == (0,)


def test_an_indicator_that_is_none_or_not_of_the_day_is_told(places: psycopg.Connection):
    def said(*more: str) -> str:
        without = [word for word in ADD if word not in ("--daily", "mean")]
        return wrong(*without, *more)

    assert "--indicator: 'air_day_maen' is unknown; did you mean air_day_mean" in said(
        "--indicator", "air_day_maen"
    )
    assert "--touched-sensors: sensor 'no2-rue-9' is not registered; did you mean" in said(
        "--indicator", "air_day_mean", "--touched-sensors", "no2-rue-9"
    )
    assert "--touched-sensors: sensor 'bikes-rue-1' does not measure 'no2'" in said(
        "--indicator", "air_day_mean", "--touched-sensors", "bikes-rue-1"
    )


def test_a_file_is_registered_whole_or_not_at_all(places: psycopg.Connection, tmp_path: Path):
    file = tmp_path / "measures.csv"
    file.write_text(
        "code,title_en,objective,territory,in_force,metric,daily,expected,decision,touched_sites\n"
        "one,One,Less,99001,2026-03-01,no2,mean,down,7,rue-0;rue-1\n"
        "two,Two,Less,99002,2026-03-01,no2,mean,down,8,parc-9\n"
    )
    assert "two: touched_sites: site '99002/parc-9' is not registered" in wrong("import", str(file))
    assert places.execute("SELECT count(*) FROM city.measure").fetchone() == (0,)

    file.write_text(file.read_text().replace("parc-9", "parc-0"))
    assert json.loads(done("import", str(file), "--json"))["measures"] == [
        {"code": "one", "became": "new", "version": 1},
        {"code": "two", "became": "new", "version": 1},
    ]
    file.write_text(file.read_text().replace("down", "less", 1))
    assert "measures.csv:2: expected: Input should be" in wrong("import", str(file))
