"""What holds of all formats at once: units, whose readings are, and which format is guessed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.decode import Decoding
from collector.formats import cayenne_lpp, smart_models, unit_codes
from collector.formats.format import OF_OTHERS, Decoded, Hints
from collector.formats.registry import FORMATS
from storage.catalogue import METRICS
from storage.reading import Reading, Reason
from storage.units import UnitError, check_unit, conversion
from tests.unit.small_routes import OLDEST, PAYLOAD_BYTES, message, routes

CASES = Path(__file__).parent.parent / "cases"
FOLDERS = sorted(
    folder for name in FORMATS for folder in (CASES / name).iterdir() if folder.is_dir()
)
EXPECTED = {folder: json.loads((folder / "expected.json").read_text()) for folder in FOLDERS}

# A city that wants them adds a metric: the catalogue has none.
WITHOUT_METRIC = {"1/cm3", "C", "C.s", "dBm", "kvar", "kvar.h", "lx", "lx.s", "var", "var.h"}
# What a case says on purpose and nothing reads.
NO_UNIT = {"HPA"}
# The same amount, said of different things.
MEANT_APART = [{"dB", "dB(A)"}]

# Nothing tells these from plain JSON: Tasmota's own words, and a number alone.
AS_PLAIN = {"json_with_the_clock_of_the_gateway", "one_topic_a_label_as_number"}


def said(folder: Path) -> list[dict[str, Any]]:
    return [*EXPECTED[folder].get("readings", []), *EXPECTED[folder].get("offered", [])]


def units_of_cases() -> set[str]:
    return {one["unit"] for folder in FOLDERS for one in said(folder) if one["unit"]}


def units_of_tables() -> Iterator[str | None]:
    yield from (unit for model in smart_models.MODELS.values() for unit in model.values())
    yield from unit_codes.UCUM.values()
    yield from (part.unit for _, parts in cayenne_lpp.TYPES.values() for part in parts)


def metrics_for(unit: str) -> list[str]:
    found = []
    for metric in METRICS:
        try:
            conversion(unit, metric.unit, metric.name)
        except UnitError:
            continue
        found.append(metric.name)
    return found


@pytest.mark.parametrize("unit", sorted(units_of_cases() - NO_UNIT))
def test_every_unit_that_a_format_says_becomes_that_of_a_metric(unit: str):
    check_unit(unit)

    assert bool(metrics_for(unit)) is (unit not in WITHOUT_METRIC)


@pytest.mark.parametrize("unit", sorted({unit for unit in units_of_tables() if unit}))
def test_every_unit_of_a_table_can_be_read(unit: str):
    check_unit(unit)


def test_no_two_formats_spell_one_unit_differently():
    written = sorted(units_of_cases() - NO_UNIT)
    alike = []
    for position, one in enumerate(written):
        for other in written[position + 1 :]:
            try:
                same = conversion(one, other) == (1.0, 0.0)
            except UnitError:
                continue
            if same and {one, other} not in MEANT_APART:
                alike.append((one, other))

    assert alike == []


@pytest.mark.parametrize(
    "folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}-{folder.name}"
)
def test_where_the_topic_names_a_device_no_reading_is_of_another(folder: Path):
    named = EXPECTED[folder]["hints"]["sensor"]

    assert not named or {one["sensor"] for one in said(folder)} <= {named}


def test_a_reading_in_another_s_name_is_refused_whatever_a_format_says(
    monkeypatch: pytest.MonkeyPatch,
):
    def forging(payload: bytes, hints: Hints, received_us: int) -> Decoded:
        return Decoded([Reading("meter-1", "index", None, 1.0)], [], [], hints.sensor)

    monkeypatch.setitem(FORMATS, "plain", FORMATS["plain"]._replace(decode=forging))
    reader = Decoding(routes(), payload_bytes=PAYLOAD_BYTES, oldest=OLDEST, ahead_s=600)

    intake = reader.intake([message("city/99001/s/air-1", b"[]"), message("city/1/s/who", b"[]")])

    assert len(intake.batch) == 0
    assert [(row.field, row.reason) for row in intake.refusals] == [
        ("index", Reason.UNKNOWN_SENSOR), ("", Reason.UNKNOWN_SENSOR),
    ]  # fmt: skip
    assert intake.refusals[0].detail == OF_OTHERS
    assert "'who' is not registered" in intake.refusals[1].detail


def test_the_first_format_that_fits_a_case_is_its_own():
    wrong = []
    for folder in FOLDERS:
        topic = (folder / "topic.txt").read_text().strip()
        [file] = folder.glob("payload.*")
        payload = file.read_bytes()
        guessed = next((name for name, one in FORMATS.items() if one.fits(topic, payload)), "none")
        silent = guessed in ("plain", "none") and (not said(folder) or folder.name in AS_PLAIN)
        if guessed != folder.parent.name and not silent:
            wrong.append((folder.parent.name, guessed, folder.name))

    assert wrong == []
