"""What a program says it used, and when it says so."""

from datetime import UTC, datetime, timedelta

import pytest

from processors.settings import from_environment
from storage.footprint import Meter, disk

HALF_PAST_NINE = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


def test_a_meter_is_due_when_an_hour_is_over_and_at_most_once_a_minute():
    clock = Clock()
    meter = Meter("collector", clock)
    due = []
    for minutes in (0, 29, 30, 30.5, 31.5):
        clock.seconds = 60 * minutes
        due.append(meter.due(HALF_PAST_NINE + timedelta(minutes=minutes)))

    assert due == [False, False, True, False, True]


def test_what_was_used_belongs_to_the_hour_it_was_used_in_and_is_told_once():
    clock = Clock()
    meter = Meter("collector", clock)
    meter.due(HALF_PAST_NINE)
    clock.seconds = 1860.0
    now = HALF_PAST_NINE + timedelta(minutes=31)
    first = meter.footprint(now)
    meter.told(first, now)
    clock.seconds = 1960.0
    second = meter.footprint(now)

    assert (first.hour, first.seconds) == (HALF_PAST_NINE.replace(minute=0), 1860)
    assert (second.hour, second.seconds) == (HALF_PAST_NINE.replace(hour=10, minute=0), 100)
    assert first.cpu_s > 0
    assert 0 <= second.cpu_s < first.cpu_s
    assert first.memory_bytes > 10_000_000


def test_what_could_not_be_written_down_is_told_with_the_next_hour():
    clock = Clock()
    meter = Meter("collector", clock)
    meter.due(HALF_PAST_NINE)
    clock.seconds = 1860.0
    meter.footprint(HALF_PAST_NINE + timedelta(minutes=31))
    clock.seconds = 5460.0

    assert meter.footprint(HALF_PAST_NINE + timedelta(minutes=91)).seconds == 5460


def test_a_disk_that_cannot_be_seen_is_unknown(tmp_path):
    seen = disk(str(tmp_path))

    assert seen is not None
    assert 0 <= seen.free <= seen.size
    assert disk("") is None
    assert disk(str(tmp_path / "missing")) is None


@pytest.mark.parametrize(("given", "folder"), [({}, ""), ({"PROCESSORS_DISK": "/data"}, "/data")])
def test_the_folder_of_the_database_is_a_setting(given, folder):
    assert from_environment(given).disk == folder
