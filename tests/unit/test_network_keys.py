"""A refused message of a LoRaWAN device keeps no key of its session."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.formats import tts
from collector.formats.format import Decoded, Hints
from collector.masking import mask_payload

JOIN = (
    b'{"end_device_ids": {"device_id": "dev1"}, "join_accept": {"session_key_id": "AWiZpA==",'
    b' "app_s_key": {"kek_label": "ns:kek", "encrypted_key": "aGVsbG8gd29ybGQ/aGVsbG8="},'
    b' "received_at": "2024-03-01T00:00:00Z"}}'
)


def test_a_kept_join_of_the_things_stack_has_no_key_and_reads_the_same():
    kept = mask_payload(JOIN)

    assert len(kept) == len(JOIN)
    assert b"aGVsbG8" not in kept
    said = json.loads(kept)["join_accept"]
    assert said["app_s_key"]["encrypted_key"] == "***************/********"
    assert said["session_key_id"] == "AWiZpA=="
    assert said["received_at"] == "2024-03-01T00:00:00Z"
    assert tts.decode(kept, Hints(""), 0) == Decoded([], [], (), "dev1")


@pytest.mark.parametrize(
    "name",
    ["app_s_key", "appSKey", "AppKey", "nwk_key", "nwkSEncKey", "f_nwk_s_int_key", "sNwkSIntKey"],
)
@pytest.mark.parametrize("envelope", ['"%s"', '{"key":"%s"}', '{"kekLabel":"","aesKey": "%s"}'])
def test_keys_are_found_by_any_of_their_names(name: str, envelope: str):
    secret = "2B7E151628AED2A6ABF7158809CF4F3C"
    payload = f'{{"{name}" : {envelope % secret}, "no2": 12.5}}'.encode()

    kept = mask_payload(payload)

    assert secret.encode() not in kept
    assert json.loads(kept)["no2"] == 12.5


@pytest.mark.parametrize("name", ["key", "session_key_id", "keyword", "monkey", "app_version"])
def test_other_members_stay(name: str):
    payload = f'{{"{name}": "AWiZpA=="}}'.encode()

    assert mask_payload(payload) == payload


def test_many_keys_that_never_end_cost_linear_time():
    started = time.perf_counter()
    for unit in (b'"app_s_key":{', b'"app_s_key":"', b'"app_s_key"  ', b'"app_s_key":"\\"'):
        payload = unit * (200_000 // len(unit))
        assert len(mask_payload(payload)) == len(payload)

    assert time.perf_counter() - started < 10


@given(
    payload=st.lists(
        st.sampled_from([b'"app_s_key"', b":", b"{", b"}", b'"key"', b'"', b"\\", b"x", b"\xff"]),
        max_size=20,
    ).map(b"".join)
)
def test_anything_keeps_its_length(payload: bytes):
    assert len(mask_payload(payload)) == len(payload)
