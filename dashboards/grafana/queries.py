"""Pieces that queries of several pages are made of.

Every query reads the views of the schema `reader`, which hold the rows of the reader's
territories only. None reads readings over more than 6 hours: a panel over a year reads days.
"""

from __future__ import annotations

from dashboards.grafana.page import Choice, Marks
from dashboards.grafana.text import text
from storage.catalogue import Domain

CHOSEN = "territory IN ($territory) AND site IN ($site)"

SPAN = "$__unixEpochTo() - $__unixEpochFrom()"
"""How long the range is. [s]"""

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
        of("quarter_hours", f"{SPAN} <= {_FEW_DAYS}"),
        of("hours", f"{SPAN} > {_FEW_DAYS} AND {SPAN} <= {_SOME_WEEKS}"),
        of("hours", f"{SPAN} <= {_FEW_DAYS} AND step_s > 900 AND step_s <= 3600"),
        of("days", f"{SPAN} > {_SOME_WEEKS}"),
        of("days", f"{SPAN} <= {_SOME_WEEKS} AND step_s > 3600"),
    ))  # fmt: skip


# The first comparison is for the database, which keeps figures by their start.
DAYS = (
    "start > $__timeFrom()::timestamptz - interval '50 hours' AND start <= $__timeTo()\n"
    "   AND stop > least($__timeFrom()::timestamptz, $__timeTo()::timestamptz - interval '24 hours')"
)
"""Figures of days in a table: those that end in the range or later, and the last closed day at
least. None that was over before, for sums would have a day too many."""


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
    "SELECT m.since AS time, m.until AS timeend, m.title_@language AS title,\n"
    "       m.objective AS text, m.code AS tags FROM (\n"
    "SELECT n.*, n.in_force::timestamp AT TIME ZONE t.timezone AS since,\n"
    "       n.ends::timestamp AT TIME ZONE t.timezone AS until\n"
    "  FROM reader.measures n JOIN reader.territories t USING (territory)\n"
    " WHERE territory IN ($territory)) m\n"
    " WHERE m.since <= $__timeTo() AND coalesce(m.until, m.since) >= $__timeFrom()\n"
    " ORDER BY 1",
    "purple",
)

# Those that began and ended together are one mark: drawn upon one another, marks hide the course.
# One that is not over lasts up to now; without an end only its beginning would be drawn.
OUTAGES = Marks(
    text("Capteurs muets", "Silent sensors", "Stumme Sensoren"),
    "SELECT since AS time, until AS timeend,\n"
    "       CASE WHEN silent = 1 THEN one ELSE silent || CASE '@language'\n"
    "            WHEN 'fr' THEN ' séries muettes' WHEN 'de' THEN ' stumme Reihen'\n"
    "            ELSE ' silent series' END END AS title,\n"
    "       left(named, 120) AS text, '' AS tags FROM (\n"
    "SELECT min(since) AS since, max(coalesce(closed_at, now())) AS until, count(*) AS silent,\n"
    "       min(site_name || ' · ' || sensor) AS one,\n"
    "       CASE WHEN count(*) = 1 THEN min(label_@language)\n"
    "            ELSE string_agg(DISTINCT site_name, ', ') END AS named\n"
    "  FROM reader.alerts\n"
    " WHERE kind = 'silence' AND territory IN ($territory) AND site IN ($site)\n"
    "   AND since <= $__timeTo() AND coalesce(closed_at, now()) >= $__timeFrom()\n"
    " GROUP BY date_trunc('hour', since), date_trunc('hour', closed_at)\n"
    " ORDER BY count(*) DESC, 1 DESC LIMIT 20) a\n"
    " ORDER BY 1",
    "orange",
)
