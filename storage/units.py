"""From the unit a sensor sends in to a metric's canonical unit.

Cities spell units in many ways; UCUM is the norm here (``ug/m3``, ``kW.h``, ``Cel``). What a
name means is asked of the pint library; products and powers are worked out here, so that no
text costs more than its length and only names reach pint.

What physics calls the same and a city must not confuse has a dimension of its own: active,
reactive and apparent power, levels in dB and in dBm, angles, amounts of data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from storage.gases import MOLAR_MASS, STANDARD, Reference, grams_per_share
from storage.spellings import DEFINITIONS, LONE, SHARES, SPELLINGS, WANTED

if TYPE_CHECKING:
    import pint

_LONGEST = 48
_NAME = r"[A-Za-z%°µμΩ_\[\]()']+|1"
_FACTOR = re.compile(
    rf"(?P<name>{_NAME})?(?:\^?(?P<power>[-+]?[0-9])|(?P<raised>[²³]))?(?P<note>\{{[^{{}}]*\}})?"
)
_OPERATOR = re.compile(r"[./*·]")
_REFERENCE = re.compile(
    r"(?P<degrees>-?[0-9]{1,3}(?:\.[0-9]{1,3})?)(?P<scale>Cel|K)"
    r"(?:@(?P<pressure>[0-9]{1,6}(?:\.[0-9]{1,3})?)(?P<unit>k|h|)Pa)?"
)
_REMEMBERED = 4096  # senders choose these words
_SHARE: dict[str, int] = {}
_MASS_PER_VOLUME = {"[mass]": 1, "[length]": -3}
_ACCURACY = 1e-9


class UnitError(ValueError):
    """A unit cannot be read, or cannot become the metric's unit."""


class _Measure(NamedTuple):
    """``value in base units = factor * value + offset``, and what the unit measures."""

    factor: Fraction
    offset: Fraction
    dimension: Mapping[str, int]


def check_unit(unit: str) -> None:
    """Raise :class:`UnitError` for a unit that a metric cannot be kept in."""
    if "@" in unit:
        raise UnitError(
            f"the unit {unit[:_LONGEST]!r} cannot be read; leave out the '@…':"
            " gases are kept at 293 K and 101.3 kPa"
        )
    _measure(unit)


def conversion(
    sent: str, canonical: str, metric: str = "", reference: Reference = STANDARD
) -> tuple[float, float]:
    """Scale and shift with ``canonical value = scale * sent value + shift``.

    The metric says which gas it is, for parts per billion and masses per volume. Masses are
    meant at ``reference``, unless the unit sent says otherwise: ``ug/m3@25Cel``.

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
    >>> round(40 * conversion("[ppb]", "ug/m3", "no2")[0], 3)
    76.52
    """
    if sent == canonical:
        return 1.0, 0.0
    plain, meant = _meant_at(sent)
    source, target = _measure(plain), _measure(canonical)
    massive = dict(source.dimension) == _MASS_PER_VOLUME
    if meant is not None and not (massive and metric in MOLAR_MASS):
        raise UnitError(
            f"{sent!r}: only the mass of a gas per volume is meant at a temperature;"
            " leave out the '@…'"
        )
    if source.dimension == target.dimension:
        scale = float(source.factor / target.factor)
        if meant is not None:
            scale *= grams_per_share(metric, reference) / grams_per_share(metric, meant)
        return scale, float((source.offset - target.offset) / target.factor)
    if metric in MOLAR_MASS:
        # Base units are kilograms; shares are of the volume.
        kilograms = Fraction(grams_per_share(metric, meant or reference)) / 1000
        ratio = source.factor / target.factor
        if plain in SHARES and target.dimension == _MASS_PER_VOLUME:
            return float(ratio * kilograms), 0.0
        if canonical in SHARES and massive:
            return float(ratio / kilograms), 0.0
    raise UnitError(_told_apart(sent, canonical, source, target))


def _told_apart(sent: str, canonical: str, source: _Measure, target: _Measure) -> str:
    what = f"{sent!r} does not measure the same thing as {canonical!r}"
    if sent in WANTED:
        return f"{what}; for {WANTED[sent][0]} write {WANTED[sent][1]!r}"
    if _MASS_PER_VOLUME in (source.dimension, target.dimension) and (
        sent in SHARES or canonical in SHARES
    ):
        return f"{what}, unless the metric is a gas of known molar mass"
    return what


def _meant_at(unit: str) -> tuple[str, Reference | None]:
    """The unit, and the state of the air that it says it is meant at."""
    plain, at, said = unit.partition("@")
    if not at:
        return unit, None
    found = _REFERENCE.fullmatch(said)
    if found is None:
        raise UnitError(
            f"the unit {unit[:_LONGEST]!r} cannot be read; a temperature is written"
            " like 'ug/m3@25Cel', a pressure after it like '@1013hPa'"
        )
    kelvin = float(found["degrees"]) + (273.15 if found["scale"] == "Cel" else 0)
    kilopascal = STANDARD.pressure
    if found["pressure"]:
        kilopascal = float(found["pressure"]) * {"k": 1, "h": 0.1, "": 0.001}[found["unit"]]
    if not (200 <= kelvin <= 400 and 50 <= kilopascal <= 120):
        raise UnitError(f"{unit!r}: no air is measured at {said}; write it like '@25Cel'")
    return plain, Reference(kelvin, kilopascal)


@lru_cache(_REMEMBERED)
def _measure(unit: str) -> _Measure:
    """What a whole unit measures."""
    if unit in LONE or unit in SPELLINGS:
        return _atom(LONE.get(unit, unit))
    if len(unit) > _LONGEST:
        raise UnitError(f"the unit {unit[:_LONGEST]!r}… cannot be read; it is too long")
    factors = list(_factors(unit))
    if len(factors) == 1 and factors[0][1] == 1:
        return _atom(factors[0][0])
    factor, dimension = Fraction(1), dict[str, int]()
    for name, power in factors:
        # In a product a temperature is a difference, without its zero point.
        atom = _atom(name)
        factor *= atom.factor**power
        for base, exponent in atom.dimension.items():
            dimension[base] = dimension.get(base, 0) + exponent * power
    return _Measure(factor, Fraction(0), {base: n for base, n in dimension.items() if n})


def _factors(unit: str) -> Iterator[tuple[str, int]]:
    """Names and powers; a solidus turns the sign of what follows it, up to the next operator."""
    at, sign = (1, -1) if unit.startswith("/") else (0, 1)
    while True:
        found = _FACTOR.match(unit, at)
        if found is None or found.end() == at or not (found["name"] or found["note"]):
            raise _unreadable(unit)
        if not found["name"] and (found["power"] or found["raised"]):
            raise _unreadable(unit)
        power = {"²": 2, "³": 3}.get(found["raised"] or "", int(found["power"] or 1))
        if found["name"] != "1":
            yield found["name"] or "", sign * power
        elif found["power"] or found["raised"]:
            raise _unreadable(unit)
        else:
            yield "", 1
        if found.end() == len(unit):
            return
        operator = _OPERATOR.match(unit, found.end())
        if operator is None:
            raise _unreadable(unit)
        at, sign = operator.end(), -1 if operator[0] == "/" else 1


@lru_cache(_REMEMBERED)
def _atom(name: str) -> _Measure:
    """What a single name measures, by pint; no name is the number one."""
    spelled = SPELLINGS.get(name, name)
    if not spelled:
        return _Measure(Fraction(1), Fraction(0), _SHARE)
    registry = _registry()
    try:
        if name not in SPELLINGS and not registry.parse_unit_name(name):
            raise _unreadable(name)  # four times as fast as asking for it
        unit = registry.Unit(spelled)
        if name not in SPELLINGS and len(dict(unit._units)) != 1:
            raise _unreadable(name)
        zero, one, two = (
            Fraction(registry.Quantity(Fraction(value), unit).to_base_units().magnitude)
            for value in range(3)
        )
        powers: dict[str, Any] = dict(unit.dimensionality)
        dimension = {base: int(power) for base, power in powers.items()}
        if name not in SPELLINGS and not dimension:
            raise _unreadable(name)  # pint's radians, bytes and dozens are all the number one
    except UnitError:
        raise
    except Exception as error:  # pint raises tokenize, attribute and assertion errors on odd text
        raise _unreadable(name) from error
    if abs(two - 2 * one + zero) > _ACCURACY or one == zero:
        raise _unreadable(name)  # neither proportional nor shifted, as pint's own logarithms
    return _Measure(one - zero, zero, dimension)


def _unreadable(unit: str) -> UnitError:
    if unit in WANTED:
        what, written = WANTED[unit]
        return UnitError(f"the unit {unit!r} cannot be read; for {what} write {written!r}")
    return UnitError(
        f"the unit {unit[:_LONGEST]!r} cannot be read; write it like 'ug/m3', 'kW.h' or 'Cel'"
    )


@cache
def _registry() -> pint.UnitRegistry[Any]:
    import pint  # half a second: only who registers sensors pays it

    # Fractions: 32 degF must be 0 Cel, not 4e-14.
    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(
        autoconvert_offset_to_baseunit=True, non_int_type=Fraction
    )
    for definition in DEFINITIONS:
        registry.define(definition)
    return registry
