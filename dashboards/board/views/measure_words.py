"""What an evaluation says, in words that promise no more than was found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dashboards.board.language import NO_BREAK, Language
from dashboards.board.views.measure_rows import POLLUTANTS, Row
from storage.evaluations import Matching, Reason, Verdict

MOST_DECIMALS = 3


@dataclass(frozen=True, slots=True)
class Scale:
    """How the numbers of one measure are written: all with the same decimals."""

    language: Language
    unit: str
    factor: float
    decimals: int
    points: bool

    def number(self, value: float) -> str:
        """Without its unit."""
        return self.language.number(value * self.factor, self.decimals)

    def signed(self, value: float) -> str:
        """With a plus or a minus before it."""
        text = self.number(value)
        return f"+{text}" if value > 0 and text.strip("0.,") else text

    def size(self, value: float) -> str:
        """How much, whichever way, with its unit."""
        text, size = self.number(abs(value)), abs(value)
        if self.points:
            one = 1 if round(size, self.decimals) == 1 else 2
            return self.language.count("{size} point", "{size} points", one, size=text)
        return f"{text}{NO_BREAK}{self.unit}" if self.unit else self.language.number(
            size * self.factor, self.decimals)  # fmt: skip


def scale(row: Row, language: Language) -> Scale:
    """One decimal below ten, and more where a bound would be rounded to 0."""
    state = row.kind == "state" and not row.in_percent
    factor = 100.0 if state else 1.0
    levels = (row.touched_before, row.touched_after, row.comparison_before, row.comparison_after)
    size = abs(row.estimate) if row.estimate else max(
        (abs(each) for each in levels if each is not None), default=0.0)  # fmt: skip
    decimals = 0 if size * factor >= 9.95 else 1
    bounds = [abs(each) * factor for each in row.interval or () if each]
    while decimals < MOST_DECIMALS and any(each < 0.5 * 10**-decimals for each in bounds):
        decimals += 1
    if row.in_percent:
        return Scale(language, language.say("points"), 1.0, decimals, True)
    return Scale(language, language.unit(row.unit or "1", row.kind), factor, decimals, False)


def title(row: Row, language: Language) -> str:
    """In the reader's language where the city wrote one, else in one that there is."""
    known = {"fr": row.title_fr, "en": row.title_en, "de": row.title_de}
    return known.get(language.code) or row.title_fr or row.title_en or row.title_de


def compared(row: Row, language: Language) -> str:
    """What is measured before and after."""
    name = language.label(row.labels[-1]) if row.labels else row.method
    name = name.rsplit(" (", 1)[0] if row.kind == "index" else name
    if row.daily == "total" and not row.in_percent:
        return language.say("{what} per day", what=name)
    return name


def in_full(row: Row, language: Language) -> str:
    """The same with the indicator, where it is one of a metric."""
    name = compared(row, language)
    return f"{name} – {language.label(row.labels[0])}" if len(row.labels) > 1 else name


def days_said(row: Row, language: Language) -> str:
    """The days after, from the first to the last."""
    if row.after_from is None or row.after_to is None:
        return ""
    last = row.after_to - timedelta(days=1)
    first = day_said(row.after_from, row, language)
    if row.after_from.year == last.year:
        first = language.day(row.midnight(row.after_from), row.timezone)
    return language.say("{first} to {last}", first=first, last=day_said(last, row, language))


def day_said(day: date, row: Row, language: Language) -> str:
    """A local day with its year."""
    return f"{language.day(row.midnight(day), row.timezone)} {day.year}"


def verdict(row: Row, language: Language) -> str:
    """The verdict as a sentence."""
    if row.verdict is None:
        return language.say("What it changed has not been examined yet.")
    if not row.conclusive:
        return language.say("Nobody can tell yet whether it changed anything.")
    less = (row.estimate or 0.0) < 0
    if row.metric in POLLUTANTS:
        if less:
            return language.say("The air got cleaner there, compared with elsewhere.")
        return language.say("The air got worse there, compared with elsewhere.")
    if row.metric == "noise_level":
        if less:
            return language.say("It got quieter there, compared with elsewhere.")
        return language.say("It got louder there, compared with elsewhere.")
    if row.verdict == Verdict.EXPECTED:
        return language.say("What was hoped for has come about.")
    return language.say("The opposite of what was hoped for has come about.")


def effect(row: Row, written: Scale, language: Language) -> str:
    """By how much; only where it is conclusive."""
    if not row.conclusive or row.estimate is None or row.low is None or row.high is None:
        return ""
    ends = sorted((abs(row.low), abs(row.high)))
    said = {
        "what": compared(row, language), "size": written.size(row.estimate),
        "low": written.number(ends[0]), "high": written.number(ends[1]),
    }  # fmt: skip
    if row.estimate < 0:
        return language.say(
            "{what}: {size} less than if it had changed as elsewhere (very probably between {low} "
            "and {high}).", **said)  # fmt: skip
    return language.say(
        "{what}: {size} more than if it had changed as elsewhere (very probably between {low} "
        "and {high}).", **said)  # fmt: skip


def reason(row: Row, language: Language) -> str:
    """Why nothing can be concluded; empty where something can, or nothing was examined."""
    if row.verdict is None or row.conclusive:
        return ""
    return {
        Reason.NOTHING.value: language.say("Nothing was measured where the measure holds."),
        Reason.OTHER_MEASURE.value: language.say(
            "Another measure came to the same places in the same days: what each of them did "
            "cannot be told apart."),
        Reason.EARLY.value: language.say("The days to compare have not begun yet."),
        Reason.FEW_BEFORE.value: language.say("Too few days were measured before it."),
        Reason.FEW_AFTER.value: language.say("Too few days have been measured since."),
        Reason.NO_OTHERS.value: language.say(
            "There are no other places, measured for long enough, to compare with."),
        Reason.ONE_OTHER.value: language.say(
            "There is only one other place to compare with, and something else may have happened "
            "there."),
        Reason.TRENDS.value: language.say(
            "These places and the others were going different ways before it already."),
        Reason.COVERS.value: language.say("The difference may be chance alone."),
        Reason.UNCHECKED.value: language.say(
            "Too few days were measured before it to see whether these places and the others were "
            "going the same way."),
    }.get(row.reason or "", "")  # fmt: skip


def since(row: Row, now: datetime, language: Language, *, whole: bool) -> str:
    """Since when it holds, and where if the reader asked for the whole installation."""
    day = day_said(row.in_force, row, language)
    place = row.territory_name if whole else ""
    if now < row.midnight(row.in_force):
        said = language.say("Begins on {day}.", day=day)
    elif row.ends is not None and now >= row.midnight(row.ends):
        last = day_said(row.ends - timedelta(days=1), row, language)
        said = language.say("Held from {day} to {last}.", day=day, last=last)
    else:
        said = language.say("In force since {day}.", day=day)
    return f"{place}. {said}" if place else said


def decided(row: Row, language: Language) -> str:
    """Who decided it, and when."""
    if row.decision_date is None:
        return language.say("Decision: {decision}.", decision=row.decision.rstrip("."))
    return language.say("Decision: {decision}, {day}.", decision=row.decision.rstrip("."),
                        day=day_said(row.decision_date, row, language))  # fmt: skip


def way(row: Row, language: Language) -> str:
    """How it was examined, in the numbers of this measure."""
    if not row.compared or row.after_from is None or row.after_to is None:
        return ""
    said = [
        language.count("{n} place where it holds", "{n} places where it holds",
                       row.touched_sites or 0),
        language.count("{n} other place", "{n} other places", row.comparison_sites or 0),
        language.count("{n} day before", "{n} days before", row.days_before or 0),
        language.count("{n} day after", "{n} days after", row.days_after or 0),
    ]  # fmt: skip
    lines = [language.say("Compared: {list}.", list=", ".join(said))]
    if row.matching == Matching.YEAR:
        lines.append(language.say("The days before are those of the same season a year earlier."))
    elif row.matching == Matching.WEEKDAYS:
        lines.append(language.say("The days before are those just before, weekday by weekday."))
    if row.settled is not None and row.settled > row.in_force:
        last = day_said(row.settled - timedelta(days=1), row, language)
        lines.append(language.say("The days from its beginning to {last}, while it was being put "
                                  "in place, do not count.", last=last))  # fmt: skip
    if row.conclusive:
        lines.append(language.say(
            "The same comparison was made of the time before the measure, and shows no difference "
            "there: the places were going the same way."))  # fmt: skip
    return " ".join(lines)
