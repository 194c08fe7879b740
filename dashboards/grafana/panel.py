"""The words *panel* and *column*: what a panel asks, and how what comes back is to be read.

A panel is declared, not drawn: `render.py` makes Grafana's JSON of it, and a test holds every
query to the columns and types that are declared here, on a real database.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dashboards.grafana.text import Text


class Kind(StrEnum):
    """How a panel looks; the values are Grafana's names."""

    COURSE = "timeseries"
    STAT = "stat"
    TABLE = "table"
    BARS = "barchart"
    LEVELS = "bargauge"
    STATES = "state-timeline"
    MAP = "geomap"
    TEXT = "text"


class Type(StrEnum):
    """What a column holds."""

    TIME = "time"
    TEXT = "text"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Step:
    """From `value` on, `color`; ``None``: from minus infinity."""

    value: float | None
    color: str


@dataclass(frozen=True, slots=True)
class Class:
    """What one value is called and how it is coloured, such as "good" of an index."""

    value: float
    label: Text
    color: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a query's answer.

    Attributes
    ----------
    type
        What the query must return in it; NULL is allowed everywhere.
    label
        What people read; ``None``: not shown (or named by the values of `metric`).
    unit
        Grafana's (`units.py`); empty: the panel's.
    steps, classes
        Thresholds that colour its cells; words for its values.
    page
        Uid of the page that a click leads to, with the row's `territory` and `site`.
    width
        Of a table's column. [px]
    gauge
        Drawn as a bar in its cell.
    filled
        Colours fill the cell or the panel, where some are too dark for words.
    wrapped
        Holds sentences, which go on in the next line of a cell.
    """

    type: Type
    label: Text | None = None
    unit: str = ""
    decimals: int | None = None
    steps: tuple[Step, ...] = ()
    classes: tuple[Class, ...] = ()
    page: str = ""
    width: int | None = None
    gauge: bool = False
    filled: bool = False
    wrapped: bool = False


TIME = Column(Type.TIME)
METRIC = Column(Type.TEXT)
VALUE = Column(Type.NUMBER)

COURSE = {"time": TIME, "metric": METRIC, "value": VALUE}
"""What a course returns: one line per `metric`, ordered by time."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel of a page.

    Attributes
    ----------
    sql
        The query; `$territory` and `$site` are lists of codes, to stand within ``IN (…)``;
        ``@language`` becomes fr, en or de, as in ``label_@language``.
    columns
        Exactly what it returns, in order.
    unit
        Grafana's unit of its values (`units.py`).
    quiet
        What it says when nothing comes back; a city in which all is well has no empty panel.
    steps, classes
        Thresholds and names of values for all its values.
    lines
        Limits drawn across a course, where thresholds are limits rather than colours.
    bars, stacked
        A course drawn as bars; one upon the other.
    floor
        Lowest end of the axis; ``None``: as the values are.
    live
        Shows the newest readings; it is looked at over minutes.
    title_column
        Of bars and levels: the column that names them.
    dashed
        Of a course: regular expression of the lines that are drawn thin and dashed, such as what
        was usual.
    span, height
        Of 24 columns; in rows of 30 px.
    """

    kind: Kind
    title: Text
    description: Text
    sql: str
    columns: dict[str, Column]
    unit: str
    quiet: Text
    decimals: int | None = None
    steps: tuple[Step, ...] = ()
    classes: tuple[Class, ...] = ()
    lines: bool = False
    bars: bool = False
    stacked: bool = False
    floor: float | None = None
    ceiling: float | None = None
    live: bool = False
    title_column: str = ""
    span: int = 12
    height: int = 8
    dashed: str = ""
