"""What the browser does to a query before it sends it; pure.

Grafana's page replaces variables and `$__interval` as plain text; macros such as `$__timeFilter`
are left to the server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_FLOOR_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

# Upper bound (exclusive) -> interval. [ms] The page rounds to these.
_ROUNDED = (
    (10, 1), (15, 10), (35, 20), (75, 50), (150, 100), (350, 200), (750, 500), (1500, 1000),
    (3500, 2000), (7500, 5000), (12500, 10_000), (17500, 15_000), (25_000, 20_000),
    (45_000, 30_000), (90_000, 60_000), (210_000, 120_000), (450_000, 300_000),
    (750_000, 600_000), (1_050_000, 900_000), (1_500_000, 1_200_000), (2_700_000, 1_800_000),
    (5_400_000, 3_600_000), (9_000_000, 7_200_000), (16_200_000, 10_800_000),
    (32_400_000, 21_600_000), (86_400_000, 43_200_000), (604_800_000, 86_400_000),
    (1_814_400_000, 604_800_000), (3_628_800_000, 2_592_000_000),
)  # fmt: skip
_YEAR_MS = 31_536_000_000


def interpolated(sql: str, chosen: Mapping[str, Sequence[str]], interval_ms: int) -> str:
    """A query with its variables, each of several values; what has no value is left.

    >>> interpolated("site IN ($site) AND $__timeFilter(t)", {"site": ["a", "O'Brien"]}, 60000)
    "site IN ('a','O''Brien') AND $__timeFilter(t)"
    """

    def one(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name == "__interval_ms":
            return str(interval_ms)
        if name == "__interval":
            return short(interval_ms)
        if name not in chosen:
            return match[0]
        return ",".join("'" + value.replace("'", "''") + "'" for value in chosen[name])

    return _VARIABLE.sub(one, sql)


def used(sql: str) -> set[str]:
    """Names of variables, and of macros, in a query.

    >>> sorted(used("site IN ($site) AND d = ${domain}"))
    ['domain', 'site']
    """
    return {match[1] or match[2] for match in _VARIABLE.finditer(sql)}


def interval(span_ms: int, points: int, floor: str) -> int:
    """The interval that fits a panel, never shorter than `floor`. [ms]

    >>> interval(86_400_000, 1000, "15m"), interval(31_536_000_000, 1000, "15m")
    (900000, 21600000)
    """
    fitting = span_ms / points
    rounded = next((length for bound, length in _ROUNDED if fitting < bound), _YEAR_MS)
    match = re.fullmatch(r"(\d+)(ms|[smhd])", floor)
    return max(rounded, int(match[1]) * _FLOOR_MS[match[2]] if match else 60_000)


def short(interval_ms: int) -> str:
    """As Grafana writes it: one unit.

    >>> short(900_000), short(604_800_000)
    ('15m', '7d')
    """
    for unit in ("d", "h", "m", "s"):
        if interval_ms >= _FLOOR_MS[unit]:
            return f"{interval_ms // _FLOOR_MS[unit]}{unit}"
    return f"{interval_ms}ms"
