"""The recorded files once more, computed without a line of ours.

What is replayed through broker, collector, database and processors must come out as what
pandas makes of the same files here. Nothing of the repository is imported, and nothing of
the mappings is read: columns, units, clocks and zones are stated a second time.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

KM_PER_MILE = 1.609344
KWH_PER_THERM = 105_505_600 / 3_600_000  # the therm of 1e5 Btu, 1055.056 J each
MISSING = {"", "nan", "NaN"}


@dataclass(frozen=True)
class Recorded:
    """One data set: what its files say, in the metrics' canonical units.

    ``readings`` has columns sensor, metric, time (UTC), value, in file order; ``missing``
    counts cells that say nothing; ``zone`` is the clock of its days by sensor.
    """

    files: tuple[str, ...]
    mapping: str
    readings: pd.DataFrame
    missing: int
    step_s: int
    zone: dict[str, str]


def _text(path: Path, **options: object) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False, **options)  # type: ignore[call-overload,no-any-return]


def _frame(
    sensor: object, metric: object, time: pd.Series, cells: pd.Series, scale: float = 1.0
) -> tuple[pd.DataFrame, int]:
    """Readings of one column, and how many of its cells are missing."""
    frame = pd.DataFrame({"sensor": sensor, "metric": metric, "time": time, "cell": cells})
    gone = frame.cell.isin(MISSING)
    kept = frame[~gone]
    value = kept.cell.astype(float) * scale
    return kept.drop(columns="cell").assign(value=value), int(gone.sum())


def _utc(cells: pd.Series) -> pd.Series:
    return pd.to_datetime(cells, utc=True).dt.as_unit("us")


def _local(cells: pd.Series, form: str, zone: str) -> pd.Series:
    """Wall clock to UTC: the first pass in autumn; what never was in spring is left out."""
    naive = pd.to_datetime(cells, format=form)
    first_pass = np.ones(len(naive), bool)
    there = naive.dt.tz_localize(zone, ambiguous=first_pass, nonexistent="NaT")
    return there.dt.tz_convert("UTC").dt.as_unit("us")


def _wide(
    files: tuple[Path, ...],
    mapping: str,
    columns: dict[str, tuple[str, str, float]],
    clock: Callable[[pd.DataFrame], pd.Series],
    step_s: int,
    zone: str,
    **options: object,
) -> Recorded:
    frames, missing = [], 0
    for file in files:
        table = _text(file, **options)
        time = clock(table)
        for column, (sensor, metric, scale) in columns.items():
            frame, gone = _frame(sensor, metric, time, table[column].fillna(""), scale)
            frames.append(frame)
            missing += gone
    readings = pd.concat(frames, ignore_index=True)
    zones = {sensor: zone for sensor, _, _ in columns.values()}
    return Recorded(_names(files), mapping, readings, missing, step_s, zones)


def _names(files: tuple[Path, ...]) -> tuple[str, ...]:
    return tuple(f"{file.parent.name}/{file.name}" for file in files)


def ecocompteur(data: Path) -> Recorded:
    """Channels by day; what they count and where they stand is in other files beside."""
    folder = data / "ecocompteur-loire-2022"
    measure, channel = _text(folder / "measure.csv"), _text(folder / "channel.csv")
    kind = channel.set_index("channel_id").mobility_type.map(
        {"BIKE": "bikes", "PEDESTRIAN": "pedestrians"}
    )
    readings, missing = _frame(
        measure.channel_id,
        measure.channel_id.map(kind),
        _utc(measure.start_datetime),
        measure["count"],
    )
    zone = dict.fromkeys(measure.channel_id, "Europe/Paris")
    return Recorded(
        _names((folder / "measure.csv",)), "ecocompteur", readings, missing, 86400, zone
    )


def eemeter_electricity(data: Path) -> Recorded:
    file = data / "eemeter-il-known-truth" / "il-electricity-cdd-hdd-daily.csv.gz"
    columns = {"value": ("il-electricity-cdd-hdd-daily", "energy_used", 1.0)}
    return _wide(
        (file,), "eemeter-electricity", columns, lambda t: _utc(t.start), 86400, "America/Chicago"
    )


def eemeter_gas(data: Path) -> Recorded:
    file = data / "eemeter-il-known-truth" / "il-gas-hdd-only-daily.csv.gz"
    columns = {"value": ("il-gas-hdd-only-daily", "energy_used", KWH_PER_THERM)}
    return _wide((file,), "eemeter-gas", columns, lambda t: _utc(t.start), 86400, "America/Chicago")


def eemeter_temperature(data: Path) -> Recorded:
    file = data / "eemeter-il-known-truth" / "il-tempF.csv.gz"
    columns = {"tempF": ("usaf-724390", "temperature", 1.0)}
    found = _wide(
        (file,), "eemeter-temperature", columns, lambda t: _utc(t.dt), 3600, "America/Chicago"
    )
    found.readings["value"] = (found.readings.value - 32) * 5 / 9
    return found


def montreal_bikes(data: Path) -> Recorded:
    """Read with the csv module: most rows end before the last column does."""
    file = data / "montreal-bikes-2012" / "bikes.csv"
    with file.open(encoding="latin-1", newline="") as lines:
        header, *rows = list(csv.reader(lines, delimiter=";"))
    table = pd.DataFrame([row + [""] * (len(header) - len(row)) for row in rows], columns=header)
    time = _local(table.Date, "%d/%m/%Y", "America/Toronto")
    parts = [_frame(name.split(" (")[0], "bikes", time, table[name]) for name in header[1:]]
    return Recorded(
        _names((file,)),
        "montreal-bikes",
        pd.concat([frame for frame, _ in parts], ignore_index=True),
        sum(gone for _, gone in parts),
        86400,
        {name.split(" (")[0]: "America/Toronto" for name in header[1:]},
    )


def montreal_weather(data: Path) -> Recorded:
    """Local standard time is five hours behind UTC all year."""
    station = "montreal-weather"
    columns = {
        "Temp (C)": (station, "temperature", 1.0),
        "Dew Point Temp (C)": (station, "dew_point", 1.0),
        "Rel Hum (%)": (station, "humidity", 1.0),
        "Wind Spd (km/h)": (station, "wind_speed", 1 / 3.6),
        "Visibility (km)": (station, "visibility", 1.0),
        "Stn Press (kPa)": (station, "pressure", 10.0),
    }
    return _wide(
        (data / "montreal-weather-2012" / "weather_2012.csv",),
        "montreal-weather",
        columns,
        lambda table: _utc(table["Date/Time"] + "-05:00"),
        3600,
        "America/Toronto",
    )


def muenster(data: Path) -> Recorded:
    folder = data / "muenster-parking"
    files = tuple(sorted(folder.glob("*.csv")))
    parks = _text(files[0]).columns[1:]
    return _wide(
        files,
        "muenster",
        {name: (name, "parking_free", 1.0) for name in parks},
        lambda table: _local(table["Datum und Uhrzeit"], "%Y-%m-%d %H:%M", "Europe/Berlin"),
        900,
        "Europe/Berlin",
    )


def _nab(data: Path, name: str, mapping: str, metric: str, scale: float, step_s: int) -> Recorded:
    return _wide(
        (data / "nab-twin-cities-traffic" / f"{name}.csv",),
        mapping,
        {"value": (name, metric, scale)},
        lambda table: _local(table.timestamp, "%Y-%m-%d %H:%M:%S", "America/Chicago"),
        step_s,
        "America/Chicago",
    )


def nab_travel_time(data: Path) -> Recorded:
    return _nab(data, "TravelTime_387", "nab-travel-time", "travel_time", 1.0, 600)


def nab_occupancy(data: Path) -> Recorded:
    return _nab(data, "occupancy_6005", "nab-occupancy", "occupancy", 1.0, 300)


def nab_speed(data: Path) -> Recorded:
    return _nab(data, "speed_6005", "nab-speed", "speed", KM_PER_MILE, 300)


def openaq(data: Path) -> Recorded:
    """Both files; the last row of the first one breaks off after its value."""
    folder = data / "openaq-paris-antwerp-london"
    files = tuple(folder / f"air_quality_{name}_long.csv" for name in ("no2", "pm25"))
    table = pd.concat([_text(file) for file in files], ignore_index=True)
    readings, missing = _frame(
        table.location, table.parameter, _utc(table["date.utc"]), table["value"]
    )
    zone = {
        "FR04014": "Europe/Paris",
        "BETR801": "Europe/Brussels",
        "London Westminster": "Europe/London",
    }
    return Recorded(_names(files), "openaq", readings, missing, 3600, zone)


def paris(data: Path) -> Recorded:
    file = next((data / "paris-loops-snapshot").glob("*.json"))
    arcs = json.loads(file.read_text("utf-8"))
    rows = [
        (arc["iu_ac"], metric, arc["t_1h"], arc[field])
        for arc in arcs
        for field, metric in (("q", "flow"), ("k", "occupancy"))
    ]
    kept = [row for row in rows if row[3] is not None]
    readings = pd.DataFrame(kept, columns=["sensor", "metric", "time", "value"])
    readings["time"] = _utc(readings.time)
    zone = {arc["iu_ac"]: "Europe/Paris" for arc in arcs}
    return Recorded(_names((file,)), "paris", readings, len(rows) - len(kept), 3600, zone)


def rte(data: Path) -> Recorded:
    return _wide(
        (data / "rte-france-load-2017-2018" / "load_rte.csv",),
        "rte",
        {"y": ("rte-load", "power", 1000.0)},
        lambda table: _utc(table.ds),
        3600,
        "UTC",
    )


def seattle(data: Path) -> Recorded:
    return _wide(
        (data / "seattle-fremont-2016" / "fremont_2016.csv",),
        "seattle",
        {
            "Fremont Bridge East Sidewalk": ("fremont-east", "bikes", 1.0),
            "Fremont Bridge West Sidewalk": ("fremont-west", "bikes", 1.0),
        },
        lambda table: _local(table.Date, "%m/%d/%Y %I:%M:%S %p", "America/Los_Angeles"),
        3600,
        "America/Los_Angeles",
    )


def valencia(data: Path) -> Recorded:
    renamed = {"veloc.": "wind_speed", "direc.": "wind_direction", "pm2.5": "pm25"}
    names = ("so2", "co", "no", "no2", "pm10", "nox", "o3", "veloc.", "direc.", "pm2.5")
    return _wide(
        (data / "valencia-air-2022" / "air_quality_valencia_2022.csv",),
        "valencia",
        {name: ("valencia-air", renamed.get(name, name), 1.0) for name in names},
        lambda table: _utc(table.datetime),
        3600,
        "UTC",
    )


def yosemite(data: Path) -> Recorded:
    return _wide(
        (data / "yosemite-temps-5min" / "yosemite_temps.csv",),
        "yosemite",
        {"y": ("yosemite-temperature", "temperature", 1.0)},
        lambda table: _local(table.ds, "%Y-%m-%d %H:%M:%S", "America/Los_Angeles"),
        300,
        "America/Los_Angeles",
    )


DATA_SETS: dict[str, Callable[[Path], Recorded]] = {
    one.__name__: one
    for one in (
        ecocompteur, eemeter_electricity, eemeter_gas, eemeter_temperature, montreal_bikes,
        montreal_weather, muenster, nab_travel_time, nab_occupancy, nab_speed, openaq, paris, rte,
        seattle, valencia, yosemite,
    )
}  # fmt: skip
"""Every recorded data set, by name."""

KEY = ["sensor", "metric", "start"]


def windows(recorded: Recorded, length: str) -> pd.DataFrame:
    """Readings with the start of their window: ``15min``, ``h``, or ``D`` for a local day."""
    readings = recorded.readings.sort_values("time", kind="stable")
    if length != "D":
        return readings.assign(start=readings.time.dt.floor(length))
    zone = readings.sensor.map(recorded.zone)
    parts = [
        part.assign(start=part.time.dt.tz_convert(name).dt.normalize().dt.tz_convert("UTC"))
        for name, part in readings.groupby(zone)
    ]
    return pd.concat(parts)


def summaries(recorded: Recorded, length: str) -> pd.DataFrame:
    """Count, sum, min, max, first, last, mean, squared deviations by sensor, metric, window.

    Directions have no such numbers: they have sums of cosines and sines, ``x`` and ``y``.
    """
    placed = windows(recorded, length)
    radians = np.deg2rad(placed["value"])
    placed = placed.assign(x=np.cos(radians), y=np.sin(radians))
    groups = placed.groupby(KEY)["value"]
    table = groups.agg(["count", "sum", "min", "max", "first", "last", "mean"])
    deviation = placed["value"] - groups.transform("mean")
    table["m2"] = (deviation**2).groupby([placed[name] for name in KEY]).sum()
    parts = placed.groupby(KEY)[["x", "y"]].sum()
    angle = table.index.get_level_values("metric") == "wind_direction"
    table["x"] = parts.x.where(angle)
    table["y"] = parts.y.where(angle)
    table.loc[angle, ["sum", "min", "max", "mean", "m2"]] = np.nan
    return table


def ranked(recorded: Recorded, length: str) -> tuple[np.ndarray, np.ndarray]:
    """The values of every window, ascending, and where each window's begin; n + 1 borders.

    Windows are in the order of :func:`summaries`; directions, which have no order, are left out.
    """
    placed = windows(recorded, length)
    placed = placed[placed.metric != "wind_direction"].sort_values([*KEY, "value"])
    size = placed.groupby(KEY).size().to_numpy()
    return placed["value"].to_numpy(), np.concatenate(([0], np.cumsum(size)))
