"""LoRaWAN's bytes, from a refusal that waits for a codec to readings in the database."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import psycopg

from collector.again import Replayed
from tests.integration.refused_city import City, collect, connected, message, replay_all
from tests.unit.lht65 import LHT65

CASES = Path(__file__).parent.parent / "cases" / "chirpstack"
EUI = "a84041b931837a0c"
EVENTS = f"application/5e1f7a3c-0b51-4c55-8a37-0f0c2f2d9d10/device/{EUI}/event"
UPLINK = json.loads((CASES / "bytes_are_read_by_the_profile_s_codec" / "payload.json").read_text())
STATUS = json.loads((CASES / "a_status_is_offered" / "payload.json").read_text())
NOON = datetime.datetime(2024, 3, 1, 12, tzinfo=datetime.UTC)
BINDING = """
[[binding]]
topic = "application/+/device/{sensor}/event/+"
format = "chirpstack"
ignore = ["BatV", "TempC_DS"]
"""
PROFILE = """
[[profile]]
name = "dragino-lht65"
step_s = 1200
[profile.fields]
TempC_SHT = { metric = "temperature" }
Hum_SHT = { metric = "humidity" }
[profile.codec]
""" + LHT65.replace("[[field]]", "[[profile.codec.field]]")
LIST = "territory,site,sensor,profile,metric,field,unit,step_s\n"


async def test_bytes_wait_for_their_codec_and_count_once_however_often_they_come(
    connection: psycopg.Connection,
) -> None:
    city = City(connection)
    city.toml += BINDING
    city.csv = LIST + f"99001,mairie,{EUI},,temperature,TempC_SHT,Cel,1200\n"
    city.write()
    async with connected() as wire:
        await collect(wire, [message(f"{EVENTS}/up", UPLINK, at=NOON)])
        assert [row[1:4] for row in city.refusals()] == [(EUI, "", "no_codec")]

        city.toml += PROFILE
        city.csv = LIST + f"99001,mairie,{EUI},dragino-lht65,,,,\n"
        city.write()
        replayed = await replay_all(wire)
        later = [
            message(f"{EVENTS}/up", {**UPLINK, "rxInfo": UPLINK["rxInfo"][::-1]}, at=NOON),
            message(f"{EVENTS}/status", STATUS, at=NOON),
        ]
        await collect(wire, later)

    assert replayed == Replayed(messages=1, settled=1, stored=2)
    assert city.values() == [(EUI, "humidity", 88.6), (EUI, "temperature", 28.29)]
    assert city.refusals() == []
    # Three messages, none refused; four readings, two of them met again.
    assert city.ledger() == {EUI: (3, 3, 0, 4, 2, 2, 0)}
    city.assert_balanced()
