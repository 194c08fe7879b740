"""How good the air of each territory is today: the French index of the day where it holds, else
the European one of the newest hour. Computed here from the city's sensors; not official."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg
from babel.core import get_global

from dashboards.board.language import Language

FRENCH, EUROPEAN = "atmo_territory", "eaqi"
"""Names of the indicators, below ``/method/`` as well."""

STEP_S = 3600.0
"""Both are made anew with every hour that is over. [s]"""

# The parts of France where the decree on the index holds, as time zones name them.
_FRANCE = frozenset({"FR", "GF", "GP", "MQ", "RE", "YT"})


# Today's French index of every territory, as far as the day has come.
_DAY = """
SELECT territory, start, stop, value, n, due, status, words, indicative
  FROM board.air_figures
 WHERE indicator = 'atmo_territory'
   AND start > $1::timestamptz - interval '26 hours' AND start <= $1 AND stop > $1
   AND value IS NOT NULL
"""

# Every site's newest European index of an hour that is over.
_HOUR = """
SELECT DISTINCT ON (territory, site)
       territory, start, stop, value, n, due, status, words, indicative, site, site_name
  FROM board.air_figures
 WHERE indicator = 'eaqi'
   AND start > $1::timestamptz - interval '24 hours' AND start <= $1 AND stop <= $1
   AND value IS NOT NULL
 ORDER BY territory, site, start DESC
"""


class AirIndex(NamedTuple):
    """The index of one territory.

    Attributes
    ----------
    indicator
        FRENCH or EUROPEAN.
    start, stop
        The day or the hour that it is of.
    at
        Until when measurements speak in it.
    value
        Class 1 (good) to 6.
    n, due, status
        Pollutants it is made of, and how many there should be; complete or partial.
    dominant
        Pollutants that give it its class.
    site, site_name
        Where that was, of the European index: the worst site; else empty.
    sites
        Sites with an index in that hour; 0 where none.
    indicative
        Made, even in part, from instruments that are not of reference quality.
    """

    territory: str
    indicator: str
    start: datetime
    stop: datetime
    at: datetime
    value: int
    n: int
    due: int
    status: str
    dominant: tuple[str, ...]
    site: str
    site_name: str
    sites: int
    indicative: bool


def is_french(timezone: str) -> bool:
    """Whether the French index holds in that time zone.

    >>> is_french("Europe/Paris"), is_french("Indian/Reunion"), is_french("Europe/Berlin")
    (True, True, False)
    """
    return get_global("zone_territories").get(timezone) in _FRANCE


async def read(connection: asyncpg.Connection, now: datetime) -> dict[str, AirIndex]:
    """Today's index by territory; a territory without one is left out."""
    return (await read_both(connection, now))[0]


async def read_both(
    connection: asyncpg.Connection, now: datetime
) -> tuple[dict[str, AirIndex], dict[str, AirIndex]]:
    """Today's index by territory, and the European one alone, by which all can be compared."""
    territories = await connection.fetch("SELECT territory, timezone FROM board.territories")
    french = [tuple(row) for row in await connection.fetch(_DAY, now)]
    european = [tuple(row) for row in await connection.fetch(_HOUR, now)]
    zones = {row[0]: row[1] for row in territories}
    return choose(french, european, zones, now), choose((), european, zones, now)


def choose(
    french: Iterable[Sequence[Any]],
    european: Iterable[Sequence[Any]],
    zones: Mapping[str, str],
    now: datetime,
) -> dict[str, AirIndex]:
    """One index per territory from rows as the statements give them."""
    sites: defaultdict[str, list[Sequence[Any]]] = defaultdict(list)
    for row in european:
        sites[row[0]].append(row)
    found: dict[str, AirIndex] = {}
    for territory, rows in sites.items():
        newest = max(row[1] for row in rows)
        there = [row for row in rows if row[1] == newest]
        worst = max(there, key=lambda row: (row[3], row[9]))
        found[territory] = _index(worst, EUROPEAN, worst[2], str(worst[9]), str(worst[10]),
                                  len(there))  # fmt: skip
    for row in french:
        if is_french(zones.get(row[0], "")):
            hour = found.get(row[0])
            at = max(hour.at, row[1]) if hour else row[1]
            found[row[0]] = _index(row, FRENCH, min(at, now), "", "", hour.sites if hour else 0)
    return found


def _index(row: Sequence[Any], indicator: str, at: datetime, site: str, site_name: str, sites: int
           ) -> AirIndex:  # fmt: skip
    return AirIndex(
        row[0], indicator, row[1], row[2], at, int(row[3]), row[4], row[5], row[6],
        dominant(row[7]), site, site_name, sites, row[8],
    )  # fmt: skip


def dominant(words: Iterable[str]) -> tuple[str, ...]:
    """The pollutants that give the class, of the words of a figure.

    >>> dominant(["dominant o3", "dominant pm25", "used no2", "used o3"])
    ('o3', 'pm25')
    """
    return tuple(word.removeprefix("dominant ") for word in words if word.startswith("dominant "))


def class_word(indicator: str, value: int, language: Language) -> str:
    """What a class is called.

    >>> from dashboards.board.language import language
    >>> class_word(FRENCH, 3, language("en")), class_word(EUROPEAN, 3, language("en"))
    ('degraded', 'moderate')
    """
    if indicator == FRENCH:
        return (
            language.say("good"), language.say("average"), language.say("degraded"),
            language.say("bad"), language.say("very bad"), language.say("extremely bad"),
        )[value - 1]  # fmt: skip
    return (
        language.say("good"), language.say("fair"), language.say("moderate"),
        language.say("poor"), language.say("very poor"), language.say("extremely poor"),
    )[value - 1]  # fmt: skip


def pollutant_word(name: str, language: Language) -> str:
    """What a pollutant is called by people who are no chemists.

    >>> from dashboards.board.language import language
    >>> pollutant_word("pm25", language("en"))
    'fine particles (PM2.5)'
    """
    return {
        "no2": language.say("nitrogen dioxide (NO₂)"),
        "o3": language.say("ozone (O₃)"),
        "pm10": language.say("particles (PM10)"),
        "pm25": language.say("fine particles (PM2.5)"),
        "so2": language.say("sulphur dioxide (SO₂)"),
    }.get(name, name)


def dominant_words(index: AirIndex, language: Language) -> str:
    """The dominant pollutants in words, in the order of the index; empty where there is none."""
    return ", ".join(pollutant_word(name, language) for name in index.dominant)
