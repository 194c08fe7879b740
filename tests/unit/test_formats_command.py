"""`beffroi formats list | try`: what people read, and what they are told of their slips."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from beffroi.cli import app
from collector.formats.registry import FORMATS
from tests.essai import ESSAI

TOML = (
    ESSAI
    + """[[binding]]
topic = "city/{site}/{sensor}"
timezone = "Europe/Paris"
ignore = ["status.*"]
[[binding]]
topic = "ngsi/{sensor}"
format = "ngsi"
[[binding]]
topic = "spBv1.0/#"
format = "sparkplug"
"""
)
CSV = """territory,site,sensor,metric,field,unit,step_s,stamp
99001,mairie,air-1,no2,,,60,start
99001,mairie,air-1,temperature,temp,[degF],900,end
99001,mairie,station-1,humidity,relativeHumidity,%,900,start
99001,mairie,station-1,voltage,charge,V,900,start
"""
AIR_1 = "city/mairie/air-1"


@pytest.fixture(autouse=True)
def _no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGSERVICE", "PGUSER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def city(tmp_path: Path) -> str:
    (tmp_path / "city.toml").write_text(TOML)
    (tmp_path / "sensors.csv").write_text(CSV)
    return str(tmp_path / "city.toml")


def run(*words: str, status: int = 0) -> str:
    """What the command says; of a slip, what it says on standard error."""
    result = CliRunner().invoke(app, ["formats", *words])
    assert result.exit_code == status, result.output
    return result.stdout if status < 2 else result.stderr


def tried(*words: str, status: int = 0) -> dict[str, Any]:
    """The answer as JSON, of a single message."""
    answer = json.loads(run("try", *words, "--json", status=status))
    [message] = answer["messages"]
    assert answer["accepted"] is message["accepted"] is (status == 0)
    return message  # type: ignore[no-any-return]


def test_every_format_is_listed_within_100_columns():
    listed = run("list")

    assert all(name in listed for name in FORMATS)
    assert max(map(len, listed.splitlines())) <= 100
    assert [one["name"] for one in json.loads(run("list", "--json"))["formats"]] == list(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_all_about_one_format_ends_with_a_binding_for_city_toml(name: str):
    import tomllib

    shown = run("list", name)

    [binding] = tomllib.loads(shown[shown.index("[[binding]]") :])["binding"]
    assert binding == {"topic": FORMATS[name].topic, "format": name}
    assert json.loads(run("list", name, "--json"))["fields"] == FORMATS[name].fields


def test_a_message_of_a_known_sensor_is_shown_step_by_step(city: str):
    shown = run(
        "try", "--topic", AIR_1, "--city", city, "--payload",
        '{"time": "2026-03-01T09:15:00", "no2": 12.5, "temp": 50, "status.on": 1}',
    )  # fmt: skip

    assert "city/{site}/{sensor}" in shown
    assert "air-1 (registered)" in shown
    assert "2026-03-01 08:15:00" in shown
    assert "  09:15:00 +0100" in shown
    assert "ignored" in shown
    assert "2 readings would be stored." in shown


def test_values_are_stored_in_the_canonical_unit_at_the_intervals_start(city: str):
    payload = '{"time": "2026-03-01T09:15:00", "temp": 50}'

    message = tried("--topic", AIR_1, "--city", city, "--payload", payload)

    assert message["readings"][0]["time"] == "2026-03-01T08:15:00.000000Z"
    assert message["readings"][0]["value"] == 50
    assert message["stored"] == [
        {
            "sensor": "air-1", "field": "temp", "metric": "temperature",
            "time": "2026-03-01T08:00:00.000000Z", "value": 10.0, "unit": "Cel", "flag": 2,
        }
    ]  # fmt: skip


def test_what_is_refused_comes_with_reason_and_remedy(city: str):
    payload = '{"no2": -50, "odd": 1, "temp": "warm"}'

    message = tried("--topic", AIR_1, "--city", city, "--payload", payload, status=1)

    assert {one["field"]: one["reason"] for one in message["refused"]} == {
        "no2": "out_of_range", "odd": "unknown_field", "temp": "bad_value"
    }  # fmt: skip
    assert all(one["remedy"] for one in message["refused"])
    assert message["stored"] == []
    shown = run("try", "--topic", AIR_1, "--city", city, "--payload", payload, status=1)
    assert "outside -10 to 2000 ug/m3" in shown
    assert "0 readings would be stored, 3 refused." in shown


def test_what_devices_say_of_themselves_is_taken_only_where_registered(city: str):
    payload = (
        '{"id": "x", "type": "AirQualityObserved", "relativeHumidity": 0.5, "charge": 3.7,'
        ' "reliability": 0.9}'
    )

    message = tried("--topic", "ngsi/station-1", "--city", city, "--payload", payload)

    assert [(one["field"], one["note"]) for one in message["readings"]] == [
        ("relativeHumidity", ""),
        ("charge", "taken"),
        ("reliability", "passed over"),
    ]
    assert [(one["field"], one["value"]) for one in message["stored"]] == [
        ("relativeHumidity", 50.0),
        ("charge", 3.7),
    ]


def test_a_topic_without_a_binding_is_refused_and_the_format_guessed(city: str):
    payload = '{"id": "a", "type": "AirQualityObserved", "no2": 1}'

    message = tried("--topic", "lab/a", "--city", city, "--payload", payload, status=1)

    assert (message["bound"], message["guessed"]) == (False, True)
    assert message["binding"]["format"] == "ngsi"
    assert message["not"]["senml"] == "a pack is a list of at least one record"
    assert [one["field"] for one in message["readings"]] == ["no2"]
    assert [one["reason"] for one in message["refused"]] == ["unreadable_topic"]
    assert message["stored"] == []


def test_without_a_city_a_message_is_only_read():
    message = tried("--topic", "ngsi/s1", "--payload", '{"id": "a", "type": "AirQualityObserved", "no2": 1}')  # fmt: skip

    assert message["sensor"] == "s1"
    assert message["binding"]["topic"] == "ngsi/{sensor}"
    assert message["stored"] == []
    assert "It says 1 reading." in run("try", "--topic", "lab/a", "--payload", '{"no2": 1}')
    assert "none was given" in run("try", "--payload", "21.5")


def test_a_format_may_be_tried_instead_of_the_bindings_own(city: str):
    pack = '[{"n": "no2", "u": "mg/m3", "v": 0.04}]'

    message = tried("--topic", AIR_1, "--city", city, "--payload", pack, "--format", "senml", "--sensor", "air-1")  # fmt: skip

    assert message["stored"][0]["value"] == pytest.approx(40.0)
    assert message["guessed"] is False


def test_a_zone_may_be_tried_instead_of_the_bindings_own(city: str):
    payload = '{"time": "2026-03-01T09:15:00", "no2": 1}'

    message = tried("--topic", AIR_1, "--city", city, "--payload", payload, "--timezone", "UTC")

    assert message["stored"][0]["time"] == "2026-03-01T09:15:00.000000Z"


def test_the_clock_is_that_of_the_reception(city: str):
    words = ("--topic", AIR_1, "--city", city, "--payload", '{"time": "2026-03-01T09:15:00Z", "no2": 1}')  # fmt: skip

    early = tried(*words, "--received", "2026-03-01T09:00:00", status=1)
    tried(*words, "--received", "2026-03-01T09:10:00")

    assert [one["reason"] for one in early["refused"]] == ["in_future"]


def test_bytes_may_be_given_as_hexadecimal_base64_or_a_file(city: str, tmp_path: Path):
    payload = b'{"no2": 12.5}'
    (tmp_path / "up.json").write_bytes(payload)
    words = ("--topic", AIR_1, "--city", city)

    for given in (
        ("--payload", payload.hex(" "), "--hex"),
        ("--payload", base64.b64encode(payload).decode(), "--base64"),
        ("--payload", f"@{tmp_path / 'up.json'}"),
        (str(tmp_path / "up.json"),),
    ):
        assert tried(*words, *given)["stored"][0]["value"] == 12.5


def test_the_topic_may_lie_beside_the_file(city: str, tmp_path: Path):
    (tmp_path / "up.json").write_text('{"no2": 12.5}')
    (tmp_path / "up.topic.txt").write_text(f"{AIR_1}\n")

    assert tried(str(tmp_path / "up.json"), "--city", city)["topic"] == AIR_1
    assert tried(str(tmp_path / "up.json"), "--city", city, "--topic", "city/x/air-1")["sensor"] == "air-1"  # fmt: skip


def test_a_file_of_lines_is_tried_line_by_line(city: str, tmp_path: Path):
    lines = ['{"no2": 1}', "", '{"no2": "warm"}', '{"no2": ', '{"no2": 4}']
    (tmp_path / "day.ndjson").write_text("\n".join(lines))

    answer = json.loads(run("try", str(tmp_path / "day.ndjson"), "--topic", AIR_1, "--city", city, "--json", status=1))  # fmt: skip

    assert [one["line"] for one in answer["messages"]] == [1, 3, 4, 5]
    assert [one["accepted"] for one in answer["messages"]] == [True, False, False, True]
    assert "4 messages: 2 accepted, 2 with something refused." in run(
        "try", str(tmp_path / "day.ndjson"), "--topic", AIR_1, "--city", city, status=1
    )


def test_many_lines_get_a_line_each(tmp_path: Path):
    (tmp_path / "day.ndjson").write_text('{"no2": 1}\n' * 30)

    shown = run("try", str(tmp_path / "day.ndjson"), "--topic", AIR_1, "--format", "plain")

    assert len(shown.splitlines()) == 30 + 3


def test_pretty_json_is_one_message(tmp_path: Path):
    (tmp_path / "up.json").write_text('{\n "no2": 1,\n "o3": 2\n}\n')

    assert len(tried(str(tmp_path / "up.json"))["readings"]) == 2


def test_identifiers_are_masked_in_everything_that_is_said(city: str):
    payload = '{"imei": 490154203237518, "seen": "AB-123-CD", "a4:c1:38:00:11:22": 3, "no2": 1}'
    for words in ((), ("--city", city)):
        for topic in (AIR_1, "lab/a4:c1:38:00:11:22/x"):
            said = ("try", "--topic", topic, "--payload", payload, *words)
            for shown in (run(*said, status=1), run(*said, "--json", status=1)):
                assert "490154203237518" not in shown
                assert "AB-123-CD" not in shown
                assert "a4:c1:38" not in shown


def test_a_senders_words_do_not_move_the_cursor(city: str):
    for topic in (AIR_1, "lab/\x1b[2J"):
        shown = run("try", "--topic", topic, "--city", city, "--payload", r'{"\u001b[2J": 1}', status=1)  # fmt: skip
        assert "\x1b[2J" not in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list", "ngis"), "there is no format 'ngis'; did you mean ngsi?"),
        (("try", "--payload", "1", "--format", "qqq"), "there is no format 'qqq'; known are"),
        (("try",), "give either a FILE or --payload"),
        (("try", "x.json", "--payload", "1"), "give either a FILE or --payload"),
        (("try", "nowhere.json"), "FILE: there is no file nowhere.json"),
        (("try", "."), "FILE: . is a folder"),
        (("try", "--payload", "@nowhere"), "--payload @FILE: there is no file nowhere"),
        (("try", "--payload", "zz", "--hex"), "--hex: this is none; it is written in pairs"),
        (("try", "--payload", "é", "--hex"), "--hex: this is none"),
        (("try", "--payload", "???", "--base64"), "--base64: this is none"),
        (("try", "--payload", "00", "--hex", "--base64"), "exclude each other"),
        (("try", "--payload", "1", "--topic", "a/#"), "'a/#' is no topic of a message"),
        (("try", "--payload", "1", "--timezone", "Mars"), "'Mars' is no time zone"),
        (("try", "--payload", "1", "--received", "soon"), "--received: 'soon' is no time"),
        (("try", "--payload", "1", "--city", "no.toml"), "--city: there is no file no.toml"),
        (
            ("try", "--payload", "1", "--topic", "a/b", "--sensor", "c"),
            "--sensor: 'c' is no segment of the topic 'a/b'",
        ),
    ],
)  # fmt: skip
def test_a_slip_is_told_with_its_remedy(words: tuple[str, ...], said: str):
    assert said in run(*words, status=2)


@pytest.mark.parametrize("payload", [b"", b"\xff" * 50, b"{" * 5000, b'"\x1b"'])
def test_no_bytes_end_in_a_traceback(city: str, payload: bytes):
    for words in ((), ("--city", city), ("--format", "sparkplug"), ("--format", "tic")):
        for topic in (AIR_1, "spBv1.0/g/NDATA/n"):
            given = ("--payload", payload.hex(), "--hex", "--topic", topic)
            result = CliRunner().invoke(app, ["formats", "try", *given, *words])
            assert result.exit_code in (0, 1), result.output
            assert result.exception is None or isinstance(result.exception, SystemExit)
