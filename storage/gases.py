"""Gases: from a share of the air to a mass in a cubic metre of it, and back.

A mass per volume means little without the temperature and pressure of that volume. European
limit values are meant at 293 K and 101.3 kPa, which is what Beffroi keeps; sources that mean
25 °C give the same air 2 % less.

References
----------
.. [1] Directive (EU) 2024/2881, annex on volumes of gaseous pollutants: 293 K and 101,3 kPa.
.. [2] CODATA 2018, molar gas constant.
"""

from __future__ import annotations

from typing import NamedTuple

_GAS_CONSTANT = 8.314462618  # [J/(mol.K)]

MOLAR_MASS: dict[str, float] = {
    "no": 30.006, "no2": 46.0055, "o3": 47.9982, "so2": 64.064, "co": 28.010,
    # Nitrogen oxides are summed as shares and expressed as if all were nitrogen dioxide.
    "nox": 46.0055,
    "co2": 44.0095, "ch4": 16.0425, "nh3": 17.0305, "h2s": 34.081, "n2o": 44.0128,
    "benzene": 78.1118, "c6h6": 78.1118, "toluene": 92.1384, "c7h8": 92.1384,
    "formaldehyde": 30.0260, "hcho": 30.0260, "hcl": 36.4609, "cl2": 70.906, "h2": 2.01588,
}  # fmt: skip
"""By the name of the metric. [g/mol]"""


class Reference(NamedTuple):
    """The state of the air in which a mass per volume is meant. [K], [kPa]"""

    temperature: float = 293.0
    pressure: float = 101.3

    def molar_volume(self) -> float:
        """What one mole of any gas takes up. [m3/mol]

        >>> round(Reference().molar_volume() * 1000, 5)
        24.04874
        """
        return _GAS_CONSTANT * self.temperature / (self.pressure * 1000)


STANDARD = Reference()
"""What readings are kept at."""


def grams_per_share(gas: str, reference: Reference = STANDARD) -> float:
    """Mass in a cubic metre that is nothing but this gas. [g/m3]

    Parts per billion of it are micrograms times a thousand-millionth of that:

    >>> round(40 * grams_per_share("no2") / 1000, 3)
    76.52
    """
    return MOLAR_MASS[gas] / reference.molar_volume()
