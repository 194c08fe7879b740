"""One language of the board: its words by gettext, its numbers and dates by locale.

Texts in the code are English. A language is one file, ``locale/<code>.po``; what it does not
say stays English and is told by ``beffroi board check``.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

NO_BREAK = "\u00a0"

_SOURCE = "en"
# English dates as Europe writes them: the day first, a clock of 24 hours.
_REGIONS = {_SOURCE: "en_GB"}
_FIRST = ("fr", "en", "de")

# UCUM -> what people read.
_UNITS = {
    "1": "", "ug/m3": "µg/m³", "mg/m3": "mg/m³", "Cel": "°C", "deg": "°", "h-1": "/h",
    "kW.h": "kWh", "m3": "m³", "kV.A": "kVA", "d-1": "/d", "K.d": "K·d", "kW.h/m2": "kWh/m²",
}  # fmt: skip


def codes() -> tuple[str, ...]:
    """Every language there is a file for, and the source: French, English, German, others.

    >>> codes()[:3]
    ('fr', 'en', 'de')
    """
    found = {_SOURCE} | {
        entry.name.removesuffix(".po")
        for entry in files("dashboards.board").joinpath("locale").iterdir()
        if entry.name.endswith(".po")
    }
    return (*(code for code in _FIRST if code in found), *sorted(found.difference(_FIRST)))


def catalogue(code: str) -> Catalog:
    """What the file of a language says."""
    source = files("dashboards.board").joinpath("locale", f"{code}.po")
    return read_po(io.BytesIO(source.read_bytes()), locale=code)


@cache
def language(code: str) -> Language:
    """The language of that code, read once."""
    return Language(code)


class Language:
    """Words, numbers and times as one language writes them."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.locale = Locale.parse(_REGIONS.get(code, code))
        self._words = NullTranslations() if code == _SOURCE else _compiled(catalogue(code))
        self.name = (self.locale.get_language_name(code) or code).capitalize()

    def say(self, text: str, **given: object) -> str:
        """The text in this language, ``{names}`` filled in.

        >>> language("fr").say("no measurement")
        'pas de mesure'
        """
        found = self._words.gettext(text)
        return found.format(**given) if given else found

    def count(self, one: str, many: str, n: int, **given: object) -> str:
        """The form that goes with the number `n`, which stands for ``{n}``.

        >>> language("en").count("{n} day", "{n} days", 1)
        '1 day'
        """
        return self._words.ngettext(one, many, n).format(n=self.number(n), **given)

    def label(self, labels: Mapping[str, str]) -> str:
        """A name that the catalogue states in its own languages; others translate the English."""
        label = labels.get(self.code) or self.say(labels[_SOURCE])
        return label.replace("'", "\u2019")

    def number(self, value: float, decimals: int = 0) -> str:
        """A number; halves round away from zero, as people do.

        >>> language("de").number(12345.5), language("en").number(-0.04, 1)
        ('12.346', '0.0')
        """
        step = Decimal(1).scaleb(-decimals)
        rounded = Decimal(repr(float(value))).quantize(step, ROUND_HALF_UP)
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        text = format_decimal(rounded or Decimal(0).quantize(step), pattern, self.locale)
        return text.replace("-", "\u2212")

    def measured(self, value: float, unit: str, kind: str = "gauge") -> str:
        """A value with as many decimals as are worth reading, without its unit.

        >>> language("fr").measured(7.44, "ug/m3"), language("en").measured(0.25, "1", "state")
        ('7,4', '25')
        """
        if kind == "state":
            return self.number(100 * value)
        if unit == "1":
            return self.number(value)
        return self.number(value, 1 if unit == "Cel" or abs(value) < 9.95 else 0)

    def unit(self, unit: str, kind: str = "gauge") -> str:
        """What to print after a value; a state is shown as the share of time it held."""
        return "%" if kind == "state" else _UNITS.get(unit, unit)

    def percent(self, share: float) -> str:
        """A share in whole per cent, down, so that a gap never rounds to a full 100 %.

        >>> language("en").percent(0.985), language("fr").percent(1)
        ('98%', '100\\xa0%')
        """
        text = self.number(int(100 * share + 1e-9))
        return str(self.locale.percent_formats[None].pattern).replace("#,##0", text)

    def age(self, age_s: float) -> str:
        """How long ago, rounded down.

        >>> language("fr").age(185), language("en").age(59)
        ('il y a 3\\xa0min', 'just now')
        """
        if age_s < 60:
            return self.say("just now")
        if age_s < 3600:
            return self.say("{n} min ago", n=int(age_s // 60))
        if age_s < 86400:
            return self.say("{n} h ago", n=int(age_s // 3600))
        return self.say("{n} d ago", n=int(age_s // 86400))

    def clock(self, time: datetime, timezone: str) -> str:
        """Local wall-clock time."""
        return str(format_time(time.astimezone(ZoneInfo(timezone)), "HH:mm", locale=self.locale))

    def date(self, time: datetime, timezone: str) -> str:
        """Local date with its weekday.

        >>> from datetime import UTC
        >>> language("fr").date(datetime(2026, 3, 1, 23, 30, tzinfo=UTC), "Europe/Paris")
        'lundi 2 mars 2026'
        """
        return self._first(format_date(time.astimezone(ZoneInfo(timezone)), "full", self.locale))

    def day(self, time: datetime, timezone: str) -> str:
        """Local day and month."""
        local = time.astimezone(ZoneInfo(timezone))
        return self._first(format_skeleton("MMMd", local, locale=self.locale))

    def moment(self, time: datetime, timezone: str) -> str:
        """Local date and time without the year.

        >>> from datetime import UTC
        >>> language("fr").moment(datetime(2026, 3, 12, 13, 5, tzinfo=UTC), "Europe/Paris")
        '12 mars 14:05'
        """
        return f"{self.day(time, timezone)} {self.clock(time, timezone)}"

    def month(self, time: datetime, timezone: str) -> str:
        """Local month and year."""
        local = time.astimezone(ZoneInfo(timezone))
        return str(format_skeleton("yMMMM", local, locale=self.locale))

    def _first(self, date: str) -> str:
        """The first of a month is an ordinal in French."""
        if self.code != "fr":
            return date
        return " ".join("1er" if word == "1" else word for word in date.split(" "))


def _compiled(known: Catalog) -> GNUTranslations:
    compiled = io.BytesIO()
    write_mo(compiled, known)
    compiled.seek(0)
    return GNUTranslations(compiled)
