"""Energy drawn: consumption, load curve, peaks, tariffs, street lights."""

from __future__ import annotations

from storage.catalogue import Domain
from storage.indicators.word import Indicator, Period, Subject

_COUNTED = (
    "TimescaleDB Toolkit, counter_agg: increases of registers; gaps split in proportion to time"
)
_FLAGS = ("interpolated", "not covered")
_CLOCK = "Enedis: mean power of fixed clock windows, 10 min (C1 to C4), 30 min (C5); 15 min in EU balancing"
_FACTOR = "Load factor: mean over peak power, E / (P_max x h)"
_TARIFF = "Contract of the meter, as city.toml says it"
_LIGHTS = "Installed power, and the sun after Meeus (1998) and the NOAA"
_WINDOWS = ("10 min", "15 min", "30 min", "60 min")


def _i(
    name: str,
    period: Period,
    unit: str,
    fr: str,
    en: str,
    de: str,
    source: str,
    *,
    methods: tuple[str, ...] = ("1",),
    words: tuple[str, ...] = (),
    bits: bool = False,
    public: bool = True,
) -> Indicator:
    return Indicator(
        name, Domain.ENERGY, Subject.SERIES, period, unit, {"fr": fr, "en": en, "de": de}, source,
        methods, words, bits, public,
    )  # fmt: skip


# fmt: off
LOAD: tuple[Indicator, ...] = (
    _i("energy_hour", Period.HOUR, "kW.h", "Énergie par heure", "Energy per hour", "Energie je Stunde", _COUNTED, words=_FLAGS, bits=True),
    _i("energy_day", Period.DAY, "kW.h", "Énergie par jour", "Energy per day", "Energie je Tag", _COUNTED, words=_FLAGS, bits=True),
    _i("energy_month", Period.MONTH, "kW.h", "Énergie par mois", "Energy per month", "Energie je Monat", _COUNTED, words=_FLAGS, bits=True),
    _i("volume_hour", Period.HOUR, "m3", "Volume par heure", "Volume per hour", "Volumen je Stunde", _COUNTED, words=_FLAGS, bits=True),
    _i("volume_day", Period.DAY, "m3", "Volume par jour", "Volume per day", "Volumen je Tag", _COUNTED, words=_FLAGS, bits=True),
    _i("volume_month", Period.MONTH, "m3", "Volume par mois", "Volume per month", "Volumen je Monat", _COUNTED, words=_FLAGS, bits=True),
    _i("power_energy_day", Period.DAY, "kW.h", "Énergie par jour, intégrée de la puissance", "Energy per day, integrated from power", "Energie je Tag, aus der Leistung integriert", "TimescaleDB Toolkit, time_weight: LOCF or linear, over at most 2 steps", methods=("locf", "trapezoid")),
    _i("load_10min", Period.TEN_MINUTES, "kW", "Courbe de charge, 10 min", "Load curve, 10 min", "Lastgang, 10 min", _CLOCK, public=False),
    _i("load_15min", Period.QUARTER_HOUR, "kW", "Courbe de charge, 15 min", "Load curve, 15 min", "Lastgang, 15 min", _CLOCK, public=False),
    _i("load_30min", Period.HALF_HOUR, "kW", "Courbe de charge, 30 min", "Load curve, 30 min", "Lastgang, 30 min", _CLOCK, public=False),
    _i("load_peak_10min_day", Period.DAY, "kW", "Pointe du jour, 10 min fixes", "Peak of the day, fixed 10 min", "Tagesspitze, feste 10 min", _CLOCK),
    _i("load_peak_15min_day", Period.DAY, "kW", "Pointe du jour, 15 min fixes", "Peak of the day, fixed 15 min", "Tagesspitze, feste 15 min", _CLOCK),
    _i("load_peak_30min_day", Period.DAY, "kW", "Pointe du jour, 30 min fixes", "Peak of the day, fixed 30 min", "Tagesspitze, feste 30 min", _CLOCK),
    _i("load_peak_60min_day", Period.DAY, "kW", "Pointe du jour, 60 min fixes", "Peak of the day, fixed 60 min", "Tagesspitze, feste 60 min", _CLOCK),
    _i("load_mean_month", Period.MONTH, "kW", "Puissance moyenne du mois", "Mean power of the month", "Mittlere Leistung des Monats", "Energy over the time of which it is known, at least 75 %"),
    _i("load_peak_month", Period.MONTH, "kW", "Pointe du mois", "Peak of the month", "Monatsspitze", _CLOCK, methods=_WINDOWS),
    _i("load_factor_month", Period.MONTH, "1", "Facteur de charge du mois", "Load factor of the month", "Lastfaktor des Monats", _FACTOR, methods=_WINDOWS),
    _i("load_peak_year", Period.YEAR, "kW", "Pointe de l'année", "Peak of the year", "Jahreshöchstlast", _CLOCK, methods=_WINDOWS),
    _i("load_factor_year", Period.YEAR, "1", "Facteur de charge de l'année", "Load factor of the year", "Lastfaktor des Jahres", _FACTOR, methods=_WINDOWS),
    _i("utilisation_hours_year", Period.YEAR, "h", "Durée d'utilisation de la pointe", "Utilisation hours of the peak", "Benutzungsdauer der Höchstlast", "Utilisation hours: E / P_max", methods=_WINDOWS),
    _i("base_load_month", Period.MONTH, "kW", "Talon du mois", "Base load of the month", "Grundlast des Monats", "Median of the hours from 01:00 to 05:00 on unoccupied days, or 5th percentile of all hours", methods=("night", "percentile")),
    _i("base_load_year", Period.YEAR, "kW", "Talon de l'année", "Base load of the year", "Grundlast des Jahres", "Mean of the months' base loads by their time"),
    _i("base_energy_year", Period.YEAR, "kW.h", "Énergie du talon de l'année", "Base-load energy of the year", "Grundlastenergie des Jahres", "Base load times hours, month by month"),
    _i("night_share_month", Period.MONTH, "%", "Part de la nuit", "Share of the night", "Anteil der Nacht", "Energy in the night hours of city.toml, local time"),
    _i("weekend_share_month", Period.MONTH, "%", "Part du week-end", "Share of the weekend", "Anteil des Wochenendes", "Energy on Saturdays, Sundays and public holidays, local time"),
    _i("tariff_offpeak_day", Period.DAY, "kW.h", "Énergie en heures creuses", "Off-peak energy", "Energie zur Nebenzeit", _TARIFF, words=_FLAGS, bits=True),
    _i("tariff_full_day", Period.DAY, "kW.h", "Énergie en heures pleines", "Full-rate energy", "Energie zur Hauptzeit", _TARIFF, words=_FLAGS, bits=True),
    _i("tariff_peak_day", Period.DAY, "kW.h", "Énergie en pointe", "Peak-rate energy", "Energie zur Spitzenzeit", _TARIFF, words=_FLAGS, bits=True),
    _i("tariff_cost_day", Period.DAY, "EUR", "Coût de l'énergie", "Cost of the energy", "Kosten der Energie", _TARIFF, words=_FLAGS, bits=True, public=False),
    _i("lighting_expected_day", Period.DAY, "kW.h", "Énergie attendue de l'éclairage", "Energy that lighting should draw", "Erwartete Energie der Beleuchtung", _LIGHTS),
    _i("lighting_night_ratio_day", Period.DAY, "%", "Puissance de nuit sur puissance installée", "Power at night over installed power", "Leistung bei Nacht zu installierter Leistung", _LIGHTS, words=("as installed", "lamps or a phase failed")),
    _i("lighting_noon_ratio_day", Period.DAY, "%", "Puissance à midi sur puissance de nuit", "Power at noon over power at night", "Leistung am Mittag zu Leistung bei Nacht", _LIGHTS, words=("off by day", "burns by day")),
)
# fmt: on
