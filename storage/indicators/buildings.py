"""Buildings: degree days, signature, savings, carbon, comparison, steps of the base load."""

from __future__ import annotations

from storage.catalogue import Domain
from storage.indicators.word import Indicator, Period, Subject


def _b(
    name: str, subject: Subject, period: Period, unit: str, fr: str, en: str, de: str, source: str,
    methods: tuple[str, ...] = ("1",), words: tuple[str, ...] = (), *, bits: bool = False,
) -> Indicator:  # fmt: skip
    return Indicator(
        name, Domain.ENERGY, subject, period, unit, {"fr": fr, "en": en, "de": de}, source,
        methods, words, bits,
    )  # fmt: skip


_SERIES, _SITE = Subject.SERIES, Subject.SITE
_DAY, _WEEK, _MONTH, _YEAR = Period.DAY, Period.WEEK, Period.MONTH, Period.YEAR

HEATING_BASES = ("base 18 °C", "base 17 °C", "base 15 °C", "another base")
COOLING_BASES = ("base 22 °C", "base 24 °C", "another base")
"""Methods of degree days: a figure says which base it was made with."""

MODELS = (
    "no model", "mean only", "linear (2P)", "heating (3P)", "cooling (3P)",
    "heating and cooling at one point (4P)", "heating and cooling (5P)",
)  # fmt: skip
SCOPES = ("combustion", "upstream", "life cycle")
STEP = ("no step", "step")
CORRECTED = ("as it was", "climate corrected")

_METEO = "Météo-France: S - (Tn + Tx) / 2, civil days, 75 % of their hours"
_COSTIC = (
    "COSTIC: S - (Tn + Tx) / 2, in part where a day crosses S; civil days, 75 % of their hours"
)
_COOLING = "(Tn + Tx) / 2 - S, civil days, 75 % of their hours"
_RP1050 = "ASHRAE RP-1050, change-point models; Guideline 14-2014"
_SAVING = "ASHRAE Guideline 14-2014; interval at 90 %: CalTRACK 2.0, 4.3.2"

# fmt: off
BUILDINGS: tuple[Indicator, ...] = (
    _b("outdoor_day_mean", _SERIES, _DAY, "Cel", "Température moyenne du jour", "Mean temperature of the day", "Tagesmitteltemperatur", "75 % of the hours of the civil day"),
    _b("heating_degree_days", _SERIES, _DAY, "K.d", "Degrés-jours de chauffage (méthode météo)", "Heating degree days (meteorological method)", "Heizgradtage (meteorologisches Verfahren)", _METEO, HEATING_BASES),
    _b("heating_degree_days_costic", _SERIES, _DAY, "K.d", "Degrés-jours de chauffage (méthode COSTIC)", "Heating degree days (COSTIC method)", "Heizgradtage (COSTIC-Verfahren)", _COSTIC, HEATING_BASES),
    _b("cooling_degree_days", _SERIES, _DAY, "K.d", "Degrés-jours de climatisation", "Cooling degree days", "Kühlgradtage", _COOLING, COOLING_BASES),
    _b("heating_degree_days_month", _SERIES, _MONTH, "K.d", "Degrés-jours de chauffage du mois (méthode météo)", "Heating degree days of the month (meteorological method)", "Heizgradtage des Monats (meteorologisches Verfahren)", _METEO + "; scaled where days are missing", HEATING_BASES),
    _b("heating_degree_days_costic_month", _SERIES, _MONTH, "K.d", "Degrés-jours de chauffage du mois (méthode COSTIC)", "Heating degree days of the month (COSTIC method)", "Heizgradtage des Monats (COSTIC-Verfahren)", _COSTIC + "; scaled where days are missing", HEATING_BASES),
    _b("cooling_degree_days_month", _SERIES, _MONTH, "K.d", "Degrés-jours de climatisation du mois", "Cooling degree days of the month", "Kühlgradtage des Monats", _COOLING + "; scaled where days are missing", COOLING_BASES),
    _b("heating_season_degree_days", _SERIES, _YEAR, "K.d", "Degrés-jours de la saison de chauffe (méthode météo)", "Degree days of the heating season (meteorological method)", "Gradtage der Heizperiode (meteorologisches Verfahren)", _METEO + "; the season that begins in the year", HEATING_BASES),
    _b("heating_season_degree_days_costic", _SERIES, _YEAR, "K.d", "Degrés-jours de la saison de chauffe (méthode COSTIC)", "Degree days of the heating season (COSTIC method)", "Gradtage der Heizperiode (COSTIC-Verfahren)", _COSTIC + "; the season that begins in the year", HEATING_BASES),

    _b("building_energy", _SITE, _DAY, "kW.h", "Consommation du bâtiment", "Consumption of the building", "Verbrauch des Gebäudes", "sum of its meters, whole days only; gas by its gross calorific value"),
    _b("building_carbon", _SITE, _DAY, "kg", "Émissions du bâtiment (CO₂e)", "Emissions of the building (CO₂e)", "Emissionen des Gebäudes (CO₂e)", "[[energy.carbon_factor]] of the city, each with its source", words=SCOPES, bits=True),
    _b("building_energy_year", _SITE, _YEAR, "kW.h", "Consommation annuelle du bâtiment", "Annual consumption of the building", "Jahresverbrauch des Gebäudes", "sum of the days known; partial: a lower bound"),
    _b("building_carbon_year", _SITE, _YEAR, "kg", "Émissions annuelles du bâtiment (CO₂e)", "Annual emissions of the building (CO₂e)", "Jahresemissionen des Gebäudes (CO₂e)", "sum of the days known; partial: a lower bound", words=SCOPES, bits=True),
    _b("building_intensity", _SITE, _YEAR, "kW.h/m2", "Consommation surfacique", "Consumption per floor area", "Verbrauch je Fläche", "90 % of the days of the year, scaled to all"),
    _b("building_class_median", _SITE, _YEAR, "kW.h/m2", "Consommation surfacique médiane de la catégorie", "Median consumption per floor area of the class", "Median des Verbrauchs je Fläche der Klasse", "buildings of one class in the city, from a least number on"),
    _b("building_class_rank", _SITE, _YEAR, "1", "Rang dans la catégorie (1 : le plus sobre)", "Rank within the class (1: lowest)", "Rang in der Klasse (1: niedrigster)", "buildings of one class in the city, from a least number on"),

    _b("signature_base", _SITE, _YEAR, "kW.h/d", "Signature énergétique : talon", "Energy signature: base", "Energiesignatur: Grundverbrauch", _RP1050, words=MODELS),
    _b("signature_heating", _SITE, _YEAR, "kW.h/(K.d)", "Signature énergétique : pente de chauffage", "Energy signature: heating slope", "Energiesignatur: Heizsteigung", _RP1050, words=MODELS),
    _b("signature_cooling", _SITE, _YEAR, "kW.h/(K.d)", "Signature énergétique : pente de climatisation", "Energy signature: cooling slope", "Energiesignatur: Kühlsteigung", _RP1050, words=MODELS),
    _b("signature_heating_point", _SITE, _YEAR, "Cel", "Signature énergétique : température de non-chauffage", "Energy signature: heating change point", "Energiesignatur: Heizgrenztemperatur", _RP1050, words=MODELS),
    _b("signature_cooling_point", _SITE, _YEAR, "Cel", "Signature énergétique : température de début de climatisation", "Energy signature: cooling change point", "Energiesignatur: Kühlgrenztemperatur", _RP1050, words=MODELS),
    _b("signature_r2", _SITE, _YEAR, "1", "Signature énergétique : R²", "Energy signature: R²", "Energiesignatur: R²", _RP1050, words=MODELS),
    _b("signature_cvrmse", _SITE, _YEAR, "%", "Signature énergétique : CV(RMSE)", "Energy signature: CV(RMSE)", "Energiesignatur: CV(RMSE)", _RP1050, words=MODELS),

    _b("baseline_base", _SITE, _YEAR, "kW.h/d", "Référence figée : talon", "Frozen baseline: base", "Festgehaltene Basis: Grundverbrauch", _RP1050, words=MODELS),
    _b("baseline_heating", _SITE, _YEAR, "kW.h/(K.d)", "Référence figée : pente de chauffage", "Frozen baseline: heating slope", "Festgehaltene Basis: Heizsteigung", _RP1050, words=MODELS),
    _b("baseline_cooling", _SITE, _YEAR, "kW.h/(K.d)", "Référence figée : pente de climatisation", "Frozen baseline: cooling slope", "Festgehaltene Basis: Kühlsteigung", _RP1050, words=MODELS),
    _b("baseline_heating_point", _SITE, _YEAR, "Cel", "Référence figée : température de non-chauffage", "Frozen baseline: heating change point", "Festgehaltene Basis: Heizgrenztemperatur", _RP1050, words=MODELS),
    _b("baseline_cooling_point", _SITE, _YEAR, "Cel", "Référence figée : température de début de climatisation", "Frozen baseline: cooling change point", "Festgehaltene Basis: Kühlgrenztemperatur", _RP1050, words=MODELS),
    _b("baseline_rmse", _SITE, _YEAR, "kW.h/d", "Référence figée : RMSE", "Frozen baseline: RMSE", "Festgehaltene Basis: RMSE", _RP1050, words=MODELS),
    _b("baseline_mean", _SITE, _YEAR, "kW.h/d", "Référence figée : consommation moyenne", "Frozen baseline: mean consumption", "Festgehaltene Basis: mittlerer Verbrauch", _RP1050, words=MODELS),
    _b("baseline_autocorrelation", _SITE, _YEAR, "1", "Référence figée : autocorrélation des résidus", "Frozen baseline: autocorrelation of the residuals", "Festgehaltene Basis: Autokorrelation der Residuen", _RP1050, words=MODELS),

    _b("building_expected", _SITE, _DAY, "kW.h", "Consommation attendue selon la référence", "Consumption expected by the baseline", "Nach der Basis erwarteter Verbrauch", _SAVING),
    _b("building_expected_month", _SITE, _MONTH, "kW.h", "Consommation attendue des jours comparés du mois", "Consumption expected of the month's compared days", "Erwarteter Verbrauch der verglichenen Tage des Monats", _SAVING),
    _b("building_saving", _SITE, _MONTH, "kW.h", "Économie par rapport à la référence", "Saving against the baseline", "Einsparung gegenüber der Basis", _SAVING),
    _b("building_cusum", _SITE, _MONTH, "kW.h", "Cumul des écarts à la référence (CUSUM)", "Cumulative sum of deviations from the baseline (CUSUM)", "Kumulierte Abweichung von der Basis (CUSUM)", _SAVING + "; actual less expected since the baseline's end"),
    _b("building_year_on_year", _SITE, _MONTH, "%", "Évolution sur un an, à climat égal", "Change on the year before, at equal climate", "Veränderung zum Vorjahr, klimabereinigt", "base + (E - base) DJU / DJU of the year before", words=CORRECTED),

    _b("night_base", _SERIES, _DAY, "kW", "Talon nocturne", "Base load of the night", "Nächtliche Grundlast", "lowest hour from 1 to 5 o'clock local time, 75 % of them known"),
    _b("base_load_step", _SERIES, _WEEK, "kW", "Saut du talon nocturne", "Step of the night's base load", "Sprung der nächtlichen Grundlast", "least absolute deviations against the level and trend of 42 nights; interval at 95 %", words=STEP),
)
# fmt: on
