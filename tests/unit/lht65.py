"""The codec of a real device, as whoever runs a city writes it."""

from __future__ import annotations

LHT65 = """
length = 11
ignore_ports = [5]

[[field]]
name = "BatV"
port = 2
offset = 0
type = "u16be"
bits = [0, 14]
scale = 0.001
unit = "V"

[[field]]
name = "TempC_SHT"
port = 2
offset = 2
type = "i16be"
scale = 0.01
unit = "Cel"

[[field]]
name = "Hum_SHT"
port = 2
offset = 4
type = "u16be"
bits = [0, 12]
scale = 0.1
unit = "%"

[[field]]
name = "TempC_DS"
port = 2
offset = 7
type = "i16be"
scale = 0.01
unit = "Cel"
missing = 32767
when = { offset = 6, mask = 0x0f, equals = 1 }

[[field]]
name = "ILL_lx"
port = 2
offset = 7
type = "u16be"
unit = "lx"
when = { offset = 6, mask = 0x0f, equals = 5 }
"""
"""Dragino's LHT65, as its manual describes the 11 bytes of port 2."""
