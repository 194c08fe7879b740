"""Queries as Grafana's PostgreSQL data source sends them.

Follows what the data source does with macros and template variables, with vectors recorded
from the observed behaviour (../shared/grafana); `test_macros.py` holds it to them.
"""

import re

UNIT_S = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^\)]*)\)")


def instant(time):
    text = time.strftime("%Y-%m-%dT%H:%M:%S")
    return text + (f".{time.microsecond:06d}".rstrip("0") if time.microsecond else "") + "Z"


def seconds(interval):
    return sum(
        float(number) * UNIT_S[unit]
        for number, unit in re.findall(r"(\d+)(ms|[smhdw])", interval.strip("'"))
    )


def go_float(value):
    text = format(value, "g")
    return text if "e" in text else f"{value:g}"


def expand(sql, start, end, interval_s, timescaledb=True):
    """One query as the PostgreSQL data source sends it."""
    sql = (
        sql.replace("$__interval_ms", str(int(interval_s * 1000)))
        .replace("$__interval", short(interval_s))
        .replace("$__unixEpochFrom()", str(int(start.timestamp())))
        .replace("$__unixEpochTo()", str(int(end.timestamp())))
    )

    def group(args, alias):
        if len(args) < 2:
            raise ValueError(
                "macro __timeGroup needs time column and interval and optional fill value"
            )
        width = seconds(args[1])
        bucket = (
            f"time_bucket('{width:.3f}s',{args[0]})"
            if timescaledb
            else f"floor(extract(epoch from {args[0]})/{go_float(width)})*{go_float(width)}"
        )
        return bucket + (' AS "time"' if alias else "")

    def epoch_group(args, alias):
        width = go_float(seconds(args[1]))
        return f"floor(({args[0]})/{width})*{width}" + (' AS "time"' if alias else "")

    def one(match):
        name, args = match[1], [part.strip(" ") for part in match[2].split(",")]
        followed = sql[sql.index(match[0]) + len(match[0]) :].startswith(",")
        lo, hi = int(start.timestamp()), int(end.timestamp())
        match name:
            case "__time":
                return f'{args[0]} AS "time"'
            case "__timeEpoch":
                return f'extract(epoch from {args[0]}) as "time"'
            case "__timeFilter":
                return f"{args[0]} BETWEEN '{instant(start)}' AND '{instant(end)}'"
            case "__timeFrom":
                return f"'{instant(start)}'"
            case "__timeTo":
                return f"'{instant(end)}'"
            case "__timeGroup":
                return group(args, alias=followed)
            case "__timeGroupAlias":
                return group(args, alias=True)
            case "__unixEpochFilter":
                return f"{args[0]} >= {lo} AND {args[0]} <= {hi}"
            case "__unixEpochGroup":
                return epoch_group(args, alias=followed)
            case "__unixEpochGroupAlias":
                return epoch_group(args, alias=True)
        raise ValueError(f'unknown macro "{name}"')

    return MACRO.sub(one, sql)


def short(interval_s):
    for unit in ("d", "h", "m", "s"):
        if interval_s >= UNIT_S[unit]:
            return f"{int(interval_s // UNIT_S[unit])}{unit}"
    return f"{int(interval_s * 1000)}ms"


def interpolate(sql, values):
    """Template variables as the browser writes them: several values quoted, one plain."""
    for name, value in values.items():
        text = value if isinstance(value, str) else ",".join(f"'{one}'" for one in value)
        sql = re.sub(rf"\${name}\b", lambda match, text=text: text, sql)
    return sql
