"""What a row of an alert rule's query is about: labels of one place and sensor, and one number.

A rule's queries hold no ``$``: Grafana takes it for a variable in provisioned files. They look
at the clock themselves, since alert rules know nothing of the range somebody looks at.
"""

from __future__ import annotations

from dashboards.grafana.panel import Column, Type

LABEL = Column(Type.TEXT)
NUMBER = Column(Type.NUMBER)

TERRITORY = {"territory": LABEL, "territory_name": LABEL}
SITE = {**TERRITORY, "site": LABEL, "site_name": LABEL}
SERIES = {**SITE, "sensor": LABEL, "metric": LABEL, "label": LABEL}
"""One series; `label` is what its metric is called in the reader's language."""

VALUE = {"value": NUMBER}


def names(columns: dict[str, Column], alias: str, **others: str) -> str:
    """The columns as a list of SQL; `others` says where those come from that have another name.

    >>> names(SERIES, "f", label="s.label_@language AS label")
    'f.territory, f.territory_name, f.site, f.site_name, f.sensor, f.metric, s.label_@language AS label'
    """
    return ", ".join(others.get(name, f"{alias}.{name}") for name in columns)


def number(places: int = 0) -> str:
    """The row's number, in the template language of Grafana's annotations.

    >>> number(1)
    '{{ with $values.A }}{{ printf "%.1f" .Value }}{{ end }}'
    """
    # Where no row came back, Grafana fills in the text all the same, without a value.
    return f'{{{{ with $values.A }}}}{{{{ printf "%.{places}f" .Value }}}}{{{{ end }}}}'


def label(name: str) -> str:
    """One of the row's labels, likewise.

    >>> label("site_name")
    '{{ $labels.site_name }}'
    """
    return f"{{{{ $labels.{name} }}}}"


WHERE = f"{label('site_name')} ({label('territory_name')})"
WHO = f"{label('sensor')}, {label('label')}, {WHERE}"
