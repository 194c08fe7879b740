"""The worked example of adding a vendor without code does what it says."""

from __future__ import annotations

import datetime
import doctest
import json
import re
from pathlib import Path

import psycopg

from collector.decode import Decoding
from collector.source import Message
from storage.city import parse
from storage.registry import register
from tests.integration.collecting import registered_routes

ROOT = Path(__file__).parents[2]
README = (ROOT / "storage/README.md").read_text()
SECTION = README[README.index("## Adding a vendor") : README.index("## Units")]
NOW = datetime.datetime(2026, 3, 1, 9, 0, 1, tzinfo=datetime.UTC)


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^   ```{language}\n(.*?)^   ```", SECTION, re.DOTALL | re.MULTILINE)
    return [re.sub(r"^   ", "", block, flags=re.MULTILINE) for block in found]


def test_two_vendors_are_added_by_two_files(connection: psycopg.Connection):
    (toml,), (csv,), (told,) = blocks("toml"), blocks("csv"), blocks("text")
    first, second = blocks("json")
    json.loads(first), json.loads(second)

    register(connection, parse(toml, csv))
    known = registered_routes()
    oldest = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
    decoding = Decoding(known, payload_bytes=4096, oldest=oldest, ahead_s=600)
    topics = ("breath/b1/data", "application/a/device/00000000ffff0001/event/up")
    received_us = round(NOW.timestamp() * 1e6)
    intake = decoding.intake(
        [
            Message(1, number, 1, topic, payload.encode(), received_us, False)
            for number, (topic, payload) in enumerate(zip(topics, (first, second), strict=True), 1)
        ]
    )

    assert intake.refusals == []
    sensor_of = {sensor_id: code for code, (sensor_id, _) in known.sensors.items()}
    position = {int(series): number for number, series in enumerate(known.series)}
    found = [
        f"{sensor_of[int(sensor)]} {known.metric[at]} {value:.4g} {known.canonical[at]}"
        for sensor, series, value in zip(
            intake.sensor, intake.batch.series, intake.batch.value, strict=True
        )
        for at in [position[int(series)]]
    ]
    assert found == told.splitlines()


def test_a_line_of_its_own_comes_before_the_profile():
    (toml,), (csv,) = blocks("toml"), blocks("csv")

    city = parse(toml, csv)

    units = {(p.line.sensor, p.line.field): p.line.unit for p in city.series}
    assert (units["b1", "temp_f"], units["b2", "temp_f"]) == ("[degF]", "Cel")


def test_the_examples_of_units_are_true():
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner()
    fences_gone = re.sub(r"^```.*$", "", README, flags=re.MULTILINE)
    test = parser.get_doctest(fences_gone, {}, "storage/README.md", None, 0)

    assert len(test.examples) >= 4
    assert runner.run(test) == doctest.TestResults(0, len(test.examples))
