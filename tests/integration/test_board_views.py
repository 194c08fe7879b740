"""What everybody may see: the views of the schema `board`, and the public role that reads them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from storage.board_store import load_board, load_outlines
from storage.city import City, parse
from storage.registry import register
from tests.grafana.reader_roles import readers_of

TOML = """
[city]
name = "Val-de-Beffroi"
timezone = "Europe/Paris"

[[territory]]
code = "99001"
name = "Beffroi-le-Vieux"

[[territory]]
code = "99002"
name = "Kehlheim"

[[metric]]
name = "shop_visits"
domain = "mobility"
unit = "1"
kind = "gauge"
low = 0
high = 1000
label_fr = "Visites"
label_en = "Visits"
label_de = "Besuche"
public_step_s = 86400
"""
BOARD = """
[board]
contact = "contact@beffroi.example"
operator = "Ville de Beffroi-le-Vieux"
outlines = "communes.geojson"

[[screen]]
id = "hall"
territory = "99001"
views = ["air", "now"]
open = ["mon-fri 08:00-18:30"]
"""
AIR = """
[air]
reference = ["air-*", "elec-1"]
"""
CSV = """territory,site,site_name,longitude,latitude,sensor,metric,step_s
99001,mairie,Mairie,2.1,48.9,air-1,no2,60
99001,mairie,Mairie,2.1,48.9,walk-1,pedestrians,900
99001,cave,Cave,2.2,48.8,grid-1,voltage,60
99001,ecole,École,2.3,48.7,elec-1,energy_import,600
99001,ecole,École,2.3,48.7,elec-1,power,600
99001,ecole,École,2.3,48.7,shop-1,shop_visits,60
"""
RING = [[2.0, 48.0], [2.5, 48.0], [2.5, 49.0], [2.0, 48.0]]
POLYGON = {"type": "Polygon", "coordinates": [RING]}
OUTLINES = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"code": "99001"}, "geometry": POLYGON},
            {"type": "Feature", "properties": {"code": "75056"}, "geometry": POLYGON},
        ],
    }
)
PRIVATE = ("voltage",)
DOMAINS = ("air", "mobility", "energy")


def city(toml: str = TOML + BOARD + AIR) -> City:
    return parse(toml, CSV, beside=lambda _: OUTLINES)


def fill(connection: psycopg.Connection) -> None:
    """One reading, one window of each length and one figure of every series."""
    now = datetime.now(UTC)
    for series, domain in connection.execute(
        "SELECT series_id, domain FROM public.series"
    ).fetchall():
        connection.execute(
            f"INSERT INTO {domain}.reading VALUES (%s, 3, %s, 1)",
            (now - timedelta(seconds=5), series),
        )
        for table in ("rollup_15min", "rollup_1h", "rollup_1d"):
            connection.execute(
                f"INSERT INTO {domain}.{table} VALUES"
                " (%s, 3, 3, 3, 0, 3, 3, 'NaN', 'NaN', %s, 1, 1, 1, 0, false, '')",
                (now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=2), series),
            )
        connection.execute(
            f"INSERT INTO {domain}.figure SELECT %s, %s, '-infinity', 3, 'NaN', 'NaN', %s, 1, 1, 0,"
            " indicator_id, 1, 0, false, false FROM city.indicator"
            " WHERE domain = %s AND subject = 'series'",
            (now - timedelta(hours=2), now - timedelta(hours=1), series, domain),
        )


@pytest.fixture
def filled(connection: psycopg.Connection) -> psycopg.Connection:
    register(connection, city())
    fill(connection)
    return connection


def metrics(connection: psycopg.Connection, view: str) -> set[str]:
    rows = connection.execute(
        sql.SQL("SELECT DISTINCT metric FROM board.{}").format(sql.Identifier(view))
    )
    return {name for (name,) in rows}


def test_each_view_holds_the_metrics_whose_public_step_it_keeps(filled: psycopg.Connection):
    every = {"no2", "pedestrians", "energy_import", "power", "shop_visits"}
    found = {
        view: set().union(*(metrics(filled, f"{domain}_{view}") for domain in DOMAINS))
        for view in ("now", "quarter_hours", "hours", "days")
    }

    assert found == {
        "now": {"no2"},
        "quarter_hours": {"no2", "pedestrians"},
        "hours": every - {"shop_visits"},
        "days": every,
    }
    assert metrics(filled, "series") == every


def test_windows_say_what_is_expected_and_how_fine_the_public_may_see(filled: psycopg.Connection):
    rows = filled.execute(
        "SELECT metric, territory, total, step_s, public_step_s FROM board.mobility_quarter_hours"
    ).fetchall()

    assert rows == [("pedestrians", "99001", 3.0, 900, 900)]


def test_a_private_metric_has_no_row_in_any_view(filled: psycopg.Connection):
    filled.execute(
        "INSERT INTO city.measure (code, version, person, why, retired, title_fr, title_en, title_de,"
        " objective, territory, in_force, indicator, metric, daily, expected, effect,"
        " touched_sensors, touched_sites, comparison, comparison_sensors, comparison_sites, min_days,"
        " decision, decision_url, contact)"
        " SELECT m, 1, 'p', 'w', false, m, '', '', 'o', '99001', '2025-01-01', '', m, 'mean', 'down',"
        " 'absolute', '{}', '{}', 'city', '{}', '{}', 28, 'd', '', 'c'"
        " FROM unnest(ARRAY['voltage', 'no2']) m"
    )
    told = {
        view: [
            str(row)
            for (row,) in filled.execute(
                sql.SQL("SELECT to_jsonb(v) FROM board.{} v").format(sql.Identifier(view))
            )
        ]
        for (view,) in filled.execute("SELECT viewname FROM pg_views WHERE schemaname = 'board'")
    }

    assert len(told) == 26
    assert [view for view, rows in told.items() if any("voltage" in row for row in rows)] == []
    assert any("no2" in row for row in told["measures"])
    assert any("no2" in row for row in told["air_figures"])
    # The site where only voltage is measured is nobody's business either.
    assert any("ecole" in row for row in told["sites"])
    assert [view for view, rows in told.items() if any("cave" in row for row in rows)] == []


def test_figures_are_those_of_public_indicators_no_finer_than_their_metric(
    filled: psycopg.Connection,
):
    private = {
        name for (name,) in filled.execute("SELECT indicator FROM city.indicator WHERE NOT public")
    }
    shown = {
        row
        for domain in DOMAINS
        for row in filled.execute(
            f"SELECT DISTINCT indicator, period, metric FROM board.{domain}_figures"
        )
    }
    indicators = {name for (name,) in filled.execute("SELECT indicator FROM board.indicators")}

    assert private
    assert {name for name, _, _ in shown} & private == set()
    assert indicators & private == set()
    assert {name for name, _, _ in shown} <= indicators
    assert {period for _, period, metric in shown if metric == "shop_visits"} >= {"day", "year"}
    assert "hour" in {period for _, period, metric in shown if metric == "pedestrians"}
    assert "hour" not in {period for _, period, metric in shown if metric == "shop_visits"}


def test_a_site_out_of_service_is_not_shown_and_its_series_are(filled: psycopg.Connection):
    filled.execute("UPDATE city.series SET valid_to = now() WHERE metric = 'no2'")
    filled.execute("UPDATE city.series SET valid_to = now() WHERE metric = 'pedestrians'")

    assert filled.execute("SELECT site, site_name, longitude FROM board.sites").fetchall() == [
        ("ecole", "École", 2.3)
    ]
    assert "no2" in metrics(filled, "series")
    assert metrics(filled, "air_now") == set()


def test_territories_come_with_their_outlines_where_there_is_one(filled: psycopg.Connection):
    assert filled.execute(
        "SELECT territory, name, timezone, outline FROM board.territories ORDER BY 1"
    ).fetchall() == [
        ("99001", "Beffroi-le-Vieux", "Europe/Paris", POLYGON),
        ("99002", "Kehlheim", "Europe/Paris", None),
    ]


def test_sensors_of_reference_quality_are_named(filled: psycopg.Connection):
    rows = filled.execute("SELECT pattern FROM board.reference ORDER BY 1").fetchall()

    assert rows == [("air-*",), ("elec-1",)]


def test_numbers_of_the_platform_are_sums_over_territories(filled: psycopg.Connection):
    filled.execute(
        "INSERT INTO pipeline.territory_hour VALUES"
        " ('2026-03-01 10:00Z', 1, 2, 3, 4, 5, 6, 7, 8, 0), ('2026-03-01 10:00Z', 1, 2, 3, 4, 5, 6, 7, 8, 1),"
        " ('2026-03-01 11:00Z', 1, 2, 3, 4, 5, 6, 7, 8, 1)"
    )
    filled.execute(
        "INSERT INTO pipeline.footprint VALUES"
        " ('2026-03-01 10:00Z', 'processor', 3600, 20, 1000, 5000, 9000, 4000),"
        " ('2026-03-01 11:00Z', 'processor', 3600, 20, 1000, NULL, NULL, NULL)"
    )

    assert filled.execute(
        "SELECT * FROM board.ledger_hours WHERE hour < '2026-03-01 11:00Z'"
    ).fetchall() == [(datetime(2026, 3, 1, 10, tzinfo=UTC), 2, 4, 6, 8, 10, 12, 14, 16)]
    assert filled.execute(
        "SELECT newest_commit, database_bytes, disk_free_bytes FROM board.platform"
    ).fetchall() == [(None, 5000, 4000)]
    assert filled.execute("SELECT count(*) FROM board.footprint").fetchone() == (2,)


def test_the_newest_batch_is_one_row_before_the_first_and_one_probe_of_the_index_after_it(
    filled: psycopg.Connection,
):
    assert filled.execute("SELECT batch_id FROM board.newest").fetchall() == [(None,)]
    for _ in range(3):
        filled.execute(
            "INSERT INTO pipeline.batch (hour, sensor_id, messages_received, messages_decoded,"
            " messages_refused, readings_decoded, readings_stored, readings_duplicate,"
            " readings_refused) VALUES (now(), '{1}', '{1}', '{1}', '{0}', '{1}', '{1}', '{0}', '{0}')"
        )

    newest = filled.execute("SELECT batch_id FROM board.newest").fetchall()
    filled.execute("SET enable_seqscan = off")
    plan = str(filled.execute("EXPLAIN SELECT batch_id FROM board.newest").fetchall())

    assert newest == filled.execute("SELECT max(batch_id) FROM pipeline.batch").fetchall()
    assert "Index Only Scan Backward using batch_pkey" in plan


def test_what_a_city_says_of_its_board_comes_out_as_it_went_in(connection: psycopg.Connection):
    wanted = city()
    register(connection, wanted)

    assert load_board(connection) == wanted.said
    assert load_outlines(connection) == wanted.outlines == {"99001": POLYGON}
    assert connection.execute("SELECT said FROM board.said").fetchall() == [
        (
            {
                "board": {
                    "contact": "contact@beffroi.example", "operator": "Ville de Beffroi-le-Vieux",
                    "outlines": "communes.geojson",
                },
                "screen": [{"id": "hall", "territory": "99001", "views": ["air", "now"],
                            "open": ["mon-fri 08:00-18:30"]}],
            },
        )
    ]  # fmt: skip


def test_a_file_that_says_nothing_of_the_board_leaves_it_and_another_word_replaces_it(
    connection: psycopg.Connection,
):
    wanted = city()
    register(connection, wanted)
    register(connection, city(TOML))
    assert (load_board(connection), load_outlines(connection)) == (wanted.said, wanted.outlines)

    only_board = BOARD[: BOARD.index("[[screen]]")].replace('outlines = "communes.geojson"', "")
    register(connection, city(TOML + only_board))
    kept = load_board(connection)
    assert kept.board is not None
    assert (kept.board.outlines, kept.screens) == (None, wanted.said.screens)
    assert load_outlines(connection) == {}

    register(connection, city("screen = []\n" + TOML))
    assert load_board(connection).screens == ()


def test_a_file_of_outlines_that_nobody_read_takes_none_away(connection: psycopg.Connection):
    register(connection, city())
    register(connection, parse(TOML + BOARD, CSV))

    assert load_outlines(connection) == {"99001": POLYGON}


def test_the_public_role_reads_the_schema_board_and_by_no_other_right(cluster):
    with readers_of(cluster) as roles, psycopg.connect(roles.owner, autocommit=True) as owner:
        beyond = owner.execute(
            """
            SELECT n.nspname, c.relname, c.relkind
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
               AND n.nspname NOT IN ('pg_catalog', 'information_schema')
               AND n.nspname NOT LIKE 'pg_toast%'
               AND n.nspname NOT LIKE '\\_timescaledb\\_%'
               AND n.nspname NOT LIKE 'timescaledb\\_%'
               AND (has_any_column_privilege('beffroi_board', c.oid,
                                             'SELECT, INSERT, UPDATE, REFERENCES')
                    OR has_table_privilege('beffroi_board', c.oid,
                                           'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER'))
               AND has_schema_privilege('beffroi_board', n.oid, 'USAGE')
               AND NOT (n.nspname = 'board' AND c.relkind = 'v')
            """
        ).fetchall()
        schemas = owner.execute(
            """
            SELECT nspname FROM pg_namespace, aclexplode(nspacl) a
             WHERE a.grantee = 'beffroi_board'::regrole
            """
        ).fetchall()
        unguarded = owner.execute(
            """
            SELECT c.relname FROM pg_class c
             WHERE c.relnamespace = 'board'::regnamespace
               AND (c.relkind <> 'v' OR NOT coalesce(c.reloptions, '{}') @> '{security_barrier=true}')
            """
        ).fetchall()
        written = owner.execute(
            """
            SELECT c.relname FROM pg_class c
             WHERE c.relnamespace = 'board'::regnamespace
               AND has_table_privilege('beffroi_board', c.oid,
                                       'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
            """
        ).fetchall()

    assert (beyond, schemas, unguarded, written) == ([], [("board",)], [], [])


def test_a_role_of_former_grants_loses_them_when_the_script_runs_again(cluster):
    from tests.grafana.reader_roles import run_script

    with readers_of(cluster) as roles:
        with psycopg.connect(roles.owner, autocommit=True) as owner:
            owner.execute("GRANT USAGE ON SCHEMA city, air, reader TO beffroi_board")
            owner.execute(
                "GRANT SELECT ON public.series, city.metric, air.now, air.hours, reader.alerts"
                " TO beffroi_board"
            )
        run_script(cluster, roles.owner)

        with roles.as_role("board") as citizen:
            assert citizen.execute("SELECT count(*) FROM board.series").fetchone() != (0,)
            for name in ("public.series", "city.metric", "air.now", "air.hours", "reader.alerts"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    citizen.execute(f"SELECT 1 FROM {name}")
