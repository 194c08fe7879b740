"""Which series a reading belongs to, by its own time, and how it is converted."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from collector.decode import Decoding
from storage.routes import NOT_YET, RETIRED, SINCE_EVER_US, Routes, Timelines
from tests.unit.small_routes import NOW_US, OLDEST, PAYLOAD_BYTES, message, routes, written

TOPIC = "city/99001/mairie/air-1"
HOUR_US = 3_600_000_000
CHANGE_US = NOW_US - HOUR_US  # 2026-03-01T08:00:00Z


def test_each_time_has_its_position_and_other_fields_have_one_for_ever():
    timelines = Timelines.of_histories(
        6, [[(SINCE_EVER_US, 1), (100, 2), (200, RETIRED)], [(SINCE_EVER_US, NOT_YET), (50, 4)]]
    )
    asked = [
        (0, 999),
        (2, -(10**18)),
        (1, 99),
        (1, 100),
        (2, 199),
        (2, 200),
        (4, 49),
        (4, 50),
        (5, 0),
    ]
    position, time = (np.array(column) for column in zip(*asked, strict=True))

    assert timelines.at(position, time).tolist() == [0, 1, 1, 2, 2, RETIRED, NOT_YET, 4, 5]
    assert timelines.one_at(2, 99) == 1


def test_a_batch_without_such_series_is_left_as_it_is():
    timelines = Timelines.of_histories(3, [[(SINCE_EVER_US, 1), (100, 2)]])
    position = np.zeros(4, np.intp)

    assert timelines.at(position, np.arange(4)) is position


def changing() -> Routes:
    """As always, but no2 of air-1 was sent in mg/m3 before 08:00, and temp has ended then."""
    now = routes()
    no2, temp = (now.sensors["air-1"][1][name] for name in ("no2", "temp"))
    former = len(now.series)

    def and_former(column: np.ndarray, value: float) -> np.ndarray:
        return np.append(column, np.array([value], column.dtype))

    return dataclasses.replace(
        now,
        series=and_former(now.series, now.series[no2]),
        domain=and_former(now.domain, 0),
        scale=and_former(now.scale, 1000.0),
        shift=and_former(now.shift, 0.0),
        low=and_former(now.low, 0.0),
        high=and_former(now.high, 2000.0),
        back_us=and_former(now.back_us, 0),
        metric=(*now.metric, "no2"),
        unit=(*now.unit, "mg/m3"),
        canonical=(*now.canonical, "ug/m3"),
        timelines=Timelines.of_histories(
            former + 1,
            [
                [(SINCE_EVER_US, former), (CHANGE_US, no2)],
                [(SINCE_EVER_US, temp), (CHANGE_US, RETIRED)],
            ],
        ),
    )


def read(*messages: tuple[str, bytes]) -> tuple[list[float], list[tuple[str, str, str]]]:
    decoding = Decoding(changing(), payload_bytes=PAYLOAD_BYTES, oldest=OLDEST, ahead_s=600)
    intake = decoding.intake(
        [message(topic, payload, n) for n, (topic, payload) in enumerate(messages)]
    )
    refused = [(row.field, row.reason.value, row.detail) for row in written(intake)]
    return intake.batch.value.tolist(), refused


@pytest.mark.parametrize("unusual", [b"", b', "battery": 3, "status": "\\n"'])
def test_late_readings_are_converted_as_they_were_then(unusual: bytes):
    late = b'{"time": "2026-03-01T07:59:59.999999Z", "no2": 0.02%s}' % unusual
    new = b'{"time": "2026-03-01T08:00:00Z", "no2": 30%s}' % unusual

    assert read((TOPIC, new), (TOPIC, late)) == ([30.0, 20.0], [])


def test_a_unit_that_the_message_declares_counts_at_any_time():
    def pack(unit: str, time: str, value: float) -> tuple[str, bytes]:
        return "senml/air-1", (
            f'[{{"n": "no2", "u": "{unit}", "t": {time}, "v": {value}}}]'.encode()
        )

    before, after = str((CHANGE_US - 60_000_000) / 1e6), str(CHANGE_US / 1e6)
    values, refused = read(
        pack("ug/m3", before, 21), pack("mg/m3", before, 0.022), pack("ug/m3", after, 23),
        pack("mg/m3", after, 0.024),
    )  # fmt: skip

    assert (values, refused) == (pytest.approx([21, 22, 23, 24]), [])


def test_what_a_retired_sensor_measures_is_refused_and_what_it_measured_is_not():
    late = b'{"time": "2026-03-01T07:30:00Z", "temp": 50}'
    new = b'{"time": "2026-03-01T08:00:00Z", "temp": 50, "no2": 30}'
    values, refused = read((TOPIC, late), (TOPIC, new))

    assert values == pytest.approx([10.0, 30.0])
    assert refused == [
        ("temp", "retired", "the sensor does not measure this any more at that time")
    ]


def test_a_time_that_nobody_believes_is_refused_for_that():
    far = b'{"time": "2126-03-01T08:00:00Z", "temp": 50}'

    assert [reason for _, reason, _ in read((TOPIC, far))[1]] == ["in_future"]
