"""Common codes of UN/CEFACT Recommendation 20, which NGSI messages use, as UCUM units.

A code that is not here stays what it is, so that its reading is refused as ``bad_unit``
instead of being taken for another unit. ``HPA`` is left out on purpose: it stands for a
hectolitre of pure alcohol, while hectopascal is ``A97``.

References
----------
.. [1] UNECE Recommendation 20, revision 17 (2021), annexes I to III.
"""

from __future__ import annotations

from typing import Any

UCUM: dict[str, str] = {
    # amounts in air and water
    "GQ": "ug/m3", "GP": "mg/m3", "A93": "g/m3", "M1": "mg/L", "61": "[ppb]", "59": "[ppm]",
    # ratios, counts
    "P1": "%", "C62": "1", "H87": "1",
    # temperature, pressure, wind, rain
    "CEL": "Cel", "KEL": "K", "FAH": "[degF]",
    "PAL": "Pa", "A97": "hPa", "KPA": "kPa", "MBR": "mbar", "BAR": "bar",
    "MTS": "m/s", "KMH": "km/h", "HM": "[mi_i]/h", "H67": "mm/h", "DD": "deg",
    # energy and power
    "WHR": "W.h", "KWH": "kW.h", "MWH": "MW.h", "GWH": "GW.h", "JOU": "J", "KJO": "kJ",
    "3B": "MJ", "GV": "GJ", "WTT": "W", "KWT": "kW", "MAW": "MW", "D46": "V.A", "KVA": "kV.A",
    "D44": "var", "KVR": "kvar", "K5": "kvar", "K3": "kvar.h", "C79": "kV.A.h",
    "2Z": "mV", "VLT": "V", "KVT": "kV", "4K": "mA", "AMP": "A", "HTZ": "Hz",
    # volume and flow
    "LTR": "L", "DMQ": "dm3", "MTQ": "m3", "MQH": "m3/h", "MQS": "m3/s", "E32": "L/h",
    "L2": "L/min", "G51": "L/s",
    # length, time, light, sound, mass
    "MMT": "mm", "CMT": "cm", "MTR": "m", "KMT": "km", "FOT": "[ft_i]",
    "C26": "ms", "SEC": "s", "MIN": "min", "HUR": "h", "DAY": "d",
    "LUX": "lx", "LUM": "lm", "D54": "W/m2", "2N": "dB", "GRM": "g", "KGM": "kg",
}  # fmt: skip

_NO_CODE = "(not a code)"


def unit_of(code: Any) -> str | None:
    """The unit a ``unitCode`` says; None where there is none.

    >>> unit_of("GQ"), unit_of("A97"), unit_of("HPA"), unit_of(61), unit_of(None)
    ('ug/m3', 'hPa', 'HPA', '[ppb]', None)
    """
    if type(code) is dict:
        code = code.get("value")
    if code is None or code == "":
        return None
    if type(code) is int:
        # "61" and "59" are digits, which some encoders write as a number.
        code = str(code) if 0 <= code < 1000 else _NO_CODE
    if type(code) is not str:
        return _NO_CODE
    return UCUM.get(code, code)
