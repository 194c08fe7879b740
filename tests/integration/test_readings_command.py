"""`beffroi readings`: what it shows, does, says and refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from beffroi.cli import app
from storage import review
from storage.mistakes import MistakesError
from tests.integration.changes import (
    values,
)
from tests.integration.small_city import Line, register


@pytest.fixture
def meter(connection: psycopg.Connection) -> psycopg.Connection:
    """Sensor air-1 in Paris with 13 readings of NO2, 20 + n at 10:00, 10:05 … 11:00 local time."""
    [series] = register(connection, [Line("no2", 300)])
    connection.execute("UPDATE city.sensor SET code = 'air-1' WHERE sensor_id > 0")
    connection.execute(
        "INSERT INTO air.reading SELECT timestamptz '2024-05-14 10:00+02' + n * interval '5 minutes',"
        " 20 + n, %s, 2 FROM generate_series(0, 12) n",
        [series],
    )
    return connection


TEN = ["--from", "2024-05-14T10:00", "--to", "2024-05-14T10:30"]
NO2 = ["--sensor", "air-1", "--metric", "no2"]


def run(*words: str, status: int = 0, typed: str | None = None) -> str:
    """What the command says, on either stream."""
    result = CliRunner().invoke(app, ["readings", *words], input=typed)
    assert result.exit_code == status, result.output
    return " ".join(result.output.split())


def as_json(*words: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["readings", *words, "--json"])
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_a_reading_is_shown_with_all_that_is_known_of_it(meter: psycopg.Connection) -> None:
    run("correct", *NO2, *TEN, "--scale", "2", "--why", "wrong span gas")
    run("flag", *NO2, "--from", "2024-05-14T10:05", "--to", "2024-05-14T10:06", "--flag", "suspect",
        "--why", "a truck stood there")  # fmt: skip
    meter.execute(
        "INSERT INTO pipeline.reading_flag SELECT series_id, time, 'test', 3, 10 FROM air.reading"
        " WHERE value = 44"
    )

    shown = as_json("show", *NO2, *TEN, "--limit", "3")
    text = run("show", "--sensor", "air-1", *TEN, "--limit", "3")

    assert (shown["zone"], shown["zone_assumed"], shown["more"]) == ("Europe/Paris", True, True)
    assert [r["time"] for r in shown["readings"]] == [
        "2024-05-14T08:00:00Z", "2024-05-14T08:05:00Z", "2024-05-14T08:10:00Z",
    ]  # fmt: skip
    assert shown["readings"][1] == {
        "time": "2024-05-14T08:05:00Z", "metric": "no2", "field": "v", "value": 42.0, "unit": "ug/m3",
        "flag": "suspect", "source": "not evaluated", "failed_tests": [], "person": "suspect",
        "original": 21.0,
    }  # fmt: skip
    assert shown["readings"][2]["failed_tests"] == ["spike", "rate of change"]
    assert (
        "2024-05-14T10:10:00+02:00 no2 44 ug/m3 suspect not evaluated spike, rate of change 22"
        in text
    )
    assert "These are the first 3; narrow the span" in text
    assert "Times without an offset are local times in Europe/Paris." in text


def test_a_dry_run_counts_what_the_run_then_does(meter: psycopg.Connection) -> None:
    reason = ["--why", "a test"]
    for words in (
        ["flag", *NO2, *TEN, "--flag", "fail", *reason],
        ["correct", *NO2, *TEN, "--shift", "-1.5", *reason],
    ):
        tried, done = as_json(*words, "--dry-run"), as_json(*words)
        assert (
            (tried["readings"], tried["windows"]) == (done["readings"], done["windows"]) == (6, 2)
        )
        assert (tried["action_id"], tried["dry_run"]) == (None, True)
        assert done["action_id"]
    erase = ["delete", "--sensor", "air-1", *TEN, *reason]
    assert as_json(*erase, "--dry-run")["series"][0]["readings"] == 6
    assert len(values(meter)) == 13
    assert as_json(*erase, "--yes")["series"][0]["readings"] == 6
    assert values(meter) == [26, 27, 28, 29, 30, 31, 32]
    logged = as_json("log", "--sensor", "air-1")["actions"]
    assert [(a["action"], a["readings"], a["detail"], a["why"]) for a in logged] == [
        ("delete", 6, "0 rollups", "a test"),
        ("correct", 6, "scale 1, shift -1.5", "a test"),
        ("flag", 6, "fail", "a test"),
    ]
    assert "delete air-1 no2 2024-05-14T08:00:00Z 2024-05-14T08:30:00Z 6 0 rollups a test" in run(
        "log"
    )


def test_text_says_what_was_done_in_which_zone_and_unit(meter: psycopg.Connection) -> None:
    said = run("correct", *NO2, *TEN, "--value", "33", "--why", "by the logbook")

    assert said == (
        "6 readings of no2 at air-1 from 2024-05-14T10:00:00+02:00 to 2024-05-14T10:30:00+02:00 were "
        "corrected, in ug/m3, and 2 quarter-hours marked to be rolled up anew. "
        "Times without an offset are local times in Europe/Paris."
    )


def test_corrections_come_from_a_file(meter: psycopg.Connection, tmp_path: Path) -> None:
    file = tmp_path / "corrections.csv"
    file.write_text("time,value,note\n2024-05-14T10:05,30.5,x\n2024-05-14T08:10Z,22,same\n")

    done = as_json("correct", *NO2, "--file", str(file), "--why", "by the logbook")

    assert (done["readings"], done["unchanged"]) == (1, 1)
    assert values(meter)[:4] == [20, 30.5, 22, 23]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("when,value\n", [":1: column time is missing"]),
        ("time,value\n", ["holds no corrections"]),
        ("time,value\n2024-05-14T10:05,x\n2024-10-27T02:30,1\n2024-05-14T10:10,5000\n",
         [":2: value: 'x' is no number", ":3: '2024-10-27T02:30' happened twice", ":4: value: 5000 is outside -10 to 2000 ug/m3"]),
        ("time,value\n2024-05-14T10:05,1\n2024-05-14T08:05Z,2\n", [":3: the time stands in line 2 already"]),
        ("time,value\n2024-05-14T10:05,1\n2024-05-14T10:06,2\n2024-05-14T10:07,2\n", [":3: at this time there is no reading with a value, as 1 more lines"]),
        ("time,value\n2024-05-14T10:05\xe9,1\n", ["is no time"]),
    ],
)  # fmt: skip
def test_a_file_with_mistakes_changes_nothing(
    meter: psycopg.Connection, tmp_path: Path, text: str, told: list[str]
) -> None:
    file = tmp_path / "corrections.csv"
    file.write_text(text)
    result = CliRunner().invoke(
        app, ["readings", "correct", *NO2, "--file", str(file), "--why", "by the logbook"]
    )

    assert result.exit_code == 1
    words = str(result.exception) if isinstance(result.exception, MistakesError) else result.output
    assert [part for part in told if part not in words] == []
    assert values(meter) == [20.0 + n for n in range(13)]
    assert review.log(meter, None, 9) == []


WHY = ["--why", "a test"]
GOOD = ["--flag", "good", *WHY]


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["show", "--sensor", "air-2", *TEN], 2, "sensor 'air-2' is not registered; did you mean air-1?"),
        (["show", "--sensor", "zz", *TEN], 2, "known are air-1"),
        (["flag", "--sensor", "air-1", "--metric", "no", *TEN, *GOOD], 2, "does not measure 'no'; did you mean no2?"),
        (["show", *NO2, "--field", "w", *TEN], 2, "has no such field as 'w'; known are v"),
        (["show", *NO2, "--from", "2024-05-14T10:30", "--to", "2024-05-14T10:30"], 2, "the span is empty"),
        (["show", *NO2, "--from", "yesterday", "--to", "2024-05-14"], 2, "'yesterday' is no time; write one like"),
        (["show", *NO2, "--from", "2023-10-29T02:30", "--to", "2024-05-14"], 2, "happened twice in Europe/Paris; write 2023-10-29T02:30:00+02:00 or 2023-10-29T02:30:00+01:00"),
        (["show", *NO2, "--from", "2023-01-01", "--to", "2023-01-02"], 1, "has no reading from 2023-01-01T00:00:00+01:00 to 2023-01-02T00:00:00+01:00; it has no2 2024-05-14T10:00:00+02:00 to 2024-05-14T11:00:00"),
        (["flag", *NO2, "--from", "2023-01-01", "--to", "2023-01-02", *GOOD], 1, "has no reading from"),
        (["delete", *NO2, "--from", "2023-01-01", "--to", "2023-01-02", *WHY, "--yes"], 1, "has no reading from"),
        (["flag", *NO2, *TEN, "--flag", "good", "--why", "  "], 2, "--why is empty"),
        (["delete", *NO2, *TEN, "--yes", "--why", "as jean@ville.fr asks"], 2, "--why holds an e-mail address, and is kept for ever"),
        (["correct", *NO2, *TEN, *WHY], 2, "give one of --value, --scale with --shift, or --file"),
        (["correct", *NO2, *TEN, *WHY, "--value", "1", "--shift", "1"], 2, "give one of"),
        (["correct", *NO2, *TEN, *WHY, "--value", "nan"], 2, "--value must be a finite number"),
        (["correct", *NO2, *TEN, *WHY, "--scale", "0"], 2, "that is --value"),
        (["correct", *NO2, *WHY, "--value", "1"], 2, "give both --from and --to"),
        (["correct", *NO2, *TEN, *WHY, "--value", "2001"], 1, "no2 goes from -10 to 2000 ug/m3, and the new value at 2024-05-14T08:00:00+00:00 would be 2001, and 5 others beside it; nothing was changed"),
        (["delete", *NO2, *TEN, *WHY], 2, "see what it would be by --dry-run, then give --yes"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told_with_the_remedy(
    meter: psycopg.Connection, words: list[str], status: int, told: str
) -> None:
    assert told in run(*words, status=status)

    assert values(meter) == [20.0 + n for n in range(13)]
    assert review.log(meter, None, 9) == []


def test_erasing_by_hand_wants_the_sensors_code(
    meter: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("beffroi.records.readings._at_a_terminal", lambda: True)

    assert "nothing was erased" in run("delete", *NO2, *TEN, *WHY, status=1, typed="yes\n")
    assert len(values(meter)) == 13
    assert "6 readings of air-1 (no2 6)" in run("delete", *NO2, *TEN, *WHY, typed="air-1\n")
    assert len(values(meter)) == 7


def test_one_metric_in_two_fields_asks_which(meter: psycopg.Connection) -> None:
    meter.execute(
        "INSERT INTO city.series (sensor_id, metric, field, unit, scale, shift, step_s, stamp)"
        " SELECT sensor_id, 'no2', 'w', '1', 1, 0, 300, 'start' FROM city.series"
    )

    assert "in several fields: v, w; choose by --field" in run("flag", *NO2, *TEN, *GOOD, status=2)
    assert as_json("flag", *NO2, "--field", "v", *TEN, *GOOD)["readings"] == 6


def test_without_changes_the_log_says_so(connection: psycopg.Connection) -> None:
    assert run("log") == "Nobody has changed anything yet."
