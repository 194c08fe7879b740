"""What was usual: a window beside the same windows of the four weeks before it."""

from __future__ import annotations

from dashboards.grafana.queries import CHOSEN, SPAN
from dashboards.grafana.text import Text, text
from storage.catalogue import Domain

USUAL = text("habituel", "usual", "üblich")
"""What lines of the usual are called; a course draws those that contain it dashed."""

DASHED = "|".join(USUAL[language] for language in USUAL)

_SIX_DAYS, _TWO_WEEKS = 6 * 86400, 15 * 86400
_FROM, _TO = "$__timeFrom()::timestamptz", "$__timeTo()::timestamptz"

# A count of which a quarter is missing is no low count; other kinds know what they missed.
_WHOLE = "NOT provisional AND (kind <> 'count' OR received * 4 >= expected * 3)"


def said(words: Text) -> str:
    """Words in the language of the page, as an expression of SQL.

    >>> said({"fr": "aujourd'hui", "en": "today", "de": "heute"})
    "CASE '@language' WHEN 'fr' THEN 'aujourd''hui' WHEN 'de' THEN 'heute' ELSE 'today' END"
    """
    quoted = {language: "'" + word.replace("'", "''") + "'" for language, word in words.items()}
    return (
        f"CASE '@language' WHEN 'fr' THEN {quoted['fr']} WHEN 'de' THEN {quoted['de']}"
        f" ELSE {quoted['en']} END"
    )  # fmt: skip


def against_usual(domain: Domain, value: str, where: str) -> str:
    """Windows of series with what was usual: ``value`` and ``usual`` of each.

    The usual is the mean of the same hours, by local time, of the four weeks before, of two of
    them at least; NULL where fewer are known. Up to 15 days hours, else local days; series that
    are read less often than once an hour have days only. Windows that are still open, and counts
    of which more than a quarter is missing, are left out on both sides.

    `value` is an expression of the columns that windows have and of ``hours``, the length of the
    window. Text of a subquery with the columns ``start, territory, site, site_name, sensor,
    series_id, metric, value, usual``.
    """

    def of(view: str, times: str, when: str) -> str:
        return (
            "SELECT start, territory, site, site_name, sensor, series_id, metric, mean, total,\n"
            f"       '{view}' AS length FROM reader.{domain}_{view}\n"
            f" WHERE {times} AND {when}\n   AND {CHOSEN} AND {_WHOLE} AND ({where})"
        )

    # Five slices where they do not touch, else all that lies between. An hour more on both sides
    # for the weeks in which the clocks change.
    slices = [
        of(
            "hours",
            f"start >= {_FROM} - interval '{168 * week + 1} hours'"
            f" AND start <= {_TO} - interval '{168 * week - 1} hours'",
            f"{SPAN} <= {_SIX_DAYS}",
        )
        for week in range(5)
    ]
    since = f"start >= {_FROM} - interval '673 hours' AND start <= {_TO}"
    rows = "\nUNION ALL\n".join((
        *slices,
        of("hours", since, f"{SPAN} > {_SIX_DAYS} AND {SPAN} <= {_TWO_WEEKS}"),
        of("days", since, f"{SPAN} > {_TWO_WEEKS}"),
    ))  # fmt: skip
    return (
        "SELECT start, territory, site, site_name, sensor, series_id, metric, value,\n"
        "       CASE WHEN weeks >= 2 THEN usual END AS usual FROM (\n"
        "SELECT l.*, avg(value) OVER past AS usual, count(value) OVER past AS weeks FROM (\n"
        f"SELECT h.*, ({value})::float8 AS value FROM (\n"
        # Materialized, for else all windows would be read once per territory.
        f"WITH r AS MATERIALIZED (\n{rows}\n)\n"
        # Half a day after its beginning, a local day is the same day in UTC.
        "SELECT r.*, CASE length\n"
        "       WHEN 'days' THEN floor((date_part('epoch', r.start) + 43200) / 86400)::int8 * 86400\n"
        "       ELSE date_part('epoch', r.start AT TIME ZONE t.timezone)::int8 END AS local_s,\n"
        "       CASE length WHEN 'days' THEN date_part('epoch',\n"
        "            (r.start AT TIME ZONE t.timezone + interval '1 day') AT TIME ZONE t.timezone\n"
        "            - r.start) / 3600 ELSE 1 END AS hours\n"
        "  FROM r JOIN reader.territories t USING (territory)) h) l\n"
        "WINDOW past AS (PARTITION BY series_id, local_s % 604800 ORDER BY local_s / 604800\n"
        "                RANGE BETWEEN 4 PRECEDING AND 1 PRECEDING)) u\n"
        " WHERE $__timeFilter(start)"
    )
