"""What the Smart Data Models fix about their attributes: which are numbers, and their units.

Only models that a city's sensors send. A unit stands here where the model's own text states
it, so that a message without ``unitCode`` still says it; elsewhere only the sensor list knows.

References
----------
.. [1] Smart Data Models, dataModel.Environment, .Weather, .Transportation, .Energy, .Parking,
   .Device and .Streetlighting: ``<model>/model.yaml``.
"""

from __future__ import annotations

Model = dict[str, str | None]
"""Attribute, which is a number -> its unit, or None where the model states none."""


def _attributes(unit: str | None, names: str) -> Model:
    return dict.fromkeys(names.split(), unit)


_PARTICLES_AND_GASES = _attributes(
    None,
    "as c6h6 cd co co2 ni no no2 nox o3 pb pm1 pm10 pm25 pm4 sh2 so2 tpc tsp"
    " volatileOrganicCompoundsTotal airQualityIndex",
)
_WEATHER = (
    _attributes(None, "temperature windSpeed")
    | _attributes("deg", "windDirection")
    | _attributes("L/m2", "precipitation")
    | _attributes("1", "relativeHumidity")  # 0 to 1, never per cent
)
_ROAD = _attributes("1", "intensity occupancy")  # occupancy: fraction of the time
_ELECTRIC = (
    _attributes(
        "kW.h",
        "activeEnergyExport activeEnergyImport totalActiveEnergyExport totalActiveEnergyImport",
    )
    | _attributes(
        "kV.A.h",
        "apparentEnergyExport apparentEnergyImport totalApparentEnergyExport"
        " totalApparentEnergyImport",
    )
    | _attributes(
        "kvar.h",
        "reactiveEnergyExport reactiveEnergyImport totalReactiveEnergyExport"
        " totalReactiveEnergyImport",
    )
    | _attributes("W", "activePower totalActivePower")
    | _attributes("V.A", "apparentPower totalApparentPower")
    | _attributes("var", "reactivePower totalReactivePower")
    | _attributes("A", "current")
    | _attributes("V", "phaseVoltage phaseToPhaseVoltage")
    | _attributes("Hz", "frequency")
    | _attributes(
        "1",
        "powerFactor totalPowerFactor displacementPowerFactor totalDisplacementPowerFactor"
        " thdCurrent thdVoltage",
    )
)
_PARKING = _attributes(
    "1",
    "availableSpotNumber occupiedSpotNumber totalSpotNumber extraSpotNumber"
    " outOfServiceSlotNumber vehicleEntranceCount vehicleExitCount occupancy",
)

MODELS: dict[str, Model] = {
    "AirQualityObserved": _PARTICLES_AND_GASES
    | _WEATHER
    | {"pressure": "hPa", "charge": "V", "reliability": "1"},
    "WeatherObserved": _WEATHER
    | _attributes("hPa", "atmosphericPressure")
    | _attributes("Cel", "dewPoint")
    | _attributes("lx", "illuminance")
    | _attributes("cm", "snowHeight streamGauge")
    | _attributes("W/m2", "solarRadiation directIrradiation diffuseIrradiation")
    | _attributes(None, "feelsLikeTemperature gustSpeed uVIndexMax airQualityIndex"),
    "IndoorEnvironmentObserved": _attributes(
        None, "atmosphericPressure co2 illuminance relativeHumidity temperature"
    )
    | _attributes("1", "peopleCount"),
    "NoiseLevelObserved": _attributes("dB", "LAS LAeq LAeq_d LAmax"),
    "TrafficFlowObserved": _ROAD
    | _attributes("km/h", "averageVehicleSpeed")
    | _attributes("m", "averageVehicleLength averageGapDistance")
    | _attributes("s", "averageHeadwayTime")
    | _attributes("1", "laneId"),
    "ItemFlowObserved": _ROAD
    | _attributes("1", "laneId")
    | _attributes(
        None,
        "averageGapDistance averageHeadwayTime averageLength averageSpeed maxSpeed minSpeed",
    ),
    "CrowdFlowObserved": _attributes(
        "1", "peopleCount peopleCountAway peopleCountTowards occupancy"
    )
    | _attributes("km/h", "averageCrowdSpeed")
    | _attributes("s", "averageHeadwayTime"),
    "ThreePhaseAcMeasurement": _ELECTRIC,
    "ACMeasurement": _ELECTRIC,
    "OffStreetParking": _PARKING,
    "OnStreetParking": _PARKING,
    "BikeHireDockingStation": _attributes(
        "1", "availableBikeNumber freeSlotNumber outOfServiceSlotNumber totalSlotNumber"
    ),
    "SmartMeteringObservation": _attributes(
        None, "totalConsumption peakConsumption offPeakConsumption"
    )
    | _attributes("1", "powerFactor"),
    "Streetlight": _attributes("1", "illuminanceLevel powerFactor")
    | _attributes(None, "current voltage powerConsumption lifetimePowerConsumption"),
    "StreetlightControlCabinet": _attributes(
        "kW", "activePowerR activePowerS activePowerT totalActivePower"
    )
    | _attributes("kvar", "reactivePowerR reactivePowerS reactivePowerT totalReactivePower")
    | _attributes("A", "intensityR intensityS intensityT")
    | _attributes("V", "voltageR voltageS voltageT")
    | _attributes("kW.h", "energyConsumed lastMeterReading")
    | _attributes("kvar.h", "reactiveEnergyConsumed")
    | _attributes("Hz", "frequency")
    | _attributes("1", "cosPhi powerFactorR powerFactorS powerFactorT"),
}

ASIDE: frozenset[str] = frozenset({
    "reliability", "charge", "batteryLevel", "rssi", "laneId", "sensorHeight",
    "totalSpotNumber", "totalSlotNumber", "maximumAllowedHeight", "maximumAllowedWidth",
    "averageSpotLength", "averageSpotWidth", "firstAvailableFloor", "highestFloor", "lowestFloor",
    "measuresPeriod", "priceRatePerMinute", "lanternHeight", "powerRating",
    "maximumPowerAvailable", "meterReadingPeriod", "energyCost",
})  # fmt: skip
"""Numbers that describe the device, the place or the observation, and measure nothing."""

PASSED_OVER: frozenset[str] = frozenset({
    "id", "type", "@context", "scope", "location", "address", "areaServed", "municipalityInfo",
    "contactPoint", "owner", "source", "dataProvider", "name", "alternateName", "description",
    "seeAlso", "image", "postalCode", "dateCreated", "dateModified", "createdAt", "modifiedAt",
    "TimeInstant", "dateObserved", "dateObservedFrom", "dateObservedTo", "observationDateTime",
    "observedAt", "timestamp",
})  # fmt: skip
"""Attributes of every entity that say who, where and when, never how much."""
