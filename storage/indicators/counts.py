"""Counted over a year: AADT, weekday profiles, bikes, people, parking, shared vehicles."""

from __future__ import annotations

from storage.catalogue import Domain
from storage.indicators.word import Indicator, Period, Subject

_TMG = "Federal Highway Administration, Traffic Monitoring Guide (2022)"
_AASHTO = f"{_TMG}, appendix L: 84 cells of month and weekday"
_DESIGN = f"{_TMG}, chapter 3: design hour"
_COUNTING = "Schéma « comptage des mobilités » (etalab): 0 is nobody passed, empty is not counted"
_TYPICAL = (
    "Mean of whole hours of a year; hour k of the profile stands in the k-th hour of the year"
)
_PARKING = "Smart Data Models, OffStreetParking; time-weighted, a reading holds at most two steps"
_STATION = "General Bikeshare Feed Specification 3.0, station_status; time-weighted"

_DAYS = ("every-slot-1", "accepted-hours-1")
_CALENDAR = ("working-days-1", "monday-to-friday-1")
_PLACES = ("clamped", "capacity unknown", "nobody counts", "leaps to 0")


def _i(
    name: str,
    subject: Subject,
    period: Period,
    unit: str,
    fr: str,
    en: str,
    de: str,
    source: str,
    methods: tuple[str, ...] = ("1",),
    words: tuple[str, ...] = (),
) -> Indicator:
    labels = {"fr": fr, "en": en, "de": de}
    return Indicator(
        name, Domain.MOBILITY, subject, period, unit, labels, source, methods, words, bool(words)
    )


_SERIES, _SITE = Subject.SERIES, Subject.SITE
_HOUR, _DAY, _MONTH, _YEAR = Period.HOUR, Period.DAY, Period.MONTH, Period.YEAR

# fmt: off
COUNTS: tuple[Indicator, ...] = (
    _i("day_count", _SERIES, _DAY, "1", "Passages du jour", "Count of the day", "Zählung des Tages", _COUNTING, _DAYS, ("long run of zeros",)),
    _i("aadt_simple", _SERIES, _YEAR, "d-1", "TMJA, moyenne simple", "AADT, simple mean", "DTV, einfaches Mittel", f"{_TMG}, chapter 3: mean of the whole days", _DAYS),
    _i("aadt", _SERIES, _YEAR, "d-1", "TMJA, trafic moyen journalier annuel", "AADT, annual average daily traffic", "DTV, durchschnittliche tägliche Verkehrsstärke", _AASHTO, _DAYS),
    _i("aadt_hourly", _SERIES, _YEAR, "d-1", "TMJA par heures", "AADT from hours", "DTV aus Stunden", f"{_TMG}, chapter 3: mean of hour, weekday and month, days that lack hours included"),
    _i("aadt_working_days", _SERIES, _YEAR, "d-1", "TMJO, trafic moyen des jours ouvrés", "Average traffic of working days", "DTVw, mittlerer Werktagsverkehr", "Mean of the whole working days: Monday to Friday without public holidays", _CALENDAR),
    _i("site_aadt_vehicles", _SITE, _YEAR, "d-1", "TMJA du site, véhicules", "AADT of the site, vehicles", "DTV des Querschnitts, Fahrzeuge", _AASHTO, _DAYS),
    _i("site_aadt_bikes", _SITE, _YEAR, "d-1", "TMJA du site, vélos", "AADT of the site, bicycles", "DTV des Querschnitts, Fahrräder", _AASHTO, _DAYS),
    _i("site_aadt_pedestrians", _SITE, _YEAR, "d-1", "TMJA du site, piétons", "AADT of the site, pedestrians", "DTV des Querschnitts, zu Fuß Gehende", _AASHTO, _DAYS),
    _i("aadt_heavy_share", _SITE, _YEAR, "%", "Part des poids lourds sur l'année", "Share of heavy vehicles over the year", "Schwerverkehrsanteil im Jahr", "Sums over the days on which all and heavy vehicles were counted as a whole", _DAYS),

    _i("profile_working_day", _SERIES, _HOUR, "h-1", "Profil d'un jour ouvré", "Profile of a working day", "Ganglinie eines Werktags", _TYPICAL, _CALENDAR),
    _i("profile_saturday", _SERIES, _HOUR, "h-1", "Profil d'un samedi", "Profile of a Saturday", "Ganglinie eines Samstags", _TYPICAL, _CALENDAR),
    _i("profile_sunday_holiday", _SERIES, _HOUR, "h-1", "Profil d'un dimanche ou jour férié", "Profile of a Sunday or public holiday", "Ganglinie eines Sonn- oder Feiertags", _TYPICAL, _CALENDAR),
    _i("profile_school_term", _SERIES, _HOUR, "h-1", "Profil d'un jour ouvré hors vacances scolaires", "Profile of a working day in school term", "Ganglinie eines Werktags in der Schulzeit", _TYPICAL),
    _i("profile_school_holidays", _SERIES, _HOUR, "h-1", "Profil d'un jour ouvré en vacances scolaires", "Profile of a working day in school holidays", "Ganglinie eines Werktags in den Schulferien", _TYPICAL),
    _i("profile_week", _SERIES, _HOUR, "h-1", "Profil d'une semaine", "Profile of a week", "Wochenganglinie", f"{_TYPICAL}, from Monday 00:00"),
    _i("weekday_peak_hour", _SERIES, _YEAR, "h", "Heure de pointe des jours ouvrés", "Peak hour of working days", "Spitzenstunde der Werktage", "Local hour in which the profile of a working day is highest", _CALENDAR),

    _i("design_hour_volume", _SITE, _YEAR, "h-1", "Débit de la 30e heure la plus chargée", "Volume of the 30th highest hour", "Verkehrsstärke der 30. Spitzenstunde", _DESIGN),
    _i("k30", _SITE, _YEAR, "1", "Facteur K de la 30e heure", "K factor of the 30th hour", "K-Faktor der 30. Stunde", _DESIGN),
    _i("k_max", _SITE, _YEAR, "1", "Facteur K de l'heure la plus chargée", "K factor of the highest hour", "K-Faktor der höchsten Stunde", _DESIGN),
    _i("d_factor", _SITE, _YEAR, "1", "Part du sens le plus chargé (D)", "Share of the stronger direction (D)", "Anteil der stärkeren Richtung (D)", _DESIGN),
    _i("ddhv", _SITE, _YEAR, "h-1", "Débit de dimensionnement par sens", "Directional design hour volume", "Bemessungsverkehrsstärke je Richtung", f"{_DESIGN}, AADT by K by D"),

    _i("imbalance_vehicles", _SITE, _MONTH, "1", "Écart entre les deux sens, véhicules", "Imbalance of directions, vehicles", "Ungleichgewicht der Richtungen, Fahrzeuge", "|in - out| / (in + out) over the days counted as a whole both ways"),
    _i("imbalance_bikes", _SITE, _MONTH, "1", "Écart entre les deux sens, vélos", "Imbalance of directions, bicycles", "Ungleichgewicht der Richtungen, Fahrräder", "|in - out| / (in + out) over the days counted as a whole both ways"),
    _i("imbalance_pedestrians", _SITE, _MONTH, "1", "Écart entre les deux sens, piétons", "Imbalance of directions, pedestrians", "Ungleichgewicht der Richtungen, zu Fuß Gehende", "|in - out| / (in + out) over the days counted as a whole both ways"),

    _i("parking_occupancy", _SERIES, _DAY, "%", "Taux d'occupation du parking", "Occupancy of the car park", "Belegung des Parkhauses", _PARKING, words=_PLACES),
    _i("parking_minutes_full", _SERIES, _DAY, "min", "Durée au-dessus de 90 % d'occupation", "Time above 90 % occupancy", "Zeit über 90 % Belegung", f"{_PARKING}; the limit is full_percent of the city's facts", words=_PLACES),
    _i("station_vehicles", _SERIES, _DAY, "1", "Vélos en station, moyenne du jour", "Bikes at the station, mean of the day", "Räder an der Station, Tagesmittel", _STATION),
    _i("station_empty_share", _SERIES, _DAY, "%", "Part du temps sans vélo", "Share of time without a bike", "Zeitanteil ohne Rad", _STATION),
    _i("station_full_share", _SERIES, _DAY, "%", "Part du temps sans place libre", "Share of time without a free dock", "Zeitanteil ohne freien Platz", _STATION),
    _i("station_movements", _SERIES, _DAY, "1", "Mouvements de vélos, au moins", "Bike movements, at least", "Radbewegungen, mindestens", f"{_STATION}; sum of changes between readings, a lower bound"),
)
# fmt: on
