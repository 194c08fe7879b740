"""How a figure says its state, age and coverage: the same in every view."""

from __future__ import annotations

from datetime import datetime

from dashboards.board.figures import SMALL_COUNT, Amount
from dashboards.board.language import NO_BREAK, Language
from dashboards.board.sheet import Fact, Quantity, State
from dashboards.board.sparkline import Spark

# Clocks differ a little. What lies further ahead than this cannot be called new. [s]
AHEAD_S = 300.0


def state_of(age_s: float | None, step_s: float) -> State:
    """Freshness by the expected step: late after two, stale after six.

    >>> [state_of(age, 60).value for age in (119, 121, 361, None)]
    ['fresh', 'late', 'stale', 'absent']
    """
    if age_s is None:
        return State.ABSENT
    if age_s > 6 * step_s:
        return State.STALE
    return State.LATE if age_s > 2 * step_s else State.FRESH


def state_said(state: State, at: datetime | None, timezone: str, language: Language) -> str:
    """The state in words; what is stale says of when it is.

    >>> from dashboards.board.language import language
    >>> state_said(State.ABSENT, None, "Europe/Paris", language("fr"))
    'sans donnée'
    """
    if state is State.STALE and at is not None:
        return language.say("data of {moment}", moment=language.moment(at, timezone))
    return {
        State.FRESH: language.say("up to date"),
        State.LATE: language.say("late"),
        State.STALE: language.say("old data"),
        State.ABSENT: language.say("no data"),
    }[state]


def amount_said(amount: Amount, unit: str, kind: str, language: Language) -> str:
    """A published quantity without its unit; a dash where there is none."""
    if amount.value is None:
        return "\u2013"
    if amount.hidden:
        return f"<{NO_BREAK}{SMALL_COUNT}"
    return language.measured(amount.value, unit, kind)


def with_unit(amount: Amount, unit: str, kind: str, language: Language) -> str:
    """A published quantity and its unit, or a dash."""
    text, sign = amount_said(amount, unit, kind, language), language.unit(unit, kind)
    return f"{text}{NO_BREAK}{sign}" if sign and amount.value is not None else text


def share_said(received: int, expected: int, language: Language) -> str:
    """How much of what was due has come, at most all of it; nothing where nothing was due.

    >>> from dashboards.board.language import language
    >>> share_said(72, 96, language("en")), share_said(0, 0, language("en"))
    ('75% received', '')
    """
    if not expected:
        return ""
    return language.say("{share} received", share=language.percent(min(received / expected, 1)))


def sensors_said(heard: int, known: int, language: Language) -> str:
    """How many of the sensors are behind a figure.

    >>> from dashboards.board.language import language
    >>> sensors_said(8, 9, language("fr"))
    'capteurs\\xa0: 8 sur 9'
    """
    return language.say("sensors: {heard} of {known}", heard=language.number(heard),
                        known=language.number(known))  # fmt: skip


def fact(
    language: Language,
    *,
    key: str,
    label: str,
    amount: Amount,
    unit: str,
    kind: str = "gauge",
    at: datetime | None,
    step_s: float,
    now: datetime,
    timezone: str,
    period: str = "",
    beside: str = "",
    coverage: str = "",
    received: int | None = None,
    expected: int | None = None,
    indicative: bool = False,
    method: str = "",
    word: str = "",
    grade: int = 0,
    domain: str = "",
    spark: Spark | None = None,
    curve: str = "",
    course: tuple[tuple[datetime, Amount], ...] = (),
) -> Fact:
    """A figure in words.

    `at` is until when it speaks, `step_s` how often it is expected anew; `word` stands in place
    of the number, as the class of an index does. A figure without a value has no age: it says
    that there is no measurement, and never 0. One of a time to come is not fresh: it says of when
    it is, since some clock is wrong.
    """
    absent = amount.value is None
    age_s = None if absent or at is None else (now - at).total_seconds()
    ahead = age_s is not None and age_s < -AHEAD_S
    state = State.STALE if ahead else state_of(age_s, step_s)
    note = ""
    if absent:
        note = language.say("no measurement")
    elif amount.about and not amount.hidden:
        note = language.say("about")
    return Fact(
        key=key, label=label, period=period,
        value="" if absent else word or amount_said(amount, unit, kind, language),
        unit="" if absent or word else language.unit(unit, kind),
        note=note, beside=beside, state=state, said=state_said(state, at, timezone, language),
        age=language.say("ahead of the clock") if ahead
        else "" if age_s is None else language.age(max(age_s, 0.0)), coverage=coverage,
        indicative=language.say("indicative measurement") if indicative and not absent else "",
        method=method, grade=0 if absent else grade, domain=domain, spark=spark, curve=curve,
        course=course,
        quantity=Quantity(
            None if amount.hidden else amount.value, unit, at,
            SMALL_COUNT if amount.hidden else None, amount.about, received, expected,
        ),
    )  # fmt: skip
