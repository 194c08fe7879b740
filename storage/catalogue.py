"""What Beffroi measures: every metric stated once.

The database, the checks at ingest, the quality tests, Grafana panels and the board are
all derived from this list. A city adds its own metrics in ``city.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Domain(StrEnum):
    """One database schema, one trade."""

    AIR = "air"
    MOBILITY = "mobility"
    ENERGY = "energy"


DOMAINS: tuple[Domain, ...] = tuple(Domain)
"""Domains by the small integer that stands for them in columns."""


class Kind(StrEnum):
    """How readings of a metric combine over a window.

    gauge: sampled, averages; count: events in an interval, adds up; index: cumulative
    register, differences add up; angle: averages on the circle; level: decibels,
    averages by energy; state: a condition that lasts until the next reading.
    """

    GAUGE = "gauge"
    COUNT = "count"
    INDEX = "index"
    ANGLE = "angle"
    LEVEL = "level"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured quantity.

    Attributes
    ----------
    unit
        Canonical unit, UCUM.
    low, high
        Admissible range in that unit; the collector refuses what lies outside.
    labels
        Names for people, by language (fr, en, de).
    spike, rate_per_h, flat_h
        Plausible limits for the quality flags: deviation from the neighbours' mean
        [unit], change per hour [unit/h], time without any change [h]. ``None``: not tested.
    public_step_s
        Finest step shown to the public [s]; ``None``: never public.
    """

    name: str
    domain: Domain
    unit: str
    kind: Kind
    low: float
    high: float
    labels: dict[str, str]
    spike: float | None = None
    rate_per_h: float | None = None
    flat_h: float | None = None
    public_step_s: int | None = 900


def _m(
    name: str,
    domain: Domain,
    unit: str,
    kind: Kind,
    low: float,
    high: float,
    fr: str,
    en: str,
    de: str,
    *,
    spike: float | None = None,
    rate: float | None = None,
    flat: float | None = None,
    public: int | None = 900,
) -> Metric:
    return Metric(
        name, domain, unit, kind, low, high, {"fr": fr, "en": en, "de": de},
        spike, rate, flat, public,
    )  # fmt: skip


_A, _M, _E = Domain.AIR, Domain.MOBILITY, Domain.ENERGY
_GAUGE, _COUNT, _INDEX = Kind.GAUGE, Kind.COUNT, Kind.INDEX

# Lower bounds just below zero admit the small negatives of reference analysers. NO, NOx, SO2
# and CO have no flat line: near the detection limit they stand still for days.
# fmt: off
METRICS: tuple[Metric, ...] = (
    _m("no2", _A, "ug/m3", _GAUGE, -10, 2000, "Dioxyde d'azote (NO₂)", "Nitrogen dioxide (NO₂)", "Stickstoffdioxid (NO₂)", spike=150, rate=300, flat=6),
    _m("no", _A, "ug/m3", _GAUGE, -10, 3000, "Monoxyde d'azote (NO)", "Nitrogen monoxide (NO)", "Stickstoffmonoxid (NO)", spike=300, rate=600),
    _m("nox", _A, "ug/m3", _GAUGE, -10, 5000, "Oxydes d'azote (NOx)", "Nitrogen oxides (NOx)", "Stickoxide (NOx)", spike=400, rate=800),
    _m("o3", _A, "ug/m3", _GAUGE, -10, 800, "Ozone (O₃)", "Ozone (O₃)", "Ozon (O₃)", spike=100, rate=150, flat=6),
    _m("so2", _A, "ug/m3", _GAUGE, -10, 3000, "Dioxyde de soufre (SO₂)", "Sulphur dioxide (SO₂)", "Schwefeldioxid (SO₂)", spike=200, rate=400),
    _m("co", _A, "mg/m3", _GAUGE, -1, 100, "Monoxyde de carbone (CO)", "Carbon monoxide (CO)", "Kohlenmonoxid (CO)", spike=10, rate=20),
    _m("pm10", _A, "ug/m3", _GAUGE, -10, 2000, "Particules PM10", "PM10 particles", "Feinstaub PM10", spike=200, rate=400, flat=12),
    _m("pm25", _A, "ug/m3", _GAUGE, -10, 1000, "Particules fines PM2,5", "Fine particles PM2.5", "Feinstaub PM2,5", spike=150, rate=300, flat=24),
    _m("pm1", _A, "ug/m3", _GAUGE, -10, 1000, "Particules très fines PM1", "Very fine particles PM1", "Feinststaub PM1", spike=150, rate=300, flat=12),
    _m("temperature", _A, "Cel", _GAUGE, -60, 60, "Température de l'air", "Air temperature", "Lufttemperatur", spike=8, rate=15, flat=12),
    _m("dew_point", _A, "Cel", _GAUGE, -80, 40, "Point de rosée", "Dew point", "Taupunkt", spike=8, rate=15, flat=24),
    _m("humidity", _A, "%", _GAUGE, 0, 100, "Humidité relative", "Relative humidity", "Relative Luftfeuchte", spike=40, rate=80, flat=48),
    _m("pressure", _A, "hPa", _GAUGE, 500, 1100, "Pression atmosphérique", "Air pressure", "Luftdruck", spike=8, rate=15, flat=24),
    _m("wind_speed", _A, "m/s", _GAUGE, 0, 80, "Vitesse du vent", "Wind speed", "Windgeschwindigkeit", spike=20, rate=60, flat=24),
    _m("wind_direction", _A, "deg", Kind.ANGLE, 0, 360, "Direction du vent", "Wind direction", "Windrichtung", flat=24),
    _m("noise_level", _A, "dB", Kind.LEVEL, 0, 150, "Niveau sonore", "Noise level", "Schallpegel", flat=6),
    _m("rain", _A, "mm", _COUNT, 0, 200, "Pluie", "Rain", "Niederschlag"),
    _m("visibility", _A, "km", _GAUGE, 0, 200, "Visibilité", "Visibility", "Sichtweite"),
    # Measured by nobody: the class that the region's association expects, relayed by a commune.
    _m("air_index_tomorrow", _A, "1", _GAUGE, 1, 8, "Indice de l'air prévu pour demain", "Air quality index forecast for tomorrow", "Luftqualitätsindex, Vorhersage für morgen"),

    _m("vehicles", _M, "1", _COUNT, 0, 1e6, "Véhicules", "Vehicles", "Fahrzeuge"),
    _m("heavy_vehicles", _M, "1", _COUNT, 0, 1e6, "Poids lourds", "Heavy vehicles", "Lastwagen"),
    _m("bikes", _M, "1", _COUNT, 0, 1e6, "Vélos", "Bicycles", "Fahrräder"),
    _m("pedestrians", _M, "1", _COUNT, 0, 1e6, "Piétons", "Pedestrians", "Zu Fuß Gehende"),
    _m("flow", _M, "h-1", _GAUGE, 0, 20000, "Débit de véhicules", "Traffic flow", "Verkehrsstärke", spike=6000, flat=24),
    _m("occupancy", _M, "%", _GAUGE, 0, 100, "Taux d'occupation de la voie", "Lane occupancy", "Belegungsgrad", spike=60, flat=48),
    _m("speed", _M, "km/h", _GAUGE, 0, 300, "Vitesse moyenne", "Mean speed", "Mittlere Geschwindigkeit", spike=80, flat=6),
    _m("travel_time", _M, "s", _GAUGE, 0, 86400, "Temps de parcours", "Travel time", "Reisezeit", flat=12),
    _m("parking_free", _M, "1", _GAUGE, 0, 100000, "Places de parking libres", "Free parking places", "Freie Parkplätze", flat=48),
    _m("bikes_available", _M, "1", _GAUGE, 0, 1000, "Vélos en station", "Bikes at the station", "Räder an der Station", flat=72),
    _m("road_open", _M, "1", Kind.STATE, 0, 1, "Voie ouverte", "Road open", "Straße offen"),

    _m("energy_import", _E, "kW.h", _INDEX, 0, 1e10, "Énergie consommée (index)", "Energy drawn (register)", "Bezogene Energie (Zähler)", flat=72, public=3600),
    _m("energy_export", _E, "kW.h", _INDEX, 0, 1e10, "Énergie injectée (index)", "Energy fed in (register)", "Eingespeiste Energie (Zähler)", public=3600),
    _m("gas_import", _E, "m3", _INDEX, 0, 1e10, "Gaz consommé (index)", "Gas drawn (register)", "Gasbezug (Zähler)", public=3600),
    _m("heat_import", _E, "kW.h", _INDEX, 0, 1e10, "Chaleur consommée (index)", "Heat drawn (register)", "Wärmebezug (Zähler)", public=3600),
    _m("water_import", _E, "m3", _INDEX, 0, 1e10, "Eau consommée (index)", "Water drawn (register)", "Wasserbezug (Zähler)", public=3600),
    _m("energy_used", _E, "kW.h", _COUNT, 0, 1e9, "Énergie consommée", "Energy used", "Energieverbrauch", public=3600),
    _m("power", _E, "kW", _GAUGE, -1e9, 1e9, "Puissance appelée", "Power drawn", "Leistung", flat=24, public=3600),
    _m("apparent_power", _E, "kV.A", _GAUGE, 0, 1e9, "Puissance apparente", "Apparent power", "Scheinleistung", flat=24, public=3600),
    _m("voltage", _E, "V", _GAUGE, 0, 1e6, "Tension", "Voltage", "Spannung", spike=40, flat=24, public=None),
    _m("current", _E, "A", _GAUGE, -1e5, 1e5, "Intensité", "Current", "Strom", flat=24, public=None),
    _m("lighting_on", _E, "1", Kind.STATE, 0, 1, "Éclairage allumé", "Lighting on", "Beleuchtung an", public=3600),
)
# fmt: on

BY_NAME: dict[str, Metric] = {metric.name: metric for metric in METRICS}
