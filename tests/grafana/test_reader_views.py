"""What a reader of one territory sees, and what not."""

import psycopg
import pytest
from psycopg import sql

from tests.grafana.reader_roles import ONE, OTHER, readers_of

# They speak of no territory: definitions, or the platform as a whole.
OF_NO_TERRITORY = {"metrics", "indicators", "platform", "footprint", "relation_sizes"}
# Shown to who reads everything.
OF_THE_PLATFORM = {"collectors"}
# What the owner reads in place of a view; others are of the same name in a trade's schema.
OWNERS = {
    "territories": "city.territory", "sites": "city.site", "series": "public.series",
    "alerts": "public.alerts", "measures": "city.measures", "heard": "pipeline.heard",
    "delays": "pipeline.delay", "changes": "city.change", "ledger": "pipeline.ledger_entry",
    "refusals": "pipeline.refusal", "collectors": "pipeline.collector",
    "ledger_hours": "pipeline.territory_hour", "metrics": "city.metric",
    "indicators": "city.indicator", "footprint": "pipeline.footprint",
    "relation_sizes": "pipeline.relation_size",
}  # fmt: skip
UNKNOWN = {"ledger", "refusals", "ledger_hours"}
"""Views with rows of devices that nobody registered."""


@pytest.fixture(scope="module")
def roles(cluster):
    with readers_of(cluster) as made:
        yield made


@pytest.fixture(scope="module")
def views(roles):
    """View of the schema `reader` -> its columns."""
    with psycopg.connect(roles.owner) as owner:
        return dict(
            owner.execute(
                "SELECT table_name, array_agg(column_name::text) FROM information_schema.columns"
                " WHERE table_schema = 'reader' GROUP BY 1 ORDER BY 1"
            ).fetchall()
        )


def owners_relation(view):
    domain, _, name = view.partition("_")
    return OWNERS.get(view) or f"{domain}.{name}"


def rows(connection, view, where="true"):
    """How often each row comes, and no order."""
    asked = sql.SQL("SELECT w::text, count(*) FROM reader.{} w WHERE {} GROUP BY 1").format(
        sql.Identifier(view), sql.SQL(where)
    )
    return dict(connection.execute(asked).fetchall())


def test_every_view_is_a_security_barrier(roles, views):
    with psycopg.connect(roles.owner) as owner:
        barred = owner.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'reader'::regnamespace"
            " AND reloptions @> ARRAY['security_barrier=true'] ORDER BY 1"
        ).fetchall()

    assert [name for (name,) in barred] == sorted(views)


def test_every_view_names_a_territory_unless_it_is_of_none(views):
    without = {view for view, columns in views.items() if "territory" not in columns}

    assert without == OF_NO_TERRITORY | OF_THE_PLATFORM


def test_a_reader_of_everything_sees_every_row_the_owner_has(roles, views):
    with psycopg.connect(roles.owner) as owner, roles.as_role("grafana") as reader:
        for view in set(views) - {"platform"}:
            counted = sql.SQL("SELECT count(*) FROM {}").format(sql.SQL(owners_relation(view)))
            (there,) = owner.execute(counted).fetchone()

            assert there > 0, view
            assert sum(rows(reader, view).values()) == there, view


@pytest.mark.parametrize(("who", "code"), [("one territory", ONE), ("another territory", OTHER)])
def test_a_reader_of_a_territory_sees_its_rows_and_no_other(roles, views, who, code):
    with roles.as_role("grafana") as everything, roles.as_role(who) as reader:
        for view in set(views) - OF_NO_TERRITORY - OF_THE_PLATFORM:
            its_own = rows(everything, view, f"territory = '{code}'")

            assert len(its_own) > 0, view
            assert rows(reader, view) == its_own, view


def test_two_territories_together_are_all_rows_but_those_of_unknown_devices(roles, views):
    with (
        roles.as_role("grafana") as everything,
        roles.as_role("one territory") as one,
        roles.as_role("another territory") as other,
    ):
        for view in set(views) - OF_NO_TERRITORY - OF_THE_PLATFORM:
            left = rows(everything, view)
            for reader in (one, other):
                for row, times in rows(reader, view).items():
                    left[row] -= times
            left = {row for row, times in left.items() if times}

            assert (len(left) > 0) == (view in UNKNOWN), view


def test_a_reader_of_no_territory_sees_nothing_but_definitions_and_the_platform(roles, views):
    with roles.as_role("no row") as reader:
        seen = {view for view in views if rows(reader, view)}

    assert seen == OF_NO_TERRITORY


def test_a_reader_of_a_territory_is_not_told_who_collects(roles):
    with roles.as_role("one territory") as reader:
        assert rows(reader, "collectors") == {}


@pytest.mark.parametrize("key", ["series_id", "sensor", "site", "subject_id"])
def test_a_reader_who_guesses_what_others_are_called_finds_nothing(roles, views, key):
    asked = 0
    with roles.as_role("grafana") as everything, roles.as_role("one territory") as reader:
        for view, columns in views.items():
            if key not in columns or "territory" not in columns:
                continue
            guesses = sql.SQL(
                "SELECT array_agg(DISTINCT {0}) FROM reader.{1} WHERE territory = {2} AND {0} NOT IN"
                " (SELECT {0} FROM reader.{1} WHERE territory = {3} AND {0} IS NOT NULL)"
            ).format(sql.Identifier(key), sql.Identifier(view), OTHER, ONE)
            (others,) = everything.execute(guesses).fetchone()
            if others is None:
                continue
            asked += 1
            found = reader.execute(
                sql.SQL("SELECT count(*) FROM reader.{} WHERE {} = ANY (%s)").format(
                    sql.Identifier(view), sql.Identifier(key)
                ),
                (others,),
            ).fetchone()
            assert found == (0,), view

    assert asked >= 3


@pytest.fixture
def leak(roles):
    """A function that tells everything it is given and costs next to nothing; may be called by all."""
    with psycopg.connect(roles.owner, autocommit=True) as owner:
        owner.execute(
            "CREATE FUNCTION public.leak(told text) RETURNS bool COST 0.0000001 LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE NOTICE 'told %', told; RETURN true; END $$"
        )
        yield owner
        owner.execute("DROP FUNCTION public.leak")


def told(connection, view, column="territory"):
    """What a function in a condition is told by a view."""
    heard = set()

    def listen(notice):
        heard.add(notice.message_primary.removeprefix("told "))

    connection.add_notice_handler(listen)
    connection.execute(
        sql.SQL("SELECT count(*) FROM reader.{} WHERE public.leak({}::text)").format(
            sql.Identifier(view), sql.Identifier(column)
        )
    )
    connection.remove_notice_handler(listen)
    return heard


def test_a_function_in_a_condition_is_told_of_no_other_territory(roles, views, leak):
    with roles.as_role("one territory") as reader:
        for view in set(views) - OF_NO_TERRITORY - OF_THE_PLATFORM:
            assert told(reader, view) == {ONE}, view


def test_the_same_function_is_told_of_others_by_a_view_without_barrier(roles, leak):
    leak.execute("ALTER VIEW reader.territories RESET (security_barrier)")
    try:
        with roles.as_role("one territory") as reader:
            assert told(reader, "territories") == {ONE, OTHER}
    finally:
        leak.execute("ALTER VIEW reader.territories SET (security_barrier)")


def test_a_view_without_its_filter_would_be_found(roles, views):
    """The comparison above can fail: the very view that forgets to ask who reads."""
    with psycopg.connect(roles.owner, autocommit=True) as owner:
        (text,) = owner.execute("SELECT pg_get_viewdef('reader.series'::regclass)").fetchone()
        open_one = text.partition("WHERE")[0]
        owner.execute(f"CREATE OR REPLACE VIEW reader.series WITH (security_barrier) AS {open_one}")
        try:
            with roles.as_role("grafana") as everything, roles.as_role("one territory") as reader:
                its_own = rows(everything, "series", f"territory = '{ONE}'")
                assert rows(reader, "series") != its_own
        finally:
            owner.execute(f"CREATE OR REPLACE VIEW reader.series WITH (security_barrier) AS {text}")
