"""The air today: the index, what it means for people, the pollutants, the last 24 hours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dashboards.board.air_index import (
    EUROPEAN,
    FRENCH,
    STEP_S,
    AirIndex,
    class_word,
    dominant_words,
    is_french,
    pollutant_word,
)
from dashboards.board.facts import fact, sensors_said
from dashboards.board.figures import NOTHING, Amount, together
from dashboards.board.language import Language
from dashboards.board.sheet import Fact, Sentence, Sheet, State
from dashboards.board.views.air_hours import hours
from dashboards.board.views.air_rows import (
    POLLUTANTS,
    TOMORROW,
    Air,
    Forecast,
    Mean,
    Passed,
    load,
)
from dashboards.board.views.air_words import (
    at_least,
    everybody,
    origin,
    sensitive,
    unofficial,
    warning,
)
from dashboards.board.views.view import Asked, View

NAME, TITLE = "air", "The air today"

CLASSES = 6
DAY_S = 86400.0

# Territories whose index is older than this beside the newest have none now.
TOGETHER = timedelta(hours=2)

# Above this many, more warnings tell nobody more.
MOST_WARNINGS = 2


def say(known: Air, asked: Asked) -> Sheet:
    """The air of one place."""
    language, codes = asked.language, asked.where.codes
    title = language.say(TITLE)
    series = {m: sum(s.series for s in known.sensors if s.metric == m and s.territory in codes)
              for m in POLLUTANTS}  # fmt: skip
    sites = {(s.territory, site) for s in known.sensors for site in s.sites if s.territory in codes}
    index, places = _index(known, codes)
    ahead = _ahead(known, asked)
    if index is None and ahead is None and not sites:
        return Sheet(view=NAME, title=title, empty=language.say("No sensor measures the air here."))
    first = _index_fact(known, index, places, len(sites), asked)
    passed = _passed(known, asked)
    facts = [first] if sites or index is not None else []
    if ahead is not None:
        facts.append(_tomorrow(known, ahead, asked))
    leading = index.dominant if index is not None else ()
    ordered = sorted(POLLUTANTS, key=lambda name: name not in leading)
    facts += [_pollutant(known, name, series[name], asked) for name in ordered if series[name]]
    return Sheet(
        view=NAME, title=title, facts=tuple(facts),
        lead=_lead(known, index, first.state, asked) if first in facts
        else language.say("Official forecast for tomorrow: {word}.", word=facts[0].value),
        sentences=tuple(_sentences(index, first.state, passed, known, asked)),
        charts=tuple(hours(known, asked)),
    )  # fmt: skip


def _index(known: Air, codes: frozenset[str]) -> tuple[AirIndex | None, int]:
    """The worst index of the territories, and at how many places it was measured.

    The French and the European index are not compared: of territories of both kinds the
    European one is told.
    """
    found = [known.indices[code] for code in codes if code in known.indices]
    if not found:
        return None, 0
    if len({one.indicator for one in found}) > 1:
        newest = {hour.territory: hour for hour in sorted(known.hours, key=lambda h: h.start)}
        found = [newest[code].as_index for code in codes if code in newest] or found
    latest = max(one.at for one in found)
    found = [one for one in found if latest - one.at <= TOGETHER]
    worst = max(found, key=lambda one: (one.value, one.at, one.territory))
    return worst, sum(one.sites for one in found)


def _index_fact(
    known: Air, index: AirIndex | None, places: int, sites: int, asked: Asked
) -> Fact:  # fmt: skip
    language, zone = asked.language, asked.where.timezone
    if index is None:
        return fact(
            language, key="index", label=language.say("Air index, computed here"), amount=NOTHING,
            unit="1", at=None, step_s=STEP_S, now=asked.now, timezone=zone, domain="air",
            coverage=_places(0, sites, language), method=EUROPEAN,
        )  # fmt: skip
    day = index.indicator == FRENCH
    return fact(
        language, key="index", label=language.say("Air index, computed here"),
        amount=Amount(float(index.value)), unit="1", at=index.at, step_s=STEP_S, now=asked.now,
        timezone=zone, grade=index.value, word=class_word(index.indicator, index.value, language),
        period=language.say("today") if day else _span(index.start, index.stop, zone, language),
        beside=_beside(known, index, sites, asked),
        coverage=_used(index, language) if day else _places(places, sites, language),
        received=index.n if day else places, expected=index.due if day else sites,
        indicative=index.indicative, method=index.indicator, domain="air",
    )  # fmt: skip


def _beside(known: Air, index: AirIndex, sites: int, asked: Asked) -> str:
    """Number of the class, what gives it, and where it is the worst."""
    language = asked.language
    parts = [language.say("class {n} of 6", n=index.value)]
    if index.dominant:
        parts.append(language.say("mainly {what}", what=dominant_words(index, language)))
    place = _place(known, index.territory, asked)
    where = ", ".join(one for one in (index.site_name if sites > 1 else "", place) if one)
    if where:
        parts.append(language.say("at worst: {where}", where=where))
    return " · ".join(parts)


def _place(known: Air, territory: str, asked: Asked) -> str:
    """A territory by name where there are several; where there is one, nobody needs it."""
    return known.names.get(territory, "") if len(asked.where.codes) > 1 else ""


def _used(index: AirIndex, language: Language) -> str:
    return language.say("pollutants: {n} of {due}", n=language.number(index.n),
                        due=language.number(index.due))  # fmt: skip


def _places(heard: int, sites: int, language: Language) -> str:
    if not sites:
        return ""
    return language.say("places: {heard} of {known}", heard=language.number(min(heard, sites)),
                        known=language.number(sites))  # fmt: skip


def _span(start: datetime, stop: datetime, zone: str, language: Language) -> str:
    return f"{language.clock(start, zone)}\u2013{language.clock(stop, zone)}"


def _lead(known: Air, index: AirIndex | None, state: State, asked: Asked) -> str:
    language, zone = asked.language, asked.where.timezone
    if index is None:
        return language.say("Nothing can be said of the air now: too little was measured.")
    word = class_word(index.indicator, index.value, language)
    if state is not State.FRESH:
        moment = language.moment(index.at, zone)
        return language.say("The air was {word} on {moment}; nothing newer is known.",
                            word=word, moment=moment)  # fmt: skip
    place, day = _place(known, index.territory, asked), index.indicator == FRENCH
    if place and day:
        said = language.say("The air is {word} today where it is worst: {place}.",
                            word=word, place=place)  # fmt: skip
    elif place:
        said = language.say("The air is {word} right now where it is worst: {place}.",
                            word=word, place=place)  # fmt: skip
    elif day:
        said = language.say("The air is {word} today.", word=word)
    else:
        said = language.say("The air is {word} right now.", word=word)
    return said


def _passed(known: Air, asked: Asked) -> list[Passed]:
    """The highest level of each pollutant; French thresholds in France alone."""
    found: dict[str, Passed] = {}
    for one in sorted(known.passed, key=lambda one: -one.level):
        if one.territory not in asked.where.codes:
            continue
        if one.law == "eu" or is_french(known.zones.get(one.territory, "")):
            found.setdefault(one.metric, one)
    return list(found.values())


def _sentences(
    index: AirIndex | None, state: State, passed: Sequence[Passed], known: Air, asked: Asked
) -> Iterable[Sentence]:
    language = asked.language
    for number, one in enumerate(passed[:MOST_WARNINGS]):
        zone = known.zones.get(one.territory, asked.where.timezone)
        told = warning(one, _place(known, one.territory, asked), zone, asked.now, language)
        yield Sentence(f"passed{number}", told, "warning")
    grade = max((at_least(one.level) for one in passed), default=0)
    if index is not None and state in (State.FRESH, State.LATE):
        grade = max(grade, index.value)
    if grade:
        yield Sentence("everybody", everybody(grade, language), "advice")
        yield Sentence("sensitive", sensitive(grade, language), "advice")
    if index is not None:
        yield Sentence("unofficial", unofficial(language))


def _pollutant(known: Air, name: str, series: int, asked: Asked) -> Fact:
    """The mean of the newest hour over the sensors that measured it."""
    language, zone = asked.language, asked.where.timezone
    word = pollutant_word(name, language)
    said: list[Mean] = [
        mean for mean in known.means if mean.metric == name and mean.territory in asked.where.codes
    ]
    newest = max((mean.stop for mean in said), default=None)
    used = [mean for mean in said if mean.stop == newest]
    amount = Amount(together("gauge", "ug/m3", [mean.value for mean in used])) if used else NOTHING
    return fact(
        language, key=name, label=word[:1].upper() + word[1:], amount=amount, unit="ug/m3",
        at=newest, step_s=STEP_S, now=asked.now, timezone=zone,
        period=_span(used[0].start, used[0].stop, zone, language) if used else "",
        beside=" · ".join(one for one in (_classes(used, language), origin(name, language)) if one),
        coverage=sensors_said(len(used), series, language), received=len(used), expected=series,
        indicative=any(mean.indicative for mean in used), method=name, domain="air",
    )  # fmt: skip


def _classes(used: Sequence[Mean], language: Language) -> str:
    """From the best to the worst class that the sensors found."""
    grades = [mean.grade for mean in used if mean.grade]
    if not grades:
        return ""
    low, high = (class_word(EUROPEAN, grade, language) for grade in (min(grades), max(grades)))
    if low == high:
        return low
    return language.say("{low} to {high}", low=low, high=high)


def _ahead(known: Air, asked: Asked) -> Forecast | None:
    """The worst forecast that came in today, by the clock of its territory.

    It speaks of the day after: what came in yesterday speaks of today, so it is none for
    tomorrow. Whatever is no class is left out.
    """

    def date(time: datetime, territory: str) -> object:
        zone = known.zones.get(territory, asked.where.timezone)
        return time.astimezone(ZoneInfo(zone)).date()

    found = [
        one for one in known.forecasts
        if one.territory in asked.where.codes
        and date(one.time, one.territory) == date(asked.now, one.territory)
        and one.value in range(1, CLASSES + 1)
    ]  # fmt: skip
    return max(found, key=lambda one: (one.value, one.time), default=None)


def _tomorrow(known: Air, ahead: Forecast, asked: Asked) -> Fact:
    language, grade = asked.language, int(ahead.value)
    french = is_french(known.zones.get(ahead.territory, ""))
    place = _place(known, ahead.territory, asked)
    parts = [language.say("class {n} of 6", n=grade), language.say("official forecast")]
    if place:
        parts.append(language.say("at worst: {where}", where=place))
    return fact(
        language, key="tomorrow", label=language.say("The air tomorrow"),
        amount=Amount(ahead.value), unit="1", at=ahead.time, step_s=DAY_S, now=asked.now,
        timezone=asked.where.timezone, grade=grade, beside=" · ".join(parts),
        word=class_word(FRENCH if french else EUROPEAN, grade, language), method=TOMORROW,
        domain="air",
    )  # fmt: skip


VIEW = View(NAME, TITLE, load, say, short="Air")
