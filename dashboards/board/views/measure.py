"""What changed: a public measure, before and after, where it holds and elsewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from dashboards.board.drawing import interval as intervals
from dashboards.board.drawing.pair import Pair, pair
from dashboards.board.facts import fact
from dashboards.board.figures import Amount
from dashboards.board.ground import reached
from dashboards.board.language import Language
from dashboards.board.sheet import Chart, Fact, Quantity, Sentence, Sheet, Table
from dashboards.board.views import measure_words as words
from dashboards.board.views.measure_rows import Row, Rows, load
from dashboards.board.views.measure_words import Scale
from dashboards.board.views.view import Asked, View

NAME, TITLE = "measure", "What changed"

# Other measures are told in a line each.
MOST_OTHERS = 6

# Evaluations are made anew every few weeks, and a year after the measure for the last time.
STEP_S = 30 * 86400.0
FINAL_D = 364


def say(rows: Rows, asked: Asked, chosen: str = "") -> Sheet:
    """The measure `chosen`, else that of the screen, else the newest that was examined; the others
    in a line each."""
    language, title = asked.language, asked.language.say(TITLE)
    here = [row for row in rows.measures if row.territory in asked.where.codes]
    if not here:
        return Sheet(view=NAME, title=title, empty=language.say(
            "No public measure has been registered here yet."))  # fmt: skip
    first = next((row for row in here if row.code == (chosen or asked.measure)), None) or newest(
        here
    )
    others = [row for row in here if row is not first]
    written = words.scale(first, language)
    return Sheet(
        view=NAME, title=title, lead=_lead(first, written, language),
        facts=_facts(rows, first, written, asked), sentences=_sentences(first, others, asked),
        charts=(*_pair(first, written, language), *_interval(first, written, language)),
    )  # fmt: skip


def newest(rows: list[Row]) -> Row:
    """That which began last, of those with a before and an after; else of those examined; else
    of all."""
    return max(rows, key=lambda row: (row.compared, row.verdict is not None, row.in_force))


def _lead(row: Row, written: Scale, language: Language) -> str:
    more = words.effect(row, written, language) or words.reason(row, language)
    said = (f"{words.title(row, language).rstrip('.')}.", words.verdict(row, language), more)
    return " ".join(part for part in said if part)


def _sentences(row: Row, others: list[Row], asked: Asked) -> tuple[Sentence, ...]:
    language, whole = asked.language, not asked.where.code
    said = [
        Sentence("since", words.since(row, asked.now, language, whole=whole)),
        Sentence("objective", language.say("What it is for: {objective}",
                                           objective=row.objective)),
    ]  # fmt: skip
    if row.decision:
        said.append(Sentence("decided", words.decided(row, language), link=row.decision_url))
    if how := words.way(row, language):
        said.append(Sentence("way", how))
    if row.contact:
        said.append(Sentence("contact", language.say("Questions: {contact}", contact=row.contact),
                             link=reached(row.contact)))  # fmt: skip
    for number, other in enumerate(others[:MOST_OTHERS]):
        parts = (
            f"{words.title(other, language).rstrip('.')}.",
            words.since(other, asked.now, language, whole=whole),
            words.verdict(other, language),
        )
        said.append(Sentence(f"other{number}", language.say("Also: {measure}",
                                                            measure=" ".join(parts))))  # fmt: skip
    return tuple(said)


def _facts(rows: Rows, row: Row, written: Scale, asked: Asked) -> tuple[Fact, ...]:
    """The difference where it may be told, else the verdict; before and after are drawn."""
    language, what = asked.language, words.compared(row, asked.language)
    if not row.compared or row.after_from is None or row.after_to is None:
        return ()
    final = (row.after_to - row.after_from).days >= FINAL_D or row.after_to == row.ends
    word = "" if row.conclusive else language.say("not conclusive")
    made = fact(
        language, key="difference", amount=Amount(row.estimate if row.conclusive else 0.0),
        label=language.say("{what}, compared with elsewhere", what=what), word=word,
        unit=row.unit or "1", kind=row.kind, at=row.until(),
        step_s=float("inf") if final else STEP_S, now=asked.now, timezone=row.timezone,
        period=words.days_said(row, language), beside=words.reason(row, language),
        coverage=language.count("{n} day measured", "{n} days measured", row.days_after or 0),
        indicative=rows.is_indicative(row), method=row.method, domain=row.domain,
    )  # fmt: skip
    if not row.conclusive or row.estimate is None:
        # What may be chance is no figure, neither in words nor as data.
        return (replace(made, quantity=Quantity(None, row.unit or "1", row.until())),)
    ends = sorted((row.low or 0.0, row.high or 0.0))
    beside = language.say("very probably from {low} to {high}", low=written.signed(ends[0]),
                          high=written.signed(ends[1]))  # fmt: skip
    told = replace(made, value=written.signed(row.estimate), unit=written.unit, beside=beside)
    return (told,)


def _sides(row: Row, language: Language) -> tuple[tuple[str, str, float | None, float | None], ...]:
    return (
        ("touched", language.say("where the measure holds"), row.touched_before,
         row.touched_after),
        ("others", language.say("elsewhere"), row.comparison_before, row.comparison_after),
    )  # fmt: skip


def _pair(row: Row, written: Scale, language: Language) -> tuple[Chart, ...]:
    if not row.compared:
        return ()
    before_word, after_word = language.say("before"), language.say("after")
    nothing = language.say("no measurement")

    def text(value: float | None) -> str:
        return nothing if value is None else written.number(value)

    sides = _sides(row, language)
    drawing = pair(
        [
            Pair(label[:1].upper() + label[1:],
                 ((before_word, before, text(before)), (after_word, after, text(after))))
            for _, label, before, after in sides
        ]
    )  # fmt: skip
    said = " ".join(
        language.say("{where}: {before} before, {after} after.", where=label[:1].upper() + label[1:],
                     before=text(before), after=text(after))
        for _, label, before, after in sides
    )  # fmt: skip
    what = words.in_full(row, language)
    unit = "" if row.in_percent else written.unit
    heading = language.say("Before and after: {what}", what=what)
    note = language.say("Means of days and places.")
    if unit:
        note = language.say("Means of days and places, in {unit}.", unit=unit)
    if row.in_percent:
        note = language.say("Means of days and places; before is 100 everywhere.")
    return (
        Chart(
            key="pair", title=heading, drawing=drawing, said=said,
            table=Table(
                ("", before_word, after_word),
                tuple((label, text(before), text(after)) for _, label, before, after in sides),
            ),
            notes=(note,),
            data={
                "measure": row.code, "unit": "%" if row.in_percent else row.unit,
                "before_from": _iso(row.before_from), "before_to": _iso(row.before_to),
                "after_from": _iso(row.after_from), "after_to": _iso(row.after_to),
                "series": {
                    key: {"before": before, "after": after} for key, _, before, after in sides
                },
                "verdict": row.verdict, "reason": row.reason,
            },
        ),
    )  # fmt: skip


def _interval(row: Row, written: Scale, language: Language) -> tuple[Chart, ...]:
    """Only where an interval means what it shows."""
    if row.interval is None:
        return ()
    estimate, low, high = row.interval
    unit = f"\u00a0{written.unit}" if written.unit else ""
    drawing = intervals.interval(
        estimate, low, high,
        intervals.Words(
            zero=language.say("no difference"),
            estimate=f"{written.signed(estimate)}{unit}" if row.conclusive else "",
            low=written.signed(low), high=written.signed(high), less=language.say("less"),
            more=language.say("more"),
        ),
    )  # fmt: skip
    ends = {"low": written.signed(low), "high": written.signed(high)}
    lines = [(language.say("at least"), ends["low"]), (language.say("at most"), ends["high"])]
    if row.conclusive:
        lines.insert(0, (language.say("measured"), written.signed(estimate)))
        said = language.say("Measured: {estimate}{unit}; very probably between {low} and {high}.",
                            estimate=written.signed(estimate), unit=unit, **ends)  # fmt: skip
        note = language.say(
            "The dot was measured. The truth lies in such a box 95 times out of 100.")  # fmt: skip
    else:
        said = language.say("Very probably between {low} and {high}{unit}.", unit=unit, **ends)
        note = language.say(
            "The box reaches over “no difference”: nothing is claimed.")  # fmt: skip
    return (
        Chart(
            key="interval", title=language.say("The difference from elsewhere, and how sure it is"),
            drawing=drawing, said=f"{said} {note}",
            table=Table(
                (language.say("Difference"), written.unit or language.say("number")), tuple(lines),
            ),
            notes=(note, language.say("In {unit}.", unit=written.unit)) if written.unit else (note,),
            data={
                "measure": row.code, "unit": "%" if row.in_percent else row.unit,
                "low": low, "high": high, "confidence": 0.95, "conclusive": row.conclusive,
                **({"estimate": estimate} if row.conclusive else {}),
            },
        ),
    )  # fmt: skip


def _iso(day: date | None) -> str | None:
    return str(day) if day is not None else None


VIEW = View(NAME, TITLE, load, say, every_s=300.0, short="Changes")
