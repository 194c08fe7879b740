"""From the unit a sensor sends in to a metric's canonical unit, by the pint library.

Cities spell units in many ways; UCUM is the norm here (``ug/m3``, ``kW.h``, ``Cel``).
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pint

# UCUM and common spellings that pint does not read as meant. `1`, `count` and the
# like are dimensionless; UCUM writes products with a dot.
_SPELLINGS = {
    "1": "dimensionless", "": "dimensionless", "count": "dimensionless",
    "{vehicle}": "dimensionless", "{count}": "dimensionless",
    "Cel": "degC", "°C": "degC", "[degF]": "degF", "degF": "degF", "°F": "degF", "K": "kelvin",
    "ug/m3": "microgram/meter**3", "µg/m³": "microgram/meter**3", "μg/m³": "microgram/meter**3",
    "ug/m³": "microgram/meter**3", "mg/m3": "milligram/meter**3", "mg/m³": "milligram/meter**3",
    "ng/m3": "nanogram/meter**3", "m3": "meter**3", "m³": "meter**3", "dm3": "decimeter**3",
    "%": "percent", "%RH": "percent", "/": "dimensionless",
    "deg": "degree", "°": "degree", "dB": "decibel_level", "dB(A)": "decibel_level",
    "kW.h": "kilowatt_hour", "W.h": "watt_hour", "MW.h": "megawatt_hour",
    "kV.A": "kilovolt_ampere", "V.A": "volt_ampere", "VA": "volt_ampere", "kVA": "kilovolt_ampere",
    "[therm]": "therm", "h-1": "1/hour", "/h": "1/hour", "veh/h": "1/hour",
    "[mi_i]/h": "mile/hour", "mph": "mile/hour", "[ft_i]": "foot",
}  # fmt: skip


# What a unit may look like before pint is asked, which would also compute 9**9**9: names with
# an exponent of one digit, joined by `.`, `*` or `/`.
_LONGEST = 32
_NAME = r"(?:1|[A-Za-z%°µμΩ_\[\]{}()]+)"
_UNIT = re.compile(rf"/?{_NAME}(?:[-+]?[0-9]|[²³])?(?:[./*·]{_NAME}(?:[-+]?[0-9]|[²³])?)*")
_EXPONENT = re.compile(r"(?<=[A-Za-z\])}])([-+]?[0-9])")


class UnitError(ValueError):
    """A unit cannot be read, or cannot become the metric's unit."""


@cache
def _registry() -> pint.UnitRegistry[Any]:
    import pint  # half a second: only who registers sensors pays it

    # Fractions: 32 degF must be 0 Cel, not 4e-14.
    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(
        autoconvert_offset_to_baseunit=True, non_int_type=Fraction
    )
    # Levels are compared with levels only; pint's logarithmic decibel is a ratio.
    registry.define("decibel_level = [sound_level]")
    return registry


def _as_pint_reads_it(unit: str) -> str:
    """The same unit in pint's spelling."""
    if unit in _SPELLINGS:
        return _SPELLINGS[unit]
    if len(unit) > _LONGEST or not _UNIT.fullmatch(unit):
        raise UnitError(f"the unit {unit[:_LONGEST]!r} cannot be read")
    product = unit.replace(".", "*").replace("·", "*").replace("²", "2").replace("³", "3")
    return ("1" if product.startswith("/") else "") + _EXPONENT.sub(r"**\1", product)


def check_unit(unit: str) -> None:
    """Raise :class:`UnitError` for a unit that cannot be read."""
    try:
        _registry().Unit(_as_pint_reads_it(unit))
    except UnitError:
        raise
    except Exception as error:  # as below
        raise UnitError(f"the unit {unit!r} cannot be read") from error


def conversion(sent: str, canonical: str) -> tuple[float, float]:
    """Scale and shift with ``canonical value = scale * sent value + shift``.

    Raises
    ------
    UnitError
        Naming the unit that cannot be read, or the two that do not fit.

    Examples
    --------
    >>> conversion("[degF]", "Cel")
    (0.5555555555555556, -17.77777777777778)
    >>> conversion("W.h", "kW.h")
    (0.001, 0.0)
    """
    if sent == canonical:
        return 1.0, 0.0
    import pint

    registry = _registry()
    left, right = _as_pint_reads_it(sent), _as_pint_reads_it(canonical)
    try:
        source, target = registry.Unit(left), registry.Unit(right)
        # An affine map is known by two of its points; the third checks that it is one.
        zero, one, two = (
            Fraction(registry.Quantity(Fraction(value), source).to(target).magnitude)
            for value in range(3)
        )
    except pint.DimensionalityError as error:
        raise UnitError(f"{sent!r} does not measure the same thing as {canonical!r}") from error
    except Exception as error:  # pint raises tokenize, attribute and assertion errors on odd text
        raise UnitError(f"the unit {sent!r} cannot be read") from error
    if abs(two - 2 * one + zero) > Fraction(1, 10**9):
        raise UnitError(f"{sent!r} is not proportional to {canonical!r}")
    return float(one - zero), float(zero)
