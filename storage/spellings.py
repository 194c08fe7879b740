"""How units are written: UCUM, SenML (RFC 8428 and RFC 8798), and what devices print.

Everything stands here that pint does not read, or reads as something else.
"""

from __future__ import annotations

DEFINITIONS = (
    "decibel_level = [level]",
    "bel_level = 10 * decibel_level",
    "active_decibel = [power_level]",
    "watt_decibel = active_decibel; offset: 30",
    "apparent = [apparent_power]",
    "reactive = [reactive_power]",
    "arc_degree = [plane_angle]",
    "arc_radian = 57.29577951308232 * arc_degree",
    "arc_gon = 0.9 * arc_degree",
    "arc_of_a_minute = arc_degree / 60",
    "arc_of_a_second = arc_degree / 3600",
    "datum = [information]",
    "eight_data = 8 * datum",
    "solid = [solid_angle]",
    "acidity = [acidity]",
    "turbidity = [turbidity]",
    "meter_of_mercury = 1000 * mmHg",
    "one_are = 100 * meter ** 2",
    "per_thousand = 1e-3", "per_million = 1e-6", "per_milliard = 1e-9", "per_billion = 1e-12",
)  # fmt: skip
"""What is added to pint's units; a level and its like never become a ratio."""

_ONE = dict.fromkeys(
    (
        "1",
        "",
        "count",
        "counts",
        "/",
        "veh",
        "vehicle",
        "vehicles",
        "beat",
        "beats",
        "pulse",
        "pulses",
        "imp",
    ),
    "",
)
_TEMPERATURE = {
    "Cel": "degC", "°C": "degC", "℃": "degC", "degC": "degC", "celsius": "degC",
    "[degF]": "degF", "degF": "degF", "°F": "degF", "℉": "degF", "K": "kelvin",
}  # fmt: skip
_SHARES = {
    "%": "percent", "[ppth]": "per_thousand", "[ppm]": "per_million", "ppm": "per_million",
    "ppmv": "per_million", "[ppb]": "per_milliard", "ppb": "per_milliard", "ppbv": "per_milliard",
    "[pptr]": "per_billion", "ppt": "per_billion",
}  # fmt: skip
_PERCENT = {"%RH": "percent", "%EL": "percent", "percent": "percent", "‰": "per_thousand"}
_LEVELS = dict.fromkeys(("dB", "dB(A)", "dBA", "dB[SPL]"), "decibel_level") | {
    "dBm": "active_decibel", "dBW": "watt_decibel", "Bspl": "bel_level",
    "B[SPL]": "bel_level",
}  # fmt: skip
_ANGLES = dict.fromkeys(("deg", "°", "degree", "degrees", "lat", "lon"), "arc_degree") | {
    "rad": "arc_radian", "radian": "arc_radian", "sr": "solid", "gon": "arc_gon", "'": "arc_of_a_minute",
    "''": "arc_of_a_second",
}  # fmt: skip
_POWER = {
    "VA": "apparent", "kVA": "kiloapparent", "MVA": "megaapparent", "mVA": "milliapparent",
    "VAs": "apparent * second", "VAh": "apparent * hour", "kVAh": "kiloapparent * hour",
    "MVAh": "megaapparent * hour",
    "var": "reactive", "VAr": "reactive", "VAR": "reactive", "kvar": "kiloreactive",
    "kVAr": "kiloreactive", "kVAR": "kiloreactive", "Mvar": "megareactive",
    "MVAr": "megareactive", "vars": "reactive * second", "varh": "reactive * hour",
    "kvarh": "kiloreactive * hour", "kVArh": "kiloreactive * hour",
    "Mvarh": "megareactive * hour", "KWh": "kilowatt_hour", "kwh": "kilowatt_hour",
    "Wmin": "watt * minute",
}  # fmt: skip
_DATA = {
    "bit": "datum", "kbit": "kilodatum", "Mbit": "megadatum", "Gbit": "gigadatum",
    "B": "eight_data", "By": "eight_data", "kB": "kiloeight_data", "kBy": "kiloeight_data",
    "MB": "megaeight_data", "MBy": "megaeight_data", "GB": "gigaeight_data", "GBy": "gigaeight_data",
    "KiB": "kibieight_data", "MiB": "mebieight_data", "GiB": "gibieight_data",
}  # fmt: skip
_CUSTOMARY = {
    "[in_i]": "inch", "[ft_i]": "foot", "[yd_i]": "yard", "[mi_i]": "mile", "[nmi_i]": "nautical_mile",
    "[kn_i]": "knot", "[lb_av]": "pound", "[oz_av]": "ounce", "[gal_us]": "gallon",
    "[g]": "standard_gravity", "[psi]": "psi", "[in_i'Hg]": "inHg", "m[Hg]": "meter_of_mercury", "mm[Hg]": "mmHg",
    "[Btu]": "Btu", "[Btu_IT]": "Btu", "[HP]": "horsepower",
    "[therm]": "therm", "cal": "calorie", "[pH]": "acidity", "pH": "acidity",
    "NTU": "turbidity", "[ntu]": "turbidity", "FNU": "turbidity",
}  # fmt: skip
_WORDS = {
    "Ohm": "ohm", "kOhm": "kiloohm", "MOhm": "megaohm", "mOhm": "milliohm",
    "ar": "one_are", "mo": "month", "wk": "week", "sec": "second", "hr": "hour",
    "mcg": "microgram", "μg": "microgram", "µg": "microgram", "cbm": "meter ** 3",
    "KWH": "kilowatt_hour", "rpm": "1 / minute", "EL": "second",
}  # fmt: skip

SPELLINGS: dict[str, str] = {
    **_ONE, **_TEMPERATURE, **_SHARES, **_PERCENT, **_LEVELS, **_ANGLES, **_POWER, **_DATA,
    **_CUSTOMARY, **_WORDS,
}  # fmt: skip
"""One name, without products and powers, as an expression of pint; "" is the number one."""

LONE: dict[str, str] = {
    "V.A": "VA", "kV.A": "kVA", "MV.A": "MVA", "V*A": "VA", "V.A.h": "VAh",
    "kV.A.h": "kVAh",
    "/100": "%", "/1000": "[ppth]", "10*-2": "%", "10*-3": "[ppth]", "10*-6": "[ppm]",
    "10*-9": "[ppb]", "10*-12": "[pptr]", "mol/mol": "", "mmol/mol": "[ppth]",
    "umol/mol": "[ppm]", "µmol/mol": "[ppm]", "nmol/mol": "[ppb]", "pmol/mol": "[pptr]",
    "mL/m3": "[ppm]", "ml/m3": "[ppm]", "cm3/m3": "[ppm]", "uL/L": "[ppm]", "nL/L": "[ppb]",
    "mm3/m3": "[ppb]", "uL/m3": "[ppb]",
}  # fmt: skip
"""Whole units that stand for one name."""

SHARES = frozenset(_SHARES) | {written for written, name in LONE.items() if name in _SHARES}
"""Parts of a volume of air; what a gas sends in such a unit can become a mass."""

WANTED: dict[str, tuple[str, str]] = {
    "C": ("degrees Celsius", "Cel"), "c": ("degrees Celsius", "Cel"),
    "F": ("degrees Fahrenheit", "[degF]"), "f": ("degrees Fahrenheit", "[degF]"),
    "KW": ("kilowatts", "kW"), "kw": ("kilowatts", "kW"), "HPA": ("hectopascals", "hPa"),
    "hpa": ("hectopascals", "hPa"), "PPM": ("parts per million", "ppm"),
    "PPB": ("parts per billion", "ppb"), "PCT": ("per cent", "%"), "pct": ("per cent", "%"),
    "w": ("watts", "W"), "v": ("volts", "V"), "KMH": ("kilometres per hour", "km/h"),
    "kmh": ("kilometres per hour", "km/h"), "db": ("decibels", "dB"), "DB": ("decibels", "dB"),
}  # fmt: skip
"""What is often written and means something else or nothing: what it is meant to be, in UCUM."""
