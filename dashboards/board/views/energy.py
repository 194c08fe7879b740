"""Our buildings' energy: today beside a usual day, this month beside the year before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from dashboards.board.drawing.pair import Pair, pair
from dashboards.board.facts import fact, share_said, with_unit
from dashboards.board.figures import NOTHING, Amount
from dashboards.board.language import Language
from dashboards.board.sheet import Chart, Fact, Sentence, Sheet, State, Table
from dashboards.board.usual import compared_said
from dashboards.board.views.energy_day import LEAST, Today, chart, today
from dashboards.board.views.energy_month import Saving, YearOnYear, saving, year_on_year
from dashboards.board.views.energy_rows import Energy, load
from dashboards.board.views.view import Asked, View

NAME, TITLE = "energy", "Our buildings’ energy"

MOST_FACTS = 4
HOUR_S, DAY_S = 3600.0, 86400.0


def say(known: Energy, asked: Asked) -> Sheet:
    """All public meters of one place together."""
    language, title = asked.language, asked.language.say(TITLE)
    days = list(today(known, asked.where, asked.now))
    if not days:
        return Sheet(view=NAME, title=title, empty=language.say(
            "No meter of a public building is connected here yet."))  # fmt: skip
    compared = year_on_year(known.buildings, asked.where, asked.now)
    facts = [_today_fact(day, asked) for day in days]
    facts.insert(1, _month_fact(compared, asked))
    charts = [chart(days[0], asked.where, asked.now, _name(days[0], language), language)]
    if compared is not None:
        charts.append(_month_chart(compared, language))
    return Sheet(
        view=NAME, title=title, lead=_lead(days[0], compared, asked),
        facts=tuple(facts[:MOST_FACTS]),
        sentences=tuple(_sentences(known, days, compared, facts[MOST_FACTS:], asked)),
        charts=tuple(charts),
    )  # fmt: skip


def _name(day: Today, language: Language) -> str:
    return {
        "electricity": language.say("Electricity"),
        "heat": language.say("Heat"),
        "gas": language.say("Gas"),
        "produced": language.say("Electricity fed into the grid"),
    }[day.source.name]


def _beside(day: Today, asked: Asked) -> str:
    return compared_said(day.so_far, day.known, now=asked.now, timezone=asked.where.timezone,
                         language=asked.language, least=LEAST)  # fmt: skip


def _today_fact(day: Today, asked: Asked) -> Fact:
    language = asked.language
    made = fact(
        language, key=day.source.name, label=_name(day, language), amount=day.so_far,
        unit=day.source.unit, at=day.at, step_s=HOUR_S, now=asked.now,
        timezone=asked.where.timezone, period=language.say("today"), beside=_beside(day, asked),
        coverage=share_said(day.filled, day.due, language), received=day.filled,
        expected=day.due, method=day.metric, domain="energy",
    )  # fmt: skip
    if day.so_far.value is None and not day.begun:
        # Nothing is wrong a few minutes after midnight.
        return replace(made, note=language.say("the day has just begun"), state=State.FRESH,
                       said=language.say("up to date"), beside="", coverage="")  # fmt: skip
    return made


def _month_fact(compared: YearOnYear | None, asked: Asked) -> Fact:
    language = asked.language
    made = fact(
        language, key="year_on_year",
        label=language.say("Compared with last year"),
        amount=NOTHING if compared is None else Amount(100 * compared.change), unit="%",
        at=compared and min(compared.until, asked.now),
        # A month that is over stands as it is until there are days enough of the next.
        step_s=DAY_S if compared is None or compared.open else 7 * DAY_S,
        now=asked.now, timezone=asked.where.timezone, period=_period(compared, asked),
        method="building_year_on_year", domain="energy",
        indicative=compared is not None and compared.indicative,
    )  # fmt: skip
    if compared is None:
        return replace(made, note=language.say("not known yet"),
                       beside=language.say("a year of readings is needed"))  # fmt: skip
    sign = "+" if compared.change > 0 and made.value.strip("0.,") else ""
    return replace(
        made, value=sign + made.value, beside=_alike(compared, language),
        coverage=language.say("buildings: {n} of {all}", n=language.number(compared.buildings),
                              all=language.number(compared.of)),
    )  # fmt: skip


def _alike(compared: YearOnYear, language: Language) -> str:
    """What was done so that both months can be compared."""
    if not compared.corrected:
        return language.say("as measured: there was little heating to correct for")
    return language.say("as if both months had been equally cold")


def _period(compared: YearOnYear | None, asked: Asked) -> str:
    language = asked.language
    if compared is None:
        return language.say("this month")
    middle = datetime.combine(compared.month, time(12), ZoneInfo(asked.where.timezone))
    name = language.month(middle, asked.where.timezone)
    return language.say("{month}, so far", month=name) if compared.open else name


def _month(month: date, timezone: str, language: Language) -> str:
    name = language.month(datetime.combine(month, time(12), ZoneInfo(timezone)), timezone)
    # It begins sentences.
    return name[:1].upper() + name[1:]


def _lead(day: Today, compared: YearOnYear | None, asked: Asked) -> str:
    language, parts = asked.language, []
    if day.so_far.value is not None:
        parts.append(language.say(
            "{what} since midnight: {amount}, {compared}.", what=_name(day, language),
            amount=with_unit(day.so_far, day.source.unit, "gauge", language),
            compared=_beside(day, asked)))  # fmt: skip
    if compared is not None:
        parts.append(_change_said(compared, asked))
    return " ".join(parts)


def _change_said(compared: YearOnYear, asked: Asked) -> str:
    language, size = asked.language, abs(100 * compared.change)
    said = {
        "month": _month(compared.month, asked.where.timezone, language),
        "size": language.percent(round(size / 100, 2)), "alike": _alike(compared, language),
    }  # fmt: skip
    if size < 0.5:
        return language.say("{month}: as much as a year ago, {alike}.", **said)
    if compared.change < 0:
        return language.say("{month}: {size} less than a year ago, {alike}.", **said)
    return language.say("{month}: {size} more than a year ago, {alike}.", **said)


def _sentences(
    known: Energy, days: list[Today], compared: YearOnYear | None, left: list[Fact], asked: Asked
) -> list[Sentence]:
    language, found = asked.language, []
    for each in left:
        told = " ".join(part for part in (each.note, each.value, each.unit) if part)
        found.append(Sentence(each.key, language.say("{what}, today: {amount}.", what=each.label,
                                                     amount=told)))  # fmt: skip
    if compared is not None:
        saved = saving(known.buildings, asked.where, compared.month)
        if saved is not None:
            found.append(Sentence("saving", _saving_said(saved, asked)))
        if compared.corrected:
            found.append(Sentence("cold", language.say(
                "“As if equally cold”: heating follows the weather. How cold it was is added up "
                "day by day, in degree days, and last year’s use is recalculated for the cold of "
                "this year.")))  # fmt: skip
    # What feeds in what it does not use is one meter, not two.
    meters = sum(day.meters for day in days if not day.source.produced or len(days) == 1)
    found.append(Sentence("meters", language.count(
        "Measured by {n} meter of a public building.",
        "Added up over {n} meters of public buildings; no home is shown.", meters)))  # fmt: skip
    return found


def _saving_said(saved: Saving, asked: Asked) -> str:
    language = asked.language
    n = saved.buildings
    month = _month(saved.month, asked.where.timezone, language)
    if not saved.conclusive:
        return language.count(
            "{month}: whether {n} building used less than it did before cannot be told.",
            "{month}: whether {n} buildings used less than they did before cannot be told.",
            n, month=month)  # fmt: skip
    said = {
        "month": month, "amount": with_unit(Amount(abs(saved.saved)), "kW.h", "gauge", language),
        "margin": with_unit(Amount(saved.margin), "kW.h", "gauge", language),
    }  # fmt: skip
    if saved.saved > 0:
        return language.count(
            "{month}: {n} building used {amount} less than its past lets expect (give or take "
            "{margin}).",
            "{month}: {n} buildings used {amount} less than their past lets expect (give or take "
            "{margin}).", n, **said)  # fmt: skip
    return language.count(
        "{month}: {n} building used {amount} more than its past lets expect (give or take "
        "{margin}).",
        "{month}: {n} buildings used {amount} more than their past lets expect (give or take "
        "{margin}).", n, **said)  # fmt: skip


def _month_chart(compared: YearOnYear, language: Language) -> Chart:
    years = (str(compared.month.year - 1), str(compared.month.year))
    values = (compared.then_day, compared.now_day)
    texts = [language.measured(value, "kW.h") for value in values]
    name = language.say("A day, in kWh")
    corrected = bool(compared.corrected)
    notes = [
        language.say("{year} is recalculated for the cold of this year.", year=years[0])
        if corrected
        else language.say("Both as measured.")
    ]
    if corrected and compared.corrected < compared.buildings:
        notes.append(language.say(
            "Recalculated are the buildings that are heated: {n} of {all}.",
            n=language.number(compared.corrected),
            all=language.number(compared.buildings)))  # fmt: skip
    return Chart(
        key="month", title=language.say("This year and the year before"),
        drawing=pair([Pair(name, tuple(zip(years, values, texts, strict=True)))]),
        said=language.say(
            "All compared buildings together, on a mean day: {then} kWh in {former}, {now} kWh in "
            "{year}.", then=texts[0], former=years[0], now=texts[1], year=years[1]),
        table=Table((language.say("year"), language.say("kWh per day")),
                    tuple(zip(years, texts, strict=True))),
        notes=tuple(notes),
        data={
            "month": str(compared.month), "unit": "kW.h/d", "before": compared.then_day,
            "after": compared.now_day, "buildings": compared.buildings,
            "climate_corrected": compared.corrected,
        },
    )  # fmt: skip


VIEW = View(NAME, TITLE, load, say, every_s=60.0, short="Energy")
