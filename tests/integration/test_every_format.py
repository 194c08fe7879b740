"""One message of every format: over a real broker, through a real collector, into the hypertable."""

from __future__ import annotations

import datetime
import json
import time
from typing import NamedTuple

import psycopg
import pytest

from beffroi.embedded.testing import TestBroker
from collector.formats.registry import FORMATS
from collector.formats.sparkplug_schema import DataType, Payload
from collector.simulation.envelopes import AIRROHR, CHIRPSTACK, DSMR, NGSI, SHELLY, TIC, TTS, Form
from storage.city import parse
from storage.registry import register
from tests.integration.collecting import collecting, publish, until

EIGHT = datetime.datetime(2026, 3, 1, 8, tzinfo=datetime.UTC)
EIGHT_S = 1_772_352_000


class Said(NamedTuple):
    """A message, the binding that reads it, and what must lie in the hypertable.

    ``line`` is metric, field and unit as in sensors.csv; ``value`` is in the metric's own
    unit; ``time`` None stands for the reception.
    """

    format: str
    binding: str
    sensor: str
    topic: str
    payload: bytes
    line: tuple[str, str, str]
    value: float
    time: datetime.datetime | None = EIGHT


def wrapped(form: Form, code: str, clock: str, members: str) -> bytes:
    assert form.write is not None
    return form.write(code, clock, members).encode()


def sparkplug() -> bytes:
    metric = {"name": b"air/temp", "datatype": DataType.DOUBLE, "double_value": 50.0}
    payload = Payload(timestamp=EIGHT_S * 1000, seq=3, metrics=[metric])
    return bytes(payload.SerializeToString())


EUI = "70b3d57ed9000001"
TASMOTA = b'{"Time":"2026-03-01T09:00:00","ENERGY":{"Power":2635}}'
MESSAGES = [
    Said("plain", "city/{sensor}", "air-1", "city/air-1",
         b'{"time":"2026-03-01T09:00:00+01:00","no2":21.5}', ("no2", "no2", ""), 21.5),
    Said("senml", "senml/{sensor}", "noise-1", "senml/noise-1",
         b'[{"bt":1772352000,"n":"laeq","u":"dB","v":61.4}]', ("noise_level", "laeq", ""), 61.4),
    Said("chirpstack", "application/+/device/{sensor}/event/up", EUI,
         f"application/eau/device/{EUI}/event/up",
         wrapped(CHIRPSTACK, EUI, "2026-03-01T08:00:00.000Z", '"litres":35214'),
         ("water_import", "litres", "L"), 35.214),
    Said("tts", "v3/+/devices/{sensor}/up", "gas-1", "v3/city@ttn/devices/gas-1/up",
         wrapped(TTS, "gas-1", "2026-03-01T08:00:00.000Z", '"index":9731'),
         ("gas_import", "index", "dm3"), 9.731),
    Said("sparkplug", "spBv1.0/#", "gw-01", "spBv1.0/Metropole/NDATA/gw-01", sparkplug(),
         ("temperature", "air/temp", "[degF]"), 10.0),
    Said("ngsi", "ngsi/{sensor}", "co-1", "ngsi/co-1",
         wrapped(NGSI, "co-1", "2026-03-01T08:00:00.000Z",
                 '"co":{"type":"Property","value":540,"unitCode":"GQ"}'), ("co", "co", ""), 0.54),
    Said("sensorthings", "v1.1/Datastreams(12)/Observations", "Datastream-12",
         "v1.1/Datastreams(12)/Observations",
         b'{"phenomenonTime":"2026-03-01T08:00:00Z/2026-03-01T09:00:00Z","result":72}',
         ("bikes", "result", ""), 72.0),
    Said("zigbee2mqtt", "zigbee2mqtt/{sensor}", "plug-1", "zigbee2mqtt/plug-1",
         b'{"last_seen":"2026-03-01T09:00:00+01:00","linkquality":40,"energy":12.05,"state":"on"}',
         ("energy_import", "energy", ""), 12.05),
    Said("tasmota", "tele/{sensor}/SENSOR", "plug-2", "tele/plug-2/SENSOR", TASMOTA,
         ("power", "ENERGY.Power", ""), 2.635),
    Said("shelly", "{sensor}/events/rpc", "shellyplus1pm-441793d3ab54",
         "shellyplus1pm-441793d3ab54/events/rpc",
         wrapped(SHELLY, "x", f"{EIGHT_S}.0", '"switch:0":{"id":0,"apower":8.9}'),
         ("power", "switch:0.apower", ""), 0.0089),
    Said("tic", "teleinfo/{sensor}", "linky-1", "teleinfo/linky-1",
         wrapped(TIC, "linky-1", "H260301090000", "EAST\t003839865"),
         ("energy_import", "EAST", ""), 3839.865),
    Said("dsmr", "p1/{sensor}/telegram", "meter-1", "p1/meter-1/telegram",
         wrapped(DSMR, "meter-1", "260301090000W", "1-0:2.8.0(002130.115*kWh)\r\n"),
         ("energy_export", "1-0:2.8.0", ""), 2130.115),
    Said("airrohr", "airrohr/{sensor}", "rohr-1", "airrohr/rohr-1",
         wrapped(AIRROHR, "rohr-1", "", '{"value_type":"SDS_P1","value":"35.67"}'),
         ("pm10", "SDS_P1", ""), 35.67, None),
]  # fmt: skip

ZONES = {"tasmota": "Europe/Paris", "tic": "Europe/Paris", "dsmr": "Europe/Paris"}


def city_toml() -> str:
    lines = ["[city]", 'name = "Essai"', 'timezone = "Europe/Paris"', "[[territory]]"]
    lines += ['code = "99001"', 'name = "Essai"']
    for one in MESSAGES:
        lines += ["[[binding]]", f"topic = {json.dumps(one.binding)}", f'format = "{one.format}"']
        lines += [f'timezone = "{ZONES.get(one.format, "UTC")}"']
        # A plug says whether it is on, which this city does not keep.
        lines += ['ignore = ["state"]']
    return "\n".join(lines)


def sensors_csv() -> str:
    head = "territory,site,sensor,metric,field,unit,step_s,stamp"
    lines = [
        ",".join(("99001", "mairie", one.sensor, *one.line, "60", "start")) for one in MESSAGES
    ]
    return "\n".join([head, *lines]) + "\n"


def test_every_format_of_the_registry_has_its_message_here() -> None:
    assert sorted(one.format for one in MESSAGES) == sorted(FORMATS)


async def test_a_message_of_every_format_lies_in_the_hypertable(
    broker: TestBroker, connection: psycopg.Connection
) -> None:
    register(connection, parse(city_toml(), sensors_csv()))
    before = time.time()
    async with collecting(broker, "every-format") as (pipeline, _):
        publish(broker, [(one.topic, one.payload) for one in MESSAGES])
        await until(lambda: pipeline.totals.messages == len(MESSAGES))
    after = time.time()

    rows = connection.execute(
        """
        SELECT sensor, metric, value, time FROM air.readings
         UNION ALL
        SELECT sensor, metric, value, time FROM mobility.readings
         UNION ALL
        SELECT sensor, metric, value, time FROM energy.readings
        """
    ).fetchall()
    found = {row[0]: row[1:] for row in rows}
    assert connection.execute("SELECT reason, field, detail FROM pipeline.refusal").fetchall() == []
    assert len(rows) == len(found) == len(MESSAGES)
    for one in MESSAGES:
        metric, value, at = found[one.sensor]
        assert (one.format, metric) == (one.format, one.line[0])
        assert value == pytest.approx(one.value), one.format
        if one.time is not None:
            assert at == one.time, one.format
        else:
            assert before <= at.timestamp() <= after, one.format
    sums = connection.execute(
        """
        SELECT sum(messages_received), sum(messages_decoded), sum(messages_refused),
               sum(readings_decoded), sum(readings_stored), sum(readings_duplicate),
               sum(readings_refused)
          FROM pipeline.ledger
        """
    ).fetchone()
    assert [int(one) for one in sums or ()] == [13, 13, 0, 13, 13, 0, 0]
