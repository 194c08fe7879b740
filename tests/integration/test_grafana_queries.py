"""Every query of every dashboard, expanded as Grafana expands it, runs on a real database.

Grafana itself is not at hand in tests; its macro rules are, with vectors recorded from the
observed behaviour. See the expander below, which follows them.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from dashboards.build import rendered

NOW = datetime(2026, 3, 12, 14, 0, tzinfo=UTC)
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


@pytest.fixture
def city(connection):
    """Two sites of one commune; one series per metric of the catalogue at each."""
    connection.execute(
        "INSERT INTO city.territory (code, name, code_system, timezone)"
        " VALUES ('59350', 'Lille', 'insee', 'Europe/Paris')"
    )
    for site in ("gare", "place"):
        connection.execute(
            "INSERT INTO city.site (territory_id, code, name) VALUES (1, %s, initcap(%s))",
            (site, site),
        )
        connection.execute(
            "INSERT INTO city.sensor (site_id, code)"
            " SELECT site_id, 'k-' || code FROM city.site WHERE code = %s",
            (site,),
        )
        connection.execute(
            "INSERT INTO city.series (sensor_id, metric, field, unit, scale, shift, step_s, stamp)"
            " SELECT sensor_id, metric, metric, unit, 1, 0, 900, 'start'"
            "   FROM city.metric, city.sensor WHERE code = 'k-' || %s",
            (site,),
        )
    for domain in ("air", "mobility", "energy"):
        connection.execute(
            f"INSERT INTO {domain}.reading SELECT %s, 7, series_id, 1"
            f" FROM public.series WHERE domain = '{domain}'",
            (NOW,),
        )
        for table, width in (
            ("rollup_15min", timedelta(minutes=15)),
            ("rollup_1h", timedelta(hours=1)),
            ("rollup_1d", timedelta(days=1)),
        ):
            for back in (1, 2):
                connection.execute(
                    f"INSERT INTO {domain}.{table} SELECT %s, 7, 7, 7, 0, 7, 7, 1, 1, series_id,"
                    f" 4, 3, 1, 0, false, '' FROM public.series WHERE domain = '{domain}'",
                    (NOW - back * width,),
                )
    return connection


def queries(kind):
    for name, text in rendered().items():
        page = json.loads(text)
        for top in page["panels"]:
            for panel in [top, *top.get("panels", [])]:
                if panel["type"] == kind:
                    for target in panel["targets"]:
                        yield pytest.param(page, target, id=f"{name}-{panel['title']}")


def run(connection, page, sql, window):
    domain = page["tags"][1]
    metrics = [
        row[0]
        for row in connection.execute("SELECT metric FROM city.metric WHERE domain = %s", (domain,))
    ]
    chosen = {
        "territory": ["59350"],
        "site": ["gare", "place"],
        "metric": metrics,
        "window": window,
    }
    statement = expand(interpolate(sql, chosen), NOW - timedelta(days=7), NOW, 900)
    assert "$" not in statement
    cursor = connection.execute(statement.encode())
    return [column.name for column in cursor.description], cursor.fetchall()


def test_every_course_returns_time_metric_and_value_in_order(city):
    for parameter in queries("timeseries"):
        page, target = parameter.values
        for window in ("quarter_hours", "hours", "days"):
            columns, rows = run(city, page, target["rawSql"], window)

            assert columns == ["time", "metric", "value"], parameter.id
            assert len(rows) == 4, parameter.id
            assert [row[0] for row in rows] == sorted(row[0] for row in rows)
            assert {row[1] for row in rows} == {"Gare · k-gare", "Place · k-place"}
            assert all(isinstance(row[2], float | Decimal) for row in rows), parameter.id


def test_coverage_is_the_received_share_of_the_expected(city):
    for parameter in queries("stat"):
        page, target = parameter.values
        columns, rows = run(city, page, target["rawSql"], "hours")

        assert len(rows) == 1
        if columns == ["couverture"]:
            assert float(rows[0][0]) == 75.0
        else:
            # The one reading each was taken in March 2026: all are long silent by now.
            metrics = city.execute(
                "SELECT count(*) FROM city.metric WHERE domain = %s", (page["tags"][1],)
            ).fetchone()[0]
            assert (columns, rows[0][0]) == (["silencieuses"], 2 * metrics)


def test_tables_name_the_unit_of_every_row(city):
    for parameter in queries("table"):
        page, target = parameter.values
        columns, rows = run(city, page, target["rawSql"], "hours")

        assert columns[0] == "time"
        assert {"commune", "lieu", "capteur", "mesure", "valeur", "unité"} <= set(columns)
        assert len(rows) > 0
        assert all(row[columns.index("unité")] for row in rows)


def test_the_variables_offer_what_the_city_has(city):
    page = json.loads(rendered()["beffroi-air.json"])
    found = {}
    for variable in page["templating"]["list"][:3]:
        _, rows = run(city, page, variable["query"], "hours")
        found[variable["name"]] = rows

    assert found["territory"] == [("Lille", "59350")]
    assert found["site"] == [("Gare", "gare"), ("Place", "place")]
    assert ("Ozone (O₃)", "o3") in found["metric"]


def test_the_expander_follows_the_recorded_vectors(shared):
    vectors = json.loads((shared / "grafana" / "postgres-macro-vectors.json").read_text("utf-8"))
    for vector in vectors:
        given = (
            vector["sql"],
            datetime.fromisoformat(vector["from"]),
            datetime.fromisoformat(vector["to"]),
            vector["interval_s"],
            vector["timescaledb"],
        )
        if "error" in vector:
            with pytest.raises(ValueError, match=re.escape(vector["error"])):
                expand(*given)
        else:
            assert expand(*given) == vector["expanded"]
