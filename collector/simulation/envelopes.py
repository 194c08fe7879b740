r"""How devices of the city wrap what they measured: one writer for each vendor's format; pure.

Each is the counterpart of a decoder in ``collector/formats``: what it writes is read back as
the same values at the same time. The topics are those on which such devices really speak.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import fastcrc

ZONE = "Europe/Paris"

Writer = Callable[[str, str, str], str]
"""``write(code, time, members)``: whose message, the time as its clock writes it, and its
values as the kind of device says them."""


class Form(NamedTuple):
    """One way to say a measurement, hence one binding in ``city.toml``.

    write: wraps the members; None where the device's own text is the whole message.
    more: one member more, which no list of sensors knows.
    pack: several messages as one; None where each must be sent alone.
    spoilt_whole: whether one wrong byte spoils the message, or only a part of it.
    """

    format: str
    topic: str
    timezone: str = "UTC"
    write: Writer | None = None
    more: str = ""
    pack: Callable[[list[str]], str] | None = None
    spoilt_whole: bool = True

    def code(self, name: str, number: int) -> str:
        """What a device of that name and number is called: with ChirpStack by its EUI."""
        return f"70b3d57ed9{number:06x}" if self.format == "chirpstack" else f"{name}-{number:03d}"

    def topic_of(self, territory: str, site: str, sensor: str) -> str:
        """Where a device speaks."""
        return self.topic.format(territory=territory, site=site, sensor=sensor)


def _list(messages: list[str]) -> str:
    return f"[{','.join(messages)}]"


def _one_pack(messages: list[str]) -> str:
    return f"[{','.join(message[1:-1] for message in messages)}]"


def chirpstack(code: str, time: str, members: str) -> str:
    """An ``up`` event of ChirpStack v4; ``members`` are those of ``object``; ISO 8601 with ms.

    >>> chirpstack("70b3d57ed9000001", "2024-05-01T12:34:56.250Z", '"index":3')[:63]
    '{"deduplicationId":"20240501-1234-4562-8500-d57ed9000001","time'
    """
    day, hour, minute = time[:4] + time[5:7] + time[8:10], time[11:13], time[14:16]
    unique = f"{day}-{hour}{minute}-4{time[17:19]}{time[20]}-8{time[21:23]}0-{code[4:]}"
    return (
        f'{{"deduplicationId":"{unique}","time":"{time}","deviceInfo":{{'
        '"tenantName":"Valbrume","applicationId":"5e1f7a3c-0b51-4c55-8a37-0f0c2f2d9d10",'
        '"applicationName":"eau","deviceProfileName":"pulse counter","deviceClassEnabled":'
        f'"CLASS_A","devEui":"{code}"}},"devAddr":"01{code[10:]}","adr":true,"dr":5,'
        f'"fCnt":{int(hour + minute)},"fPort":2,"object":{{{members}}},"rxInfo":[{{'
        f'"gatewayId":"0016c001f153a141","gwTime":"{time}","nsTime":"{time}","rssi":-97,'
        '"snr":7.25,"crcStatus":"CRC_OK"}],"txInfo":{"frequency":868100000,"modulation":{'
        '"lora":{"bandwidth":125000,"spreadingFactor":7,"codeRate":"CR_4_5"}}}}'
    )


def tts(code: str, time: str, members: str) -> str:
    """An uplink of The Things Stack v3; ``members`` are those of ``decoded_payload``."""
    return (
        f'{{"end_device_ids":{{"device_id":"{code}","application_ids":{{"application_id":'
        f'"valbrume"}}}},"received_at":"{time}","uplink_message":{{"f_port":2,'
        f'"f_cnt":{int(time[11:13] + time[14:16])},"decoded_payload":{{{members}}},'
        '"rx_metadata":[{"gateway_ids":{"gateway_id":"belfry"},'
        f'"time":"{time}","rssi":-90,"channel_rssi":-90,"snr":7}}],"settings":{{"data_rate":{{'
        '"lora":{"bandwidth":125000,"spreading_factor":7,"coding_rate":"4/5"}},'
        f'"frequency":"868500000"}},"received_at":"{time}"}}}}'
    )


def ngsi(code: str, time: str, members: str) -> str:
    """An NGSI-LD entity, normalised; ``members`` are its properties."""
    return (
        f'{{"id":"urn:ngsi-ld:AirQualityObserved:{code}","type":"AirQualityObserved",'
        '"dateObserved":{"type":"Property","value":{"@type":"DateTime",'
        f'"@value":"{time}"}}}},{members}}}'
    )


def shelly(code: str, time: str, members: str) -> str:
    """A notification of Shelly's second generation; ``members`` are its components."""
    return (
        f'{{"src":"shellypro1pm-{code}","dst":"{code}/events","method":"NotifyStatus",'
        f'"params":{{"ts":{time},{members}}}}}'
    )


def airrohr(code: str, time: str, members: str) -> str:
    """What the airRohr firmware sends: no time; ``members`` are entries of its list."""
    return (
        f'{{"esp8266id":"{code.rpartition("-")[2]}","software_version":"NRZ-2020-133",'
        f'"sensordatavalues":[{members},{{"value_type":"samples","value":"4985473"}},'
        '{"value_type":"signal","value":"-71"}]}'
    )


def tic(code: str, time: str, members: str) -> str:
    """A frame in standard mode; ``members`` are lines of label, tabulator and value.

    >>> tic("linky-001", "E240710120000", "EAST\\t000000100").split("\\n")[2:4]
    ['DATE\\tE240710120000\\t\\t/\\r', 'EAST\\t000000100\\tP\\r']
    """
    groups = [f"DATE\t{time}\t", *members.split("\n")]
    said = "".join(f"\n{group}\t{_checks(group)}\r" for group in groups)
    return f"\x02\nVTIC\t02\tJ\r{said}\nPREF\t09\tH\r\nNTARF\t02\tO\r\x03"


def _checks(group: str) -> str:
    # The tabulator before the checksum is added up too.
    return chr((sum(group.encode()) + 9 & 63) + 32)


def dsmr(code: str, time: str, members: str) -> str:
    """A P1 telegram; ``members`` are lines, each with its end."""
    whole = f"/BEF5\\2SIMULATED\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0({time})\r\n{members}!"
    return f"{whole}{fastcrc.crc16.arc(whole.encode()):04X}\r\n"


PLAIN = Form("plain", "city/{territory}/{site}/{sensor}", pack=_list)
LOCAL = Form("plain", "local/{territory}/{site}/{sensor}", ZONE, pack=_list)
SENML = Form("senml", "senml/{territory}/{site}/{sensor}", pack=_one_pack)
CHIRPSTACK = Form(
    "chirpstack", "application/5e1f7a3c-0b51-4c55-8a37-0f0c2f2d9d10/device/{sensor}/event/up",
    write=chirpstack, more=',"humidex":21.5',
)  # fmt: skip
TTS = Form("tts", "v3/valbrume@ttn/devices/{sensor}/up", write=tts, more=',"humidex":21.5')
NGSI = Form(
    "ngsi", "ngsi/{sensor}", write=ngsi, more=',"humidex":{"type":"Property","value":21.5}', pack=_list
)  # fmt: skip
SHELLY = Form(
    "shelly", "shelly/{sensor}/events/rpc", write=shelly, more=',"switch:1":{"id":1,"apower":0}'
)
AIRROHR = Form(
    "airrohr", "airrohr/{sensor}",
    write=airrohr, more=',{"value_type":"HECA_temperature","value":"21.50"}',
)  # fmt: skip
TIC = Form(
    "tic", "teleinfo/{sensor}", ZONE,
    write=tic, more="\nEAIT\t000000000", pack="".join, spoilt_whole=False,
)  # fmt: skip
DSMR = Form("dsmr", "p1/{sensor}/telegram", ZONE, write=dsmr, more="1-0:32.7.0(229.9*V)\r\n")

FORMS = (PLAIN, LOCAL, SENML, CHIRPSTACK, TTS, NGSI, SHELLY, AIRROHR, TIC, DSMR)
"""Every form, in the order of the bindings."""
