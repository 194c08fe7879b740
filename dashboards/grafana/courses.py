"""Courses of figures: a line per series or per site, as many as people can tell apart."""

from __future__ import annotations

from dashboards.grafana.queries import CHOSEN
from storage.indicators.catalogue import INDICATORS, POSITION
from storage.indicators.word import Indicator, Subject

TOP = 12

SITE_LABEL = (
    "site_name || CASE WHEN (SELECT count(*) FROM reader.territories) > 1"
    " THEN ' · ' || territory_name ELSE '' END"
)
"""What a line of one site is called: with its territory where the reader sees several."""

_SERIES_LABELS = (
    "SELECT series_id, site_name || ' · ' || sensor ||\n"
    "       CASE WHEN count(*) OVER (PARTITION BY sensor, metric) > 1 THEN '/' || field\n"
    "            ELSE '' END AS label FROM reader.series WHERE domain = '{domain}'"
)


def indicator(name: str) -> Indicator:
    """A line of the catalogue of indicators, for its unit and labels."""
    return INDICATORS[POSITION[name]]


def series_labels(domain: str) -> str:
    """Subquery of ``series_id, label``: site and sensor, with the field where it has several."""
    return _SERIES_LABELS.format(domain=domain)


def highest(
    name: str, top: int = TOP, where: str = "true", chosen: str = CHOSEN, series: str = ""
) -> str:
    """The courses of an indicator in the range, of the `top` subjects with the highest mean.

    `series` is the domain of its series, where they are another trade's than the indicator.
    """
    said = indicator(name)
    return top_courses(
        said.domain,
        said.subject,
        f"SELECT start, subject_id, series_id, site_name, territory_name, value\n"
        f"  FROM reader.{said.domain}_figures\n"
        f" WHERE indicator = '{name}' AND $__timeFilter(start) AND {chosen}\n"
        f"   AND value IS NOT NULL AND ({where})",
        top,
        series,
    )


def top_courses(
    domain: str, subject: Subject, figures: str, top: int = TOP, series: str = ""
) -> str:
    """The lines of `figures` whose mean is highest, as a course.

    `figures` is a subquery of ``start, subject_id, series_id, site_name, territory_name, value``.
    Names are found last, for there are few lines left then.
    """
    if subject is Subject.SERIES:
        label, labels = "n.label", f" JOIN ({series_labels(series or domain)}) n USING (series_id)"
    else:
        label, labels = SITE_LABEL, ""
    return (
        f"WITH f AS MATERIALIZED (\n{figures}),\n"
        "best AS MATERIALIZED (SELECT subject_id FROM f GROUP BY 1\n"
        f"  ORDER BY avg(value) DESC, 1 LIMIT {top})\n"
        f"SELECT start AS time, {label} AS metric, avg(value)::float8 AS value\n"
        f"  FROM f JOIN best USING (subject_id){labels}\n"
        " GROUP BY 1, 2 ORDER BY 1, 2"
    )
