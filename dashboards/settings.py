"""DASHBOARDS_* variables as one frozen dataclass; the database uses PG*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

# The figures that are shown large, most telling first; every other public metric of the
# city follows in a table. Which of them exist is decided by the series a city has.
HEADLINE = (
    "no2", "pm25", "o3", "temperature",
    "bikes", "pedestrians", "vehicles", "parking_free",
    "power", "energy_import", "energy_used", "energy_export",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """What the board needs to know of its surroundings.

    Attributes
    ----------
    host, port
        Where it listens; port 0 lets the system choose one.
    public_address
        What people type to reach it, shown on the screen; empty: not shown.
    name
        Heading of the whole installation; empty: the territory's name where there is one.
    language
        Of a page that asks for none.
    refresh_s
        How often it is asked whether readings came in, while someone looks. [s]
    headline
        Metrics shown large, in this order.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    public_address: str = ""
    name: str = ""
    language: str = "fr"
    refresh_s: float = 0.5
    headline: tuple[str, ...] = HEADLINE

    @classmethod
    def read(
        cls, environment: Mapping[str, str], languages: Sequence[str] = ("fr", "en", "de")
    ) -> Self:
        """From DASHBOARDS_* variables; what is absent or empty keeps its default.

        >>> Settings.read({"DASHBOARDS_PORT": "0", "DASHBOARDS_LANGUAGE": "de"}).language
        'de'
        """
        given = {
            name.removeprefix("DASHBOARDS_").lower(): value
            for name, value in environment.items()
            if name.startswith("DASHBOARDS_") and value
        }
        default = cls()
        language = given.get("language", default.language)
        if language not in languages:
            known = ", ".join(languages)
            raise ValueError(f"DASHBOARDS_LANGUAGE must be one of {known}, got {language!r}")
        headline = given["headline"].split(",") if "headline" in given else default.headline
        return cls(
            host=given.get("host", default.host),
            port=_whole("DASHBOARDS_PORT", given.get("port"), default.port),
            public_address=given.get("public_address", default.public_address),
            name=given.get("name", default.name),
            language=language,
            refresh_s=_positive("DASHBOARDS_REFRESH_S", given.get("refresh_s"), default.refresh_s),
            headline=tuple(metric.strip() for metric in headline),
        )


def _whole(name: str, value: str | None, default: int) -> int:
    if value is None:
        return default
    if not value.isdecimal() or int(value) > 65535:
        raise ValueError(f"{name} must be a whole number from 0 to 65535, got {value!r}")
    return int(value)


def _positive(name: str, value: str | None, default: float) -> float:
    if value is None:
        return default
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < 3600:
        raise ValueError(f"{name} must be a number of seconds above 0, got {value!r}")
    return number
