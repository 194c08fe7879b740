"""What is refused of meters names no household, and can be read again."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from collector.formats import dsmr, tic
from collector.formats.format import Hints, Undecodable
from collector.masking import mask_payload

HINTS = Hints("meter-1", "Europe/Amsterdam", topic="p1/meter-1/telegram")
GROUP = b"\nADCO 021528603314 :\r"


@pytest.mark.parametrize("name", ["TELEGRAM_V2_2", "TELEGRAM_V4_2"])
def test_a_kept_telegram_holds_no_number_of_a_meter_and_reads_the_same(shared: Path, name: str):
    payload = (shared / f"data/payloads/dsmr-p1/{name}.txt").read_bytes()

    kept = mask_payload(payload)

    assert len(kept) == len(payload)
    assert b"3960221976967177082151037881335713" not in kept
    assert b"0-0:96.1.1(***" in kept
    assert dsmr.decode(kept, HINTS, 0) == dsmr.decode(payload, HINTS, 0)


def test_a_damaged_telegram_stays_damaged(shared: Path):
    payload = (shared / "data/payloads/dsmr-p1/TELEGRAM_V4_2.txt").read_bytes()

    kept = mask_payload(payload.replace(b"001581.123", b"001581.124"))

    assert b"3960221976967177082151037881335713" not in kept
    with pytest.raises(Undecodable, match="checksum"):
        dsmr.decode(kept, HINTS, 0)


def test_a_kept_frame_of_either_mode_holds_no_number_of_a_meter_and_reads_the_same():
    prm = b"PRM\t06444138907938\t"
    frame = b"\x02" + GROUP + b"\nBASE 007970903 .\r\nPAPP 00860 /\r\n" + prm
    frame += bytes([(sum(prm) & 63) + 32]) + b"\r\x03"

    kept = mask_payload(frame)

    assert kept.startswith(b"\x02\nADCO ************ ")
    assert b"PRM\t**************\t" in kept
    assert tic.decode(kept, HINTS, 0) == tic.decode(frame, HINTS, 0)
    assert len(tic.decode(kept, HINTS, 0).readings) == 2
    assert tic.decode(kept, HINTS, 0).refusals == []


def test_a_damaged_group_stays_damaged():
    frame = b"\x02" + GROUP.replace(b" :\r", b" A\r") + b"\nBASE 007970903 .\r\x03"

    kept = mask_payload(frame)

    assert b"021528603314" not in kept
    assert [one.field for one in tic.decode(kept, HINTS, 0).refusals] == ["ADCO"]


def test_json_with_text_and_value_of_each_label_stays_json():
    said = {"ADSC": {"raw": "841875104423", "value": 841875104423}, "EAST": {"value": 100}}

    kept = mask_payload(json.dumps(said).encode())

    assert json.loads(kept) == {
        "ADSC": {"raw": "************", "value": None},
        "EAST": {"value": 100},
    }


def test_what_only_looks_alike_is_kept():
    for payload in (
        b'{"PRM10": 12345}',
        b"reading 1-0:1.8.1(001581.123*kWh)",
        b"MADCO 123456789 x",
    ):
        assert mask_payload(payload) == payload


def test_a_telegram_of_slashes_without_an_end_is_masked_in_no_time():
    payload = b"/K\r\n0-0:96.1.1(12345678)\r\n" + b"/" * 100_000
    started = time.perf_counter()

    kept = mask_payload(payload)

    assert time.perf_counter() - started < 5
    assert b"12345678" not in kept
