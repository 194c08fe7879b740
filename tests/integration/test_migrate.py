"""The schema: applied once, in order, forward only."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from beffroi.embedded.testing import TestCluster
from storage.catalogue import METRICS
from storage.migrate import OtherSchemaError, migrate, migrations


@pytest.fixture
def empty(cluster: TestCluster) -> Iterator[psycopg.Connection]:
    cluster.template("empty", lambda conninfo: None)
    conninfo = cluster.clone("empty")
    with psycopg.connect(conninfo, autocommit=True) as connection:
        yield connection
    cluster.drop(conninfo)


def test_an_empty_database_is_migrated_once(empty: psycopg.Connection):
    assert migrate(empty) == [name for _, name, _ in migrations()]
    assert migrate(empty) == []


def test_the_metric_table_says_what_the_catalogue_says(empty: psycopg.Connection):
    migrate(empty)
    found = empty.execute("SELECT metric, domain, unit, kind, low, high, label_fr FROM city.metric")

    assert sorted(found.fetchall()) == sorted(
        (m.name, m.domain, m.unit, m.kind, m.low, m.high, m.labels["fr"]) for m in METRICS
    )


def test_twelve_hypertables_are_there(empty: psycopg.Connection):
    migrate(empty)
    found = empty.execute(
        "SELECT hypertable_schema, hypertable_name FROM timescaledb_information.hypertables"
    ).fetchall()

    assert sorted(found) == sorted(
        (domain, table)
        for domain in ("air", "mobility", "energy")
        for table in ("reading", "rollup_15min", "rollup_1h", "rollup_1d")
    )


def test_a_database_of_a_newer_version_is_left_alone(empty: psycopg.Connection):
    migrate(empty)
    empty.execute("INSERT INTO public.migration VALUES (9999, '9999_later.sql', 'x')")

    with pytest.raises(OtherSchemaError, match="install the newer version"):
        migrate(empty)


def test_a_database_made_by_another_text_of_a_migration_is_left_alone(empty: psycopg.Connection):
    migrate(empty)
    empty.execute("UPDATE public.migration SET sha256 = 'other'")

    with pytest.raises(OtherSchemaError, match=r"another text of 0001_first\.sql"):
        migrate(empty)
