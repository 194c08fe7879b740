"""The European index of every hour and the French one of every day, and when."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.air import atmo, eaqi
from processors.air.bands import ATMO_SINCE
from processors.air.best_hours import ASKING, READS, best_hours
from processors.air.days import by_day
from processors.air.hours import heard
from processors.air.instruments import indicative
from processors.air.worst import Worst, worst
from processors.calculation import Calculation, Given, Together
from processors.windows import first_instant
from storage.facts.air import AirFacts
from storage.figures import Figures, figures, join
from storage.indicators.air import INDEX_POLLUTANTS
from storage.indicators.word import Period, Status
from storage.level import Level
from storage.reading import FloatArray, IntArray, TimeArray
from storage.roster import Roster

_DAY_BEFORE = np.timedelta64(eaqi.DAY - 1, "h")


def eaqi_method(hours: TimeArray, facts: AirFacts) -> NDArray[np.int16]:
    """Which bands hold in hours that begin then: positions in ``EAQI_METHODS``.

    Examples
    --------
    >>> hours = np.array(["2018-07-01T00", "2025-07-02T23", "2025-07-03T00"], "datetime64[us]")
    >>> eaqi_method(hours, AirFacts())
    array([0, 1, 2], dtype=int16)
    """
    since = np.array([facts.eaqi_2019, facts.eaqi_2024], "datetime64[us]")
    return np.searchsorted(since, hours, side="right").astype(np.int16)


def _pollutant(roster: Roster) -> NDArray[np.intp]:
    return np.searchsorted(np.array(INDEX_POLLUTANTS), roster.metric)


def _places(ids: IntArray) -> tuple[IntArray, NDArray[np.intp]]:
    places, of = np.unique(ids, return_inverse=True)
    return places, of


def _worst(given: Given, roster: Roster, sub: FloatArray, ids: IntArray) -> tuple[IntArray, Worst]:
    places, of = _places(ids)
    lesser = indicative(roster, given.facts.air)
    size = len(places), len(INDEX_POLLUTANTS)
    return places, worst(sub, of, _pollutant(roster), lesser, size)


def _stands(roster: Roster, facts: AirFacts, *types: str) -> NDArray[np.bool_]:
    """Which series stand where the city says that such emissions prevail."""
    anywhere = [one.site for one in facts.station if one.territory is None and one.type in types]
    exact = [f"{one.territory}/{one.site}" for one in facts.station]
    meant = [f"{one.territory}/{one.site}" for one in facts.station if one.type in types]
    # What is said of one territory's site comes before what is said of all of its code.
    place = np.char.add(np.char.add(roster.territory, "/"), roster.site)
    return np.where(
        np.isin(place, exact), np.isin(place, meant), np.isin(roster.site, anywhere)
    )  # fmt: skip


def _code(found: Worst) -> IntArray:
    """Dominant pollutants and those used, a bit each."""
    return found.dominant | found.used << len(INDEX_POLLUTANTS)


def _hourly(given: Given) -> Figures:
    frame, hour = best_hours(given)
    roster, facts, size = frame.roster, given.facts.air, len(given.periods) - 1
    method = eaqi_method(frame.edges[:-1], facts)
    sub, valid, due = eaqi.sub_index(hour, _pollutant(roster), method)
    sub, valid, due, method = sub[:, -size:], valid[:, -size:], due[:, -size:], method[-size:]
    told = heard(frame)[:, -size:]
    of_series = figures(
        "eaqi_sub", roster.series, given.periods, sub, now=given.now, n=valid, due=due,
        method=method, code=np.where(np.isnan(sub), 0, sub), keep=told, indicative=indicative(roster, facts)[:, None],
    )  # fmt: skip
    sites, found = _worst(given, roster, sub, roster.site_id)
    site = np.searchsorted(sites, roster.site_id)
    traffic = np.zeros(len(sites), np.bool_)
    traffic[site[_stands(roster, facts, "traffic")]] = True
    known = np.zeros((len(sites), size), np.bool_)
    np.logical_or.at(known, site, told)
    there, wanted = eaqi.minimum(found.used, traffic)
    of_sites = figures(
        "eaqi", sites, given.periods, found.index, now=given.now, n=there, due=wanted,
        status=np.where(there < wanted, Status.PARTIAL, Status.COMPLETE), method=method,
        code=_code(found), keep=known, indicative=found.lesser,
    )  # fmt: skip
    return join([of_series, of_sites])


def _daily(given: Given) -> Figures:
    frame, hour = best_hours(given)
    roster, facts = frame.roster, given.facts.air
    days, due, _ = by_day(hour, frame.edges, given.periods)
    sub, _, valid = atmo.sub_index(days, _pollutant(roster), due)
    in_force = given.periods[:-1] >= first_instant(ATMO_SINCE, given.zone)
    of_series = figures(
        "atmo_sub", roster.series, given.periods, sub, now=given.now, n=valid, due=due,
        code=np.where(np.isnan(sub), 0, sub), keep=(valid > 0) & in_force,
        indicative=indicative(roster, facts)[:, None],
    )  # fmt: skip
    background = ~_stands(roster, facts, "traffic", "industrial")
    everywhere = np.ones(len(roster), np.bool_)
    made = [of_series]
    for name, ids, chosen in (
        ("atmo_site", roster.site_id, everywhere),
        ("atmo_territory", roster.territory_id, background),
    ):
        places, found = _worst(given, roster.take(chosen), sub[chosen], ids[chosen])
        known = np.zeros((len(places), len(due)), np.bool_)
        np.logical_or.at(known, np.searchsorted(places, ids[chosen]), valid[chosen] > 0)
        used = np.bitwise_count(found.used)
        whole = used == len(INDEX_POLLUTANTS)
        of_places = figures(
            name, places, given.periods, found.index, now=given.now, n=used,
            due=len(INDEX_POLLUTANTS), code=_code(found), indicative=found.lesser,
            status=np.where(whole, Status.COMPLETE, Status.PARTIAL), keep=known & in_force,
        )  # fmt: skip
        made.append(of_places)
    return join(made)


AIR_INDICES: tuple[Calculation, ...] = (
    Calculation(
        name="European Air Quality Index",
        makes=("eaqi_sub", "eaqi"),
        metrics=ASKING,
        level=Level.HOUR,
        follows=Level.HOUR,
        period=Period.HOUR,
        compute=_hourly,
        together=Together.SITE,
        before=_DAY_BEFORE,
        after=_DAY_BEFORE,
        reads=READS,
    ),
    Calculation(
        name="French daily index",
        makes=("atmo_sub", "atmo_site", "atmo_territory"),
        metrics=ASKING,
        level=Level.HOUR,
        follows=Level.HOUR,
        period=Period.DAY,
        compute=_daily,
        together=Together.TERRITORY,
        reads=READS,
    ),
)
