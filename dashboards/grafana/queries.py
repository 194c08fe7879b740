"""Pieces that queries of several pages are made of.

Every query reads the views of the schema `reader`, which hold the rows of the reader's
territories only. None reads readings over more than 6 hours: a panel over a year reads days.
"""

from __future__ import annotations

from dashboards.grafana.page import Choice, Marks
from dashboards.grafana.text import text
from storage.catalogue import Domain

CHOSEN = "territory IN ($territory) AND site IN ($site)"

_SPAN = "$__unixEpochTo() - $__unixEpochFrom()"
_FEW_DAYS, _SOME_WEEKS = 2 * 86400, 31 * 86400
_HOURS = {"quarter_hours": "0.25", "hours": "1", "days": "24"}


def windows(domain: Domain, columns: str, where: str) -> str:
    """Windows as long as the range asks for, from whatever series has.

    Up to two days quarter-hours, up to a month hours, else local days. A series that is sent
    less often than that is taken from the shortest windows it has, so that none is missing.
    Text of a subquery, to stand within ``FROM (…) w``; `columns` and `where` may name whatever
    columns the views of windows have; ``@hours`` in `columns` is how many hours a window has (24
    also on the two days a year that have not). The range is filtered here.

    The comparisons of the range hold constants only, so that the database leaves out what is
    not asked for before it starts.
    """

    def of(view: str, when: str) -> str:
        return (
            f"SELECT {columns.replace('@hours', _HOURS[view])} FROM reader.{domain}_{view}\n"
            f" WHERE $__timeFilter(start) AND ({where}) AND {when}"
        )  # fmt: skip

    return "\nUNION ALL\n".join((
        of("quarter_hours", f"{_SPAN} <= {_FEW_DAYS}"),
        of("hours", f"{_SPAN} > {_FEW_DAYS} AND {_SPAN} <= {_SOME_WEEKS}"),
        of("hours", f"{_SPAN} <= {_FEW_DAYS} AND step_s > 900 AND step_s <= 3600"),
        of("days", f"{_SPAN} > {_SOME_WEEKS}"),
        of("days", f"{_SPAN} <= {_SOME_WEEKS} AND step_s > 3600"),
    ))  # fmt: skip


DAYS = "start > $__timeFrom()::timestamptz - interval '48 hours' AND start <= $__timeTo()"
"""Figures of days in a table: those of the range, and of the last closed day at least."""


def beginnings(unit: str, count: int, days: int = 1) -> str:
    """Figures that begin in the first `days` of the `count` newest months or years of the range.

    Figures of a month or year stand at its start: with the days said, no others are read.
    """
    first = f"date_trunc('{unit}', $__timeTo()::timestamptz)"
    spans = " OR ".join(
        f"(start >= {first} - interval '{ago} {unit} 1 day'"
        f" AND start < {first} - interval '{ago} {unit}' + interval '{days} days')"
        for ago in range(count)
    )
    return f"start <= $__timeTo() AND ({spans})"


TERRITORY = Choice(
    "territory",
    text("Commune", "Commune", "Gemeinde"),
    "SELECT territory_name AS __text, territory AS __value FROM reader.territories ORDER BY 1",
)

SITE = Choice(
    "site",
    text("Lieu", "Site", "Ort"),
    "SELECT DISTINCT site_name AS __text, site AS __value FROM reader.sites\n"
    " WHERE territory IN ($territory) ORDER BY 1",
)


def sites_of(domain: Domain) -> Choice:
    """Sites that measure something of one trade."""
    return Choice(
        SITE.name,
        SITE.label,
        "SELECT DISTINCT site_name AS __text, site AS __value FROM reader.series\n"
        f" WHERE domain = '{domain}' AND territory IN ($territory) ORDER BY 1",
    )


def metrics_of(domain: Domain) -> Choice:
    """Metrics that somebody measures, of one trade."""
    return Choice(
        "metric",
        text("Mesure", "Metric", "Messgröße"),
        "SELECT DISTINCT label_@language AS __text, metric AS __value FROM reader.series\n"
        f" WHERE domain = '{domain}' AND territory IN ($territory) AND site IN ($site) ORDER BY 1",
    )


MEASURES = Marks(
    text("Mesures prises par la ville", "Measures the city took", "Maßnahmen der Stadt"),
    "SELECT in_force::timestamptz AS time, ends::timestamptz AS timeend, title_@language AS title,\n"
    "       objective AS text, code AS tags\n"
    "  FROM reader.measures\n"
    " WHERE territory IN ($territory) AND in_force::timestamptz <= $__timeTo()\n"
    "   AND coalesce(ends::timestamptz, in_force::timestamptz) >= $__timeFrom()\n"
    " ORDER BY 1",
    "purple",
)

OUTAGES = Marks(
    text("Capteurs muets", "Silent sensors", "Stumme Sensoren"),
    "SELECT since AS time, closed_at AS timeend, site_name || ' · ' || sensor AS title,\n"
    "       metric AS text, kind AS tags\n"
    "  FROM reader.alerts\n"
    " WHERE kind = 'silence' AND territory IN ($territory) AND site IN ($site)\n"
    "   AND since <= $__timeTo() AND coalesce(closed_at, now()) >= $__timeFrom()\n"
    " ORDER BY 1 LIMIT 200",
    "orange",
)
