"""Every payload format a binding may name, stated once; the most particular first."""

from __future__ import annotations

from collector.formats import (
    airrohr,
    chirpstack,
    dsmr,
    ngsi,
    plain,
    senml,
    sensorthings,
    shelly,
    sparkplug,
    tasmota,
    tic,
    tts,
    zigbee2mqtt,
)
from collector.formats.format import Format

FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        sparkplug.FORMAT,
        chirpstack.FORMAT,
        tts.FORMAT,
        dsmr.FORMAT,
        tic.FORMAT,
        senml.FORMAT,
        ngsi.FORMAT,
        airrohr.FORMAT,
        sensorthings.FORMAT,
        shelly.FORMAT,
        tasmota.FORMAT,
        zigbee2mqtt.FORMAT,
        plain.FORMAT,
    )
}
"""By name, in the order in which a format is guessed."""
