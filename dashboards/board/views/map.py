"""The city in one map: each commune by the class of its air, and what is heard of its sensors.

No league table: communes stand by name, and never without how much was measured there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from dashboards.board.air_index import (
    EUROPEAN,
    STEP_S,
    AirIndex,
    class_word,
    dominant_words,
    pollutant_word,
)
from dashboards.board.drawing.map import NEAR, Entry, Named, classes, dots
from dashboards.board.facts import fact, state_of, with_unit
from dashboards.board.figures import NOTHING, Amount
from dashboards.board.language import Language
from dashboards.board.sheet import Chart, Fact, Sentence, Sheet, State, Table
from dashboards.board.views.map_rows import BIKES, ENERGY, Heard, MapRows, Place, Site, load
from dashboards.board.views.view import Asked, View

NAME, TITLE = "map", "The city in one map"

NOTHING_SAID = "\u2013"

# A page may have 250 elements: what stands around the table, what each fact and each link to a
# commune takes, and a row of the table with its cells.
_PAGE, _FRAME, _FACT = 250, 72, 14
_ROWS = 24
_NAMED = 8


def say(rows: MapRows, asked: Asked) -> Sheet:
    """The communes, or the sites of one of them."""
    places = [place for place in rows.places if place.code in asked.where.codes]
    if len(places) == 1:
        return _one(rows, places[0], asked)
    language = asked.language
    if not rows.whole.areas:
        return _empty(language)
    known = _comparable(rows, asked)
    facts = (_communes(rows, places, asked), *_hearing(rows, asked))
    return Sheet(
        view=NAME, title=language.say(TITLE), lead=_lead(places, known, language), facts=facts,
        sentences=_sentences(known, language),
        charts=(_map(rows, places, known, asked, len(facts)),),
    )  # fmt: skip


def _comparable(rows: MapRows, asked: Asked) -> dict[str, AirIndex]:
    """The French index where all communes have it; else the European one for all of them, since
    the classes of the two are not alike."""
    french, european = (
        {code: index for code, index in given.items()
         if code in asked.where.codes and _is_recent(index, asked)}
        for given in (rows.index, rows.european)
    )  # fmt: skip
    return european if len({index.indicator for index in french.values()}) > 1 else french


def _empty(language: Language) -> Sheet:
    return Sheet(view=NAME, title=language.say(TITLE), empty=language.say(
        "There is no map yet: neither outlines of communes nor places of sensors are known."
    ))  # fmt: skip


def _is_recent(index: AirIndex, asked: Asked) -> bool:
    return state_of((asked.now - index.at).total_seconds(), STEP_S) is not State.STALE


def _word(index: AirIndex, language: Language) -> str:
    return class_word(index.indicator, index.value, language)


def _lead(places: Sequence[Place], known: dict[str, AirIndex], language: Language) -> str:
    """How many communes have which air; by class, and never by name."""
    if not known:
        return language.say("No commune has an index of the air at the moment.")
    numbers = Counter((index.value, _word(index, language)) for index in known.values())
    parts = [
        language.count("{word} in {n} commune", "{word} in {n} communes", n, word=word)
        for (_, word), n in sorted(numbers.items())
    ]
    listed = ", ".join(parts)
    hourly = all(index.indicator == EUROPEAN for index in known.values())
    text = (language.say("The air right now: {parts}.", parts=listed) if hourly
            else language.say("The air today: {parts}.", parts=listed))  # fmt: skip
    missing = len(places) - len(known)
    if missing:
        text += " " + language.count("{n} commune has no index.", "{n} communes have no index.",
                                     missing)  # fmt: skip
    return text


def _sentences(known: dict[str, AirIndex], language: Language) -> tuple[Sentence, ...]:
    if not known:
        return ()
    text = language.say("The index is computed from the city’s own sensors. It is not the "
                        "official one.")  # fmt: skip
    if any(index.indicative for index in known.values()):
        text += " " + language.say("Simple sensors are among them: it is indicative.")
    return (Sentence("index", text),)


def _of(rows: MapRows, code: str) -> list[Heard]:
    return [heard for heard in rows.heard if heard.territory == code]


def _communes(rows: MapRows, places: Sequence[Place], asked: Asked) -> Fact:
    language = asked.language
    measured = sum(any(heard.speaking for heard in _of(rows, p.code)) for p in places)
    return fact(
        language, key="communes", label=language.say("Communes with measurements"),
        amount=Amount(float(measured)), unit="1", at=rows.hour, step_s=3600, now=asked.now,
        timezone=asked.where.timezone, word=_of_all(measured, len(places), language),
        received=measured, expected=len(places),
    )  # fmt: skip


def _of_all(there: int, all_of_them: int, language: Language) -> str:
    return language.say("{there} of {all}", there=language.number(there),
                        all=language.number(all_of_them))  # fmt: skip


def _hearing(rows: MapRows, asked: Asked) -> tuple[Fact, Fact]:
    """Sensors that speak, and how much of what was due has come in a day."""
    language = asked.language
    here = [heard for heard in rows.heard if heard.territory in asked.where.codes]
    speaking, sensors = sum(h.speaking for h in here), sum(h.sensors for h in here)
    received, due = sum(h.received for h in here), sum(h.due for h in here)
    share = Amount(float(int(100 * min(received / due, 1) + 1e-9))) if due else NOTHING
    return (
        fact(
            language, key="sensors", label=language.say("Sensors that speak"),
            amount=Amount(float(speaking)) if sensors else NOTHING, unit="1", at=rows.hour,
            step_s=3600, now=asked.now, timezone=asked.where.timezone,
            word=_of_all(speaking, sensors, language), received=speaking, expected=sensors,
        ),
        fact(
            language, key="received", label=language.say("Measurements received"), amount=share,
            unit="%", period=language.say("last 24 hours"), at=rows.hour, step_s=3600,
            now=asked.now, timezone=asked.where.timezone, received=received, expected=due,
            word=language.percent(share.value / 100) if share.value is not None else "",
            beside=language.say("of {due} that were due", due=language.number(due)) if due else "",
        ),
    )  # fmt: skip


def _map(
    rows: MapRows, places: Sequence[Place], known: dict[str, AirIndex], asked: Asked, facts: int
) -> Chart:
    language = asked.language
    names = {place.code: place.name for place in places}
    named = {code: Named(name, known[code].value if code in known else 0)
             for code, name in names.items()}  # fmt: skip
    entries = sorted({(index.value, _word(index, language)) for index in known.values()})
    legend = [Entry(*entry) for entry in entries]
    if len(known) < len(places):
        legend.append(Entry(0, language.say("no index")))
    drawing, _ = classes(rows.whole, named, legend)
    near, called = classes(rows.whole, named, legend, NEAR)
    links = len(places) if not asked.where.code else 0
    lines = [_line(rows, place, known.get(place.code), language) for place in places]
    most = max((_PAGE - _FRAME - _FACT * facts - links) // (1 + len(lines[0])), 3)
    notes = [language.say("The number is the class of the air: 1 is the best, 6 the worst.")]
    if any(known[code] is not rows.index.get(code) for code in known):
        notes.append(language.say("The same index for every commune: the European one."))
    hulls = [names[area.code] for area in rows.whole.areas if not area.known]
    if hulls:
        notes.append(language.say(
            "Drawn around the sensors, as the outline is not known: {names}.",
            names=_listed(hulls, language)))  # fmt: skip
    if rows.whole.lost:
        notes.append(language.say("Not on the map, as nobody said where it is: {names}.",
                                  names=_listed([names[c] for c in rows.whole.lost], language)))  # fmt: skip
    unnamed = sum(area.code not in called for area in rows.whole.areas)
    if unnamed:
        notes.append(language.count("There is no room for the name of {n} commune.",
                                    "There is no room for the names of {n} communes.", unnamed))  # fmt: skip
    if len(lines) > min(most, _ROWS):
        notes.append(language.count(
            "The table shows {shown} of {n} commune; all are in the data (JSON), and each has a "
            "page of its own.",
            "The table shows {shown} of {n} communes; all are in the data (JSON), and each has a "
            "page of its own.", len(lines), shown=language.number(min(most, _ROWS))))  # fmt: skip
    return Chart(
        key="communes", title=language.say("The air of each commune"), drawing=drawing, near=near,
        said=_said(names, known, language), notes=tuple(notes),
        table=Table(
            (language.say("Commune"), language.say("Air"), language.say("Pollutant, last hour"),
             language.say("Bicycles today"), language.say("Energy today"),
             language.say("Received, 24 h")),
            tuple(lines[:min(most, _ROWS)]),
        ),
        data={"territories": [_data(rows, place, known.get(place.code), language)
                              for place in places]},
    )  # fmt: skip


def _listed(names: Sequence[str], language: Language) -> str:
    """The first names, and how many more there are."""
    text = ", ".join(names[:_NAMED])
    more = len(names) - _NAMED
    return text if more <= 0 else language.count("{names} and {n} more", "{names} and {n} more",
                                                 more, names=text)  # fmt: skip


def _said(names: dict[str, str], known: dict[str, AirIndex], language: Language) -> str:
    """The map in words: communes by class."""
    text = language.count("Map of {n} commune.", "Map of {n} communes.", len(names))
    by_class: dict[tuple[int, str], list[str]] = {}
    for code, name in names.items():
        index = known.get(code)
        key = (index.value, _word(index, language)) if index else (7, language.say("no index"))
        by_class.setdefault(key, []).append(name)
    for (_, word), those in sorted(by_class.items()):
        text += " " + language.say("{word}: {names}.", word=word.capitalize(),
                                   names=_listed(those, language))  # fmt: skip
    return text


def _today(rows: MapRows, code: str) -> tuple[Amount, Amount]:
    """Bicycles and energy since midnight."""
    bikes = rows.past.get((code, BIKES))
    energy = [rows.past[code, name].amount for name in ENERGY if (code, name) in rows.past]
    used = next((amount for amount in energy if amount.value is not None), NOTHING)
    return (bikes.amount if bikes else NOTHING), used


def _about(amount: Amount, unit: str, language: Language) -> str:
    text = with_unit(amount, unit, "count", language)
    return language.say("about {amount}", amount=text) if amount.about and not amount.hidden \
        else text  # fmt: skip


def _line(rows: MapRows, place: Place, index: AirIndex | None, language: Language
          ) -> tuple[str, ...]:  # fmt: skip
    mean = rows.means.get(place.code)
    bikes, energy = _today(rows, place.code)
    here = _of(rows, place.code)
    return (
        place.name,
        f"{index.value} {_word(index, language)}" if index else NOTHING_SAID,
        language.say("{pollutant}: {amount}", pollutant=pollutant_word(mean.metric, language),
                     amount=with_unit(mean.amount, mean.unit, "gauge", language))
        if mean else NOTHING_SAID,
        _about(bikes, "1", language),
        _about(energy, "kW.h", language),
        _share(sum(h.received for h in here), sum(h.due for h in here), language),
    )  # fmt: skip


def _share(received: int, due: int, language: Language) -> str:
    return language.percent(min(received / due, 1)) if due else NOTHING_SAID


def _data(rows: MapRows, place: Place, index: AirIndex | None, language: Language
          ) -> dict[str, object]:  # fmt: skip
    mean = rows.means.get(place.code)
    bikes, energy = _today(rows, place.code)
    here = _of(rows, place.code)
    return {
        "territory": place.code,
        "name": place.name,
        "air": None if index is None else {
            "class": index.value, "word": _word(index, language), "indicator": index.indicator,
            "at": index.at.isoformat(), "dominant": index.dominant,
            "indicative": index.indicative,
        },
        "pollutant": None if mean is None else {
            "metric": mean.metric, "unit": mean.unit,
            "value": None if mean.amount.value is None else round(mean.amount.value, 3),
            "start": mean.start.isoformat(),
        },
        "bikes_today": bikes.published,
        "energy_today": {**energy.published, "unit": "kW.h"},
        "sensors": {"speaking": sum(h.speaking for h in here),
                    "known": sum(h.sensors for h in here)},
        "last_24_h": {"received": sum(h.received for h in here), "due": sum(h.due for h in here)},
    }  # fmt: skip


def _one(rows: MapRows, place: Place, asked: Asked) -> Sheet:
    """One commune: its sites, and what is measured there."""
    language = asked.language
    drawn = rows.plans.get(place.code)
    if drawn is None or not drawn.areas:
        return _empty(language)
    index = rows.index.get(place.code)
    recent = index if index and _is_recent(index, asked) else None
    facts = (_air(index, asked), *_hearing(rows, asked))
    sites = [site for site in rows.sites if site.territory == place.code]
    lead = ""
    if recent:
        lead = language.say("The air in {name} today: {word}.", name=place.name,
                            word=_word(recent, language))  # fmt: skip
    heard = {h.site: h for h in _of(rows, place.code)}
    lead += (" " if lead else "") + language.count(
        "Sensors speak at {speaking} of {n} place.", "Sensors speak at {speaking} of {n} places.",
        len(sites), speaking=language.number(sum(bool(h.speaking) for h in heard.values())),
    )  # fmt: skip
    numbers = {site.code: n for n, site in enumerate(sites, 1)}
    lines = [_site(site, numbers[site.code], heard.get(site.code), language) for site in sites]
    most = min((_PAGE - _FRAME - _FACT * len(facts)) // 5, _ROWS)
    notes = [language.say("The numbers are those of the table.")] if drawn.points else []
    if not drawn.areas[0].known:
        notes.append(language.say(
            "Drawn around the sensors, as the outline is not known: {names}.", names=place.name))  # fmt: skip
    away = [site.name for site in sites if site.code not in drawn.points]
    if away:
        notes.append(language.say("Not on the map, as nobody said where it is: {names}.",
                                  names=_listed(away, language)))  # fmt: skip
    if len(lines) > most:
        notes.append(language.count(
            "The table shows {shown} of {n} place; all are in the data (JSON).",
            "The table shows {shown} of {n} places; all are in the data (JSON).",
            len(lines), shown=language.number(most)))  # fmt: skip
    return Sheet(
        view=NAME, title=language.say(TITLE), lead=lead, facts=facts,
        sentences=_sentences({place.code: recent} if recent else {}, language),
        charts=(Chart(
            key="sites", title=language.say("Where the sensors are"), drawing=dots(drawn, numbers),
            said=language.count("Map of {name} with {n} place where sensors are.",
                                "Map of {name} with {n} places where sensors are.",
                                len(sites), name=place.name),
            notes=tuple(notes),
            table=Table((language.say("Place"), language.say("Measures"),
                         language.say("Sensors that speak"), language.say("Received, 24 h")),
                        tuple(lines[:most])),
            data={"sites": [_site_data(site, heard.get(site.code)) for site in sites]},
        ),),
    )  # fmt: skip


def _air(index: AirIndex | None, asked: Asked) -> Fact:
    language = asked.language
    if index is None:
        return fact(
            language, key="air", label=language.say("Air today"), amount=NOTHING, unit="1",
            at=None, step_s=STEP_S, now=asked.now, timezone=asked.where.timezone, domain="air",
        )  # fmt: skip
    main = dominant_words(index, language)
    return fact(
        language, key="air", label=language.say("Air today"), amount=Amount(float(index.value)),
        unit="1", at=index.at, step_s=STEP_S, now=asked.now, timezone=asked.where.timezone,
        word=_word(index, language), grade=index.value, domain="air", method=index.indicator,
        beside=language.say("because of: {pollutants}", pollutants=main) if main else "",
        coverage=language.say("pollutants: {n} of {due}", n=index.n, due=max(index.n, index.due)),
        indicative=index.indicative, received=index.n, expected=index.due,
    )  # fmt: skip


def _site(site: Site, number: int, heard: Heard | None, language: Language) -> tuple[str, ...]:
    if heard is None:
        return (f"{number} {site.name}", NOTHING_SAID, NOTHING_SAID, NOTHING_SAID)
    told = (
        (heard.air, language.say("air")), (heard.mobility, language.say("moving")),
        (heard.energy, language.say("energy")),
    )  # fmt: skip
    return (
        f"{number} {site.name}",
        ", ".join(word for there, word in told if there),
        _of_all(heard.speaking, heard.sensors, language),
        _share(heard.received, heard.due, language),
    )


def _site_data(site: Site, heard: Heard | None) -> dict[str, object]:
    return {
        "site": site.code, "name": site.name,
        "longitude": site.longitude, "latitude": site.latitude,
        "sensors": {"speaking": heard.speaking, "known": heard.sensors} if heard else None,
        "last_24_h": {"received": heard.received, "due": heard.due} if heard else None,
    }  # fmt: skip


VIEW = View(NAME, TITLE, load, say, every_s=60.0, short="Map")
