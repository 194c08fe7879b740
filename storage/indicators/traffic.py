"""Motor traffic: flow, speed, occupancy, peak hours."""

from __future__ import annotations

from storage.catalogue import Domain
from storage.indicators.word import Indicator, Period, Subject

_HCM = "Transportation Research Board, Highway Capacity Manual"
_CEREMA = "Cerema, road congestion indicators: T / T_free - 1"
_WARDROP = "Wardrop 1952, Some theoretical aspects of road traffic research"
_PARIS = "Ville de Paris, comptage routier permanent: etat_trafic"


def _t(
    name: str, period: Period, unit: str, fr: str, en: str, de: str, source: str, *,
    subject: Subject = Subject.SERIES, methods: tuple[str, ...] = ("1",),
    words: tuple[str, ...] = (), bits: bool = False,
) -> Indicator:  # fmt: skip
    return Indicator(
        name, Domain.MOBILITY, subject, period, unit, {"fr": fr, "en": en, "de": de}, source,
        methods, words, bits,
    )  # fmt: skip


_HOUR, _DAY = Period.HOUR, Period.DAY
_SPEEDS = ("weighted by counts", "of single vehicles", "every quarter-hour alike")

# fmt: off
TRAFFIC: tuple[Indicator, ...] = (
    _t("flow_rate", _HOUR, "h-1", "Débit", "Flow rate", "Verkehrsstärke", _HCM,
       methods=("as counted, scaled where a quarter or less is missing",)),
    _t("passenger_car_flow", _HOUR, "h-1", "Débit en UVP", "Flow in passenger car units", "Verkehrsstärke in Pkw-Einheiten", "Cerema: unité de véhicule particulier"),
    _t("road_occupancy", _HOUR, "%", "Taux d'occupation de la route", "Occupancy of the road", "Belegungsgrad der Straße", _HCM, subject=Subject.SITE,
       methods=("plain mean of lanes",)),
    _t("traffic_state", _HOUR, "1", "État du trafic", "State of traffic", "Verkehrszustand", _PARIS,
       words=("unknown", "free-flowing", "close to saturation", "saturated", "blocked")),
    _t("traffic_density", _HOUR, "km-1", "Densité estimée", "Estimated density", "Geschätzte Verkehrsdichte", "Gerlough and Huber 1975, Traffic Flow Theory: k = o / (L + l)",
       methods=("from occupancy",)),
    _t("level_of_service", _HOUR, "1", "Niveau de service", "Level of service", "Verkehrsqualitätsstufe", _HCM + ", basic freeway segments",
       words=("unknown", "A", "B", "C", "D", "E", "F")),
    _t("peak_hour_volume", _DAY, "1", "Trafic de l'heure de pointe", "Peak hour volume", "Verkehr der Spitzenstunde", _HCM,
       methods=("sixty minutes sliding by quarter-hours", "clock hours")),
    _t("peak_hour_factor", _DAY, "1", "Facteur d'heure de pointe", "Peak hour factor", "Spitzenstundenfaktor", _HCM + ": V / (4 V15)"),
    _t("peak_quarter_flow", _DAY, "h-1", "Débit du quart d'heure de pointe", "Flow rate of the busiest quarter-hour", "Verkehrsstärke der Spitzenviertelstunde", _HCM),
    _t("peak_hour_headway", _DAY, "s", "Temps intervéhiculaire en heure de pointe", "Headway in the peak hour", "Zeitlücke brutto in der Spitzenstunde", _HCM),
    _t("peak_hour_gap", _DAY, "s", "Créneau en heure de pointe", "Gap in the peak hour", "Zeitlücke netto in der Spitzenstunde", _HCM),
    _t("heavy_share", _DAY, "%", "Part des poids lourds", "Share of heavy vehicles", "Schwerverkehrsanteil", "Cerema: %PL"),
    _t("time_mean_speed", _DAY, "km/h", "Vitesse moyenne temporelle", "Time-mean speed", "Mittlere lokale Geschwindigkeit", _WARDROP, methods=_SPEEDS),
    _t("space_mean_speed", _DAY, "km/h", "Vitesse moyenne spatiale", "Space-mean speed", "Mittlere momentane Geschwindigkeit", _WARDROP, methods=_SPEEDS),
    _t("v85", _DAY, "km/h", "Vitesse V85", "85th percentile speed (V85)", "Geschwindigkeit V85", "OpenComptage, comptages/core/statistics.py: quantile 0.85, lower",
       methods=("lower of two speeds, in free flow, by a sketch within 1 %",),
       words=("interval means, not single vehicles", "free flow could not be told"), bits=True),
    _t("free_flow_speed", _DAY, "km/h", "Vitesse à vide", "Free-flow speed", "Freie Geschwindigkeit", _CEREMA,
       methods=("85th percentile of the night hours of fourteen days",)),
    _t("congestion_index", _DAY, "1", "Indice de congestion", "Congestion index", "Stauindex", _CEREMA),
    _t("peak_congestion_index", _DAY, "1", "Indice de congestion de l'heure la plus lente", "Congestion index of the slowest hour", "Stauindex der langsamsten Stunde", _CEREMA),
    _t("congested_hours", _DAY, "h", "Heures de congestion", "Hours of congestion", "Staustunden", _CEREMA),
)
# fmt: on
