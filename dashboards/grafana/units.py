"""UCUM -> identifiers of Grafana's unit list (packages/grafana-data, valueFormats)."""

from __future__ import annotations

GRAFANA_UNITS = {
    "": "none", "1": "locale", "%": "percent", "ug/m3": "conμgm3", "mg/m3": "conmgm3",
    "ug.h/m3": "suffix: µg/m³·h", "Cel": "celsius", "hPa": "pressurehpa", "m/s": "velocityms",
    "deg": "degree", "dB": "dB", "mm": "lengthmm", "km": "lengthkm", "h-1": "suffix:/h",
    "d-1": "suffix:/d", "km-1": "suffix:/km", "km/h": "velocitykmh", "s": "suffix: s", "min": "suffix: min", "h": "suffix: h",
    "d": "suffix: d",
    "kW.h": "kwatth", "kW.h/m2": "suffix: kWh/m²", "kW.h/d": "suffix: kWh/d",
    "kW.h/(K.d)": "suffix: kWh/(K·d)", "K.d": "suffix: K·d", "m3": "m3", "kW": "kwatt",
    "kV.A": "kvoltamp", "V": "volt", "A": "amp", "kg": "suffix: kg", "EUR": "suffix: €", "By": "bytes",
}  # fmt: skip
"""None that Grafana words itself, as "a few seconds" or "12 hours": those are English on any page."""

DURATION = "dthms"
"""Of seconds, as hours, minutes and seconds: 26:03:15."""


def grafana_unit(ucum: str) -> str:
    """Grafana's name of a unit.

    >>> grafana_unit("ug/m3"), grafana_unit("kW.h")
    ('conμgm3', 'kwatth')

    Raises
    ------
    KeyError
        For a unit that nobody gave a name here; a test asks for every unit of the catalogues.
    """
    return GRAFANA_UNITS[ucum]
