"""Pipeline health: the ledger, what waits, what was refused, summed up over a year."""

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest

from dashboards.grafana.pages.pipeline import PIPELINE
from storage import footprint_store
from storage.reading import Reason
from tests.grafana.looking import ledger, looking


@pytest.fixture
def looker(connection, database):
    with looking(connection, database) as found:
        yield found


@pytest.fixture
def looker_of_one(connection, database):
    with looking(connection, database, "99001") as found:
        yield found


def sum_up(database):
    async def run():
        connection = await asyncpg.connect(database)
        try:
            await footprint_store.sum_ledger(connection, datetime.now(UTC))
        finally:
            await connection.close()

    asyncio.run(run())


def refuse(owner, reason, *, sensor=0, messages=1, field=""):
    owner.execute(
        "INSERT INTO pipeline.refusal (received_at, sensor_id, topic, payload, field, reason, detail,"
        " readings, message_id, bytes, messages)"
        " VALUES (now() - interval '1 hour', %s, 't', '', %s, %s, '', 1,"
        " nextval('pipeline.refused_message'), 0, %s)",
        (sensor, field, reason, messages),
    )


def test_before_anything_came_nothing_is_unbalanced_or_waits(looker):
    assert looker.value(PIPELINE, "Hours that do not balance") == 0
    assert looker.value(PIPELINE, "Oldest request to compute") == 0
    assert looker.value(PIPELINE, "Last commit") is None
    assert looker.value(PIPELINE, "Readings stored in 24 h") == 0
    assert looker.value(PIPELINE, "Share refused in 24 h") is None
    assert looker.value(PIPELINE, "Collectors connected") == 0


def test_one_hour_that_does_not_balance_is_counted_and_listed_with_what_is_too_many(looker):
    ledger(looker.owner, "air-1", "1 hour", 100)
    ledger(looker.owner, "air-2", "1 hour", 100)
    looker.owner.execute(
        "UPDATE pipeline.sensor_hour SET readings_stored = 97"
        " WHERE sensor_id = (SELECT sensor_id FROM city.sensor WHERE code = 'air-2')"
    )

    (row,) = looker.panel(PIPELINE, "Lines of the ledger that do not balance")

    assert looker.value(PIPELINE, "Hours that do not balance") == 1
    assert (row["sensor"], row["messages"], row["readings"]) == ("air-2", 0, 3)


def test_an_unbalanced_batch_is_counted_before_it_is_folded(looker):
    looker.owner.execute(
        "INSERT INTO pipeline.batch (hour, sensor_id, messages_received, messages_decoded,"
        " messages_refused, readings_decoded, readings_stored, readings_duplicate,"
        " readings_refused) VALUES (date_trunc('hour', now()), '{1}', '{5}', '{4}', '{0}', '{4}',"
        " '{4}', '{0}', '{0}')"
    )

    assert looker.value(PIPELINE, "Hours that do not balance") == 1
    assert 0 <= looker.value(PIPELINE, "Last commit") < 60


def test_a_mark_that_waits_for_40_minutes_is_2400_seconds_old(looker):
    looker.owner.execute(
        "INSERT INTO pipeline.dirty (domain, start, series_id, marked_at) VALUES"
        " ('air', now() - interval '9 days', '{1}', now() - interval '40 minutes'),"
        " ('air', now(), '{1}', now())"
    )

    assert round(looker.value(PIPELINE, "Oldest request to compute"), -2) == 2400
    assert looker.panel(PIPELINE, "Waiting")[0]["marks"] == 2


def test_10_refused_of_200_messages_are_5_percent(looker):
    ledger(looker.owner, "air-1", "2 hours", 200, refused=10)

    assert looker.value(PIPELINE, "Share refused in 24 h") == 5
    assert looker.value(PIPELINE, "Readings stored in 24 h") == 190
    (row,) = looker.panel(PIPELINE, "Sensors refused most")
    assert (row["site_name"], row["sensor"], row["messages"]) == ("Mairie", "air-1", 10)


def test_refusals_are_listed_by_reason_with_a_remedy_in_the_readers_language(looker):
    refuse(looker.owner, Reason.UNKNOWN_SENSOR, messages=3)
    refuse(looker.owner, Reason.OUT_OF_RANGE, field="no2")

    first, second = looker.panel(PIPELINE, "Refusals and remedies", language="fr")

    assert (first["why"], first["messages"], first["readings"]) == ("capteur inconnu", 3, 0)
    assert (second["why"], second["messages"], second["readings"]) == ("valeur hors limites", 0, 1)
    assert first["remedy"].startswith("Inscrire le capteur : beffroi sensors discover")


def test_devices_that_nobody_registered_are_seen_by_who_reads_everything_only(looker_of_one):
    refuse(looker_of_one.owner, Reason.UNKNOWN_SENSOR)
    ledger(looker_of_one.owner, "(unknown sensor)", "2 hours", 5, refused=5)
    ledger(looker_of_one.owner, "air-9", "2 hours", 7)
    ledger(looker_of_one.owner, "air-1", "2 hours", 9)

    assert looker_of_one.panel(PIPELINE, "Refusals and remedies") == []
    assert looker_of_one.value(PIPELINE, "Readings stored in 24 h") == 9
    assert looker_of_one.panel(PIPELINE, "Collectors") == []

    looker_of_one.owner.execute("UPDATE city.reader SET territory_id = NULL")
    assert looker_of_one.panel(PIPELINE, "Refusals and remedies") != []
    assert looker_of_one.value(PIPELINE, "Readings stored in 24 h") == 16


def test_a_year_of_the_ledger_summed_up_counts_what_the_ledger_counts(looker, database):
    ledger(looker.owner, "air-1", "200 days", 1000)
    ledger(looker.owner, "air-1", "30 hours", 200, refused=10)
    ledger(looker.owner, "air-9", "30 hours", 50)
    ledger(looker.owner, "(unknown sensor)", "30 hours", 4, refused=4)
    sum_up(database)

    def counted(hours):
        rows = looker.panel(PIPELINE, "Messages", hours=hours)
        return {
            kind: sum(row["value"] for row in rows if row["metric"] == kind)
            for kind in ("read", "refused")
        }

    assert counted(7 * 24) == {"read": 240, "refused": 14}  # the ledger itself
    assert counted(60 * 24) == {"read": 240, "refused": 14}  # summed by hours
    assert counted(365 * 24) == {"read": 1240, "refused": 14}  # by days


def test_what_a_replay_changed_in_the_last_week_is_summed_anew_the_day_after(looker, database):
    ledger(looker.owner, "air-1", "100 hours", 200, refused=10)
    ledger(looker.owner, "air-1", "24 hours", 1)
    sum_up(database)
    looker.owner.execute(
        "UPDATE pipeline.sensor_hour SET messages_decoded = 200, messages_refused = 0,"
        " readings_decoded = 200, readings_stored = 200 WHERE messages_received = 200"
    )
    sum_up(database)

    assert looker.owner.execute(
        "SELECT sum(readings_stored) FROM pipeline.territory_hour"
    ).fetchone() == (201,)


def test_a_sensor_that_moved_to_another_territory_is_counted_once(looker, database):
    ledger(looker.owner, "air-1", "100 hours", 200)
    ledger(looker.owner, "air-9", "24 hours", 1)
    sum_up(database)
    looker.owner.execute(
        "UPDATE city.sensor SET site_id = (SELECT site_id FROM city.sensor WHERE code = 'air-9')"
        " WHERE code = 'air-1'"
    )
    sum_up(database)

    assert looker.owner.execute(
        "SELECT sum(messages_received), count(DISTINCT territory_id) FROM pipeline.territory_hour"
    ).fetchone() == (201, 1)
