"""Alert rules on small literal data: who is called, and who is not."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboards.grafana.panel import Type
from dashboards.grafana.rules import RULES
from storage.indicators.limits import VERDICT_WORDS, Verdict
from tests.grafana.looking import alert, figure, heard, ledger, looking

SENSORS = ("air-1", "air-2", "air-3", "meter-1", "meter-2", "count-1")
COMMITTED = (
    "INSERT INTO pipeline.attempt"
    " SELECT now() - interval '0 minutes', gen_random_uuid(), 1, 0, 1, 1, 0, 0"
)
LABELS = {"territory": "99001", "territory_name": "Essai", "site": "mairie", "site_name": "Mairie"}


@pytest.fixture
def looker(connection, database):
    with looking(connection, database) as found:
        yield found


@pytest.fixture
def looker_of_one(connection, database):
    with looking(connection, database, "99001") as found:
        yield found


def this_hour():
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def today():
    return this_hour().replace(hour=0)


def test_nobody_is_called_in_a_quiet_city(looker):
    for sensor in SENSORS:
        heard(looker.owner, sensor)
    ledger(looker.owner, "air-1", "0 hours", 100)
    ledger(looker.owner, "air-1", "30 hours", 100, refused=1)
    looker.owner.execute(COMMITTED)

    assert {rule.uid: looker.rule(rule.uid) for rule in RULES if looker.rule(rule.uid)} == {}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.uid)
def test_a_rule_returns_text_labels_and_one_number_that_is_called_value(looker, rule):
    cursor = looker._asked.execute(rule.sql.replace("@language", "de").encode())

    kinds = {25: Type.TEXT, 701: Type.NUMBER, 20: Type.NUMBER}
    found = {column.name: kinds[column.type_code] for column in cursor.description}
    assert found == {name: column.type for name, column in rule.columns.items()}
    assert [name for name, kind in found.items() if kind is Type.NUMBER] == ["value"]


def test_one_silent_sensor_of_three_calls_for_its_site_only(looker):
    for sensor in SENSORS:
        heard(looker.owner, sensor)
    alert(looker.owner, "air-1")

    assert looker.rule("beffroi-silence") == [{**LABELS, "value": 1}]
    assert looker.rule("beffroi-outage") == []


def test_five_silent_of_six_are_one_outage_and_no_sites(looker):
    for sensor in (*SENSORS, "air-9"):
        heard(looker.owner, sensor)
    for sensor in (*SENSORS[:5], "air-9"):
        alert(looker.owner, sensor)

    (outage,) = looker.rule("beffroi-outage")
    assert (outage["territory_name"], round(outage["value"], 1)) == ("Essai", 83.3)
    assert [row["site_name"] for row in looker.rule("beffroi-silence")] == ["Gare"]


def test_four_silent_of_four_are_told_by_site(looker):
    for sensor in SENSORS[:4]:
        heard(looker.owner, sensor)
        alert(looker.owner, sensor)

    assert looker.rule("beffroi-outage") == []
    assert [(row["site"], row["value"]) for row in looker.rule("beffroi-silence")] == [
        ("ecole", 1), ("mairie", 3),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["stuck", "drift", "jump"])
def test_a_sensor_that_cannot_be_believed_calls_until_its_alert_closes(looker, kind):
    alert(looker.owner, "air-1", kind)
    alert(looker.owner, "air-2", kind, closed=True)

    (row,) = looker.rule(f"beffroi-{kind}")

    assert {name: row[name] for name in (*LABELS, "sensor", "label")} == {
        **LABELS, "sensor": "air-1", "label": "Nitrogen dioxide (NO₂)",
    }  # fmt: skip
    assert round(row["value"], 3) == 2  # days


@pytest.mark.parametrize(
    ("level", "information", "alarm"), [(0, 0, 0), (1, 1, 0), (2, 0, 1), (3, 0, 1), (6, 0, 1)]
)
def test_level_1_informs_and_from_the_second_day_running_on_it_alarms(
    looker, level, information, alarm
):
    start = today()
    figure(looker.owner, "air", "threshold_fr", "air-1", start, start + timedelta(days=1), level)
    figure(looker.owner, "air", "threshold_eu", "air-1", start, start + timedelta(days=1), 0)

    assert len(looker.rule("beffroi-air-information")) == information
    assert len(looker.rule("beffroi-air-alert")) == alarm


def test_a_threshold_of_three_days_ago_calls_nobody(looker):
    start = today() - timedelta(days=3)
    figure(looker.owner, "air", "threshold_fr", "air-1", start, start + timedelta(days=1), 3)

    assert looker.rule("beffroi-air-alert") == []


@pytest.mark.parametrize(
    ("hours", "code", "exceeded", "near"),
    [
        (14, Verdict.SO_FAR, [], []),  # 78 % of 18
        (15, Verdict.SO_FAR, [], [83]),
        (18, Verdict.SO_FAR, [], [100]),
        (19, Verdict.CERTAIN, [19], []),
    ],
)
def test_the_19th_hour_over_200_of_18_exceeds_the_limit_of_the_year(
    looker, hours, code, exceeded, near
):
    start = today() - timedelta(days=100)
    figure(
        looker.owner, "air", "eu2008_no2_hour", "air-1", start, start + timedelta(days=365), hours,
        code=code,
    )  # fmt: skip

    assert [row["value"] for row in looker.rule("beffroi-air-limit")] == exceeded
    assert [round(row["value"]) for row in looker.rule("beffroi-air-limit-near")] == near


def test_a_limit_that_is_not_in_force_yet_calls_nobody(looker):
    start = today() - timedelta(days=100)
    ahead = VERDICT_WORDS.index(f"{VERDICT_WORDS[Verdict.CERTAIN]}, not yet in force")
    figure(
        looker.owner, "air", "eu2030_no2_hour", "air-1", start, start + timedelta(days=365), 9,
        code=ahead,
    )  # fmt: skip

    assert looker.rule("beffroi-air-limit") == []


@pytest.mark.parametrize(
    ("hours_ago", "called"),
    [
        ((3, 2, 1), [9]),
        ((2, 1), []),
        ((4, 2, 1), []),  # not in a row
        ((9, 8, 7), []),  # over since
        ((5, 4, 3, 2, 1), [9]),
    ],
)
def test_three_unusual_hours_in_a_row_call_while_they_are_fresh(looker, hours_ago, called):
    for ago in hours_ago:
        start = this_hour() - timedelta(hours=ago)
        figure(
            looker.owner, "mobility", "mobility_unusual", "count-1", start,
            start + timedelta(hours=1), -9 if ago == hours_ago[0] else -7,
        )  # fmt: skip

    assert [row["value"] for row in looker.rule("beffroi-unusual-mobility")] == called


def test_hours_far_above_and_far_below_in_turn_are_no_row(looker):
    for ago, value in ((5, 7), (4, 7), (3, -7), (2, 7), (1, -7)):
        start = this_hour() - timedelta(hours=ago)
        figure(
            looker.owner, "energy", "energy_unusual", "meter-1", start,
            start + timedelta(hours=1), value,
        )  # fmt: skip

    assert looker.rule("beffroi-unusual-energy") == []


@pytest.mark.parametrize(("step", "up", "down"), [(2.5, [2.5], []), (-1.5, [], [1.5])])
def test_a_step_of_the_base_load_says_its_size_and_night(looker, step, up, down):
    night = today() - timedelta(days=9, hours=1)  # local midnight, in winter
    start = night - timedelta(days=2)
    figure(
        looker.owner, "energy", "base_load_step", "meter-1", start, start + timedelta(days=7), step,
        code=1, at=night,
    )  # fmt: skip

    assert [row["value"] for row in looker.rule("beffroi-base-load-up")] == up
    assert [row["value"] for row in looker.rule("beffroi-base-load-down")] == down
    (row,) = looker.rule("beffroi-base-load-up") + looker.rule("beffroi-base-load-down")
    assert row["night"] in {f"{night + timedelta(hours=shift):%Y-%m-%d}" for shift in (1, 2)}


def test_lights_that_burned_yesterday_call_and_those_mended_since_do_not(looker):
    for days, sensor, code in (
        (2, "meter-1", 1),
        (1, "meter-1", 1),
        (2, "meter-2", 1),
        (1, "meter-2", 0),
    ):
        start = today() - timedelta(days=days)
        figure(
            looker.owner, "energy", "lighting_noon_ratio_day", sensor, start,
            start + timedelta(days=1), 60 * code, code=code,
        )  # fmt: skip

    assert [(r["sensor"], r["value"]) for r in looker.rule("beffroi-lights-by-day")] == [
        ("meter-1", 60)
    ]


def test_46_minutes_without_a_commit_call_while_sensors_should_speak(looker):
    looker.owner.execute(COMMITTED.replace("0 minutes", "46 minutes"))
    assert looker.rule("beffroi-lag") == []  # nobody was ever heard

    heard(looker.owner, "air-1", "46 minutes")
    (row,) = looker.rule("beffroi-lag")
    assert round(row["value"]) == 46

    looker.owner.execute(COMMITTED.replace("0 minutes", "14 minutes"))
    assert looker.rule("beffroi-lag") == []


def test_nothing_stored_for_nine_days_calls_still(looker):
    looker.owner.execute(COMMITTED.replace("0 minutes", "9 days"))
    heard(looker.owner, "air-1", "9 days")

    (row,) = looker.rule("beffroi-lag")
    assert round(row["value"]) == 9 * 1440


def test_a_holiday_at_11_counters_is_one_call_and_at_10_is_10(looker):
    sensor = looker.owner.execute(
        "SELECT sensor_id FROM city.sensor WHERE code = 'count-1'"
    ).fetchone()[0]
    for number in range(11):
        (one,) = looker.owner.execute(
            "INSERT INTO city.series (sensor_id, metric, field, unit, scale, shift, step_s, stamp)"
            " VALUES (%s, 'vehicles', %s, '1', 1, 0, 900, 'start') RETURNING series_id",
            (sensor, f"lane-{number}"),
        ).fetchone()
        for ago in (3, 2, 1):
            looker.owner.execute(
                "INSERT INTO mobility.figure (start, stop, at, value, low, high, subject_id, n, due,"
                " code, indicator_id, status, method, provisional, indicative)"
                " SELECT %s, %s, '-infinity', -8, 'NaN', 'NaN', %s, 1, 1, 2, indicator_id, 1, 0, false,"
                " false FROM city.indicator WHERE indicator = 'mobility_unusual'",
                (this_hour() - timedelta(hours=ago), this_hour() - timedelta(hours=ago - 1), one),
            )
        if number == 9:
            assert len(looker.rule("beffroi-unusual-mobility")) == 10

    (row,) = looker.rule("beffroi-unusual-mobility")
    assert (row["territory"], row["sensor"], row["value"]) == ("99001", "many sensors at once", 8)


def test_a_ledger_that_does_not_balance_calls_every_reader(looker_of_one):
    ledger(looker_of_one.owner, "air-9", "40 days", 10)
    looker_of_one.owner.execute("UPDATE pipeline.sensor_hour SET readings_stored = 9")

    assert [row["value"] for row in looker_of_one.rule("beffroi-ledger")] == [1]


@pytest.mark.parametrize(("minutes", "called"), [(29, []), (31, [31])])
def test_marks_may_wait_for_half_an_hour(looker, minutes, called):
    looker.owner.execute(
        "INSERT INTO pipeline.changed (level, start, series_id, marked_at)"
        " VALUES ('rollup_1h', now(), '{1}', now() - make_interval(mins => %s))",
        (minutes,),
    )

    assert [round(row["value"]) for row in looker.rule("beffroi-backlog")] == called


@pytest.mark.parametrize(
    ("usual", "now", "called"),
    [(1, 20, [20]), (10, 20, []), (0, 4, []), (0, 6, [])],
)  # 6 of 100: less than 20 refused
def test_a_share_refused_calls_when_it_is_three_times_the_usual(looker, usual, now, called):
    owner = looker.owner
    ledger(
        owner, "air-1", "0 hours", 100 if now < 10 else 1000, refused=now * (1 if now < 10 else 10)
    )
    owner.execute(
        "INSERT INTO pipeline.territory_hour (hour, messages_received, messages_qos0,"
        " messages_decoded, messages_refused, readings_decoded, readings_stored,"
        " readings_duplicate, readings_refused, territory_id)"
        " SELECT date_trunc('hour', now()) - interval '2 days', 100, 0, 100 - %s, %s, 100 - %s,"
        " 100 - %s, 0, 0, territory_id FROM city.territory WHERE code = '99001'",
        (usual,) * 4,
    )

    assert [round(row["value"]) for row in looker.rule("beffroi-refusals")] == called


@pytest.mark.parametrize(
    ("free", "full", "soon"), [(14, [], []), (9, [91], []), (13, [], []), (None, [], [])]
)
def test_a_disk_calls_below_a_tenth_that_is_free(looker, free, full, soon):
    sample(looker.owner, 1, free)

    assert [round(row["value"]) for row in looker.rule("beffroi-disk")] == full
    assert [round(row["value"]) for row in looker.rule("beffroi-disk-soon")] == soon


@pytest.mark.parametrize(("free", "soon"), [(15, []), (13, [108]), (None, [])])
def test_a_disk_calls_when_a_gigabyte_a_day_fills_it_within_14_days(looker, free, soon):
    sample(looker.owner, 5, free)

    assert [round(row["value"]) for row in looker.rule("beffroi-disk-soon")] == soon


def test_a_processor_that_samples_no_more_calls_after_three_hours(looker):
    sample(looker.owner, 1, 50)
    assert looker.rule("beffroi-processor") == []
    looker.owner.execute("UPDATE pipeline.footprint SET hour = hour - interval '4 hours'")

    assert 4 <= looker.rule("beffroi-processor")[0]["value"] < 5


def test_a_collector_that_never_left_calls_by_its_client_id_who_reads_everything(looker):
    looker.owner.execute(
        "INSERT INTO pipeline.collector (client_id, broker, host, session_expiry_s, seen_at, left_at)"
        " VALUES ('gone', 'b:1', 'h', 60, now() - interval '9 minutes', NULL),"
        " ('here', 'b:1', 'h', 60, now(), NULL), ('left', 'b:1', 'h', 60, now() - interval '1 day', now())"
    )

    assert [(r["client_id"], round(r["value"])) for r in looker.rule("beffroi-collector")] == [
        ("gone", 9)
    ]


def test_a_reader_of_one_commune_is_not_called_for_another(looker_of_one):
    for sensor in ("air-9", "air-1"):
        heard(looker_of_one.owner, sensor)
        alert(looker_of_one.owner, sensor)
        alert(looker_of_one.owner, sensor, "jump")

    assert [row["site"] for row in looker_of_one.rule("beffroi-silence")] == ["mairie"]
    assert [row["site"] for row in looker_of_one.rule("beffroi-jump")] == ["mairie"]


def sample(owner, days, free_gb):
    """A database of 100 GB's disk that grows by a gigabyte a day."""
    owner.execute(
        "INSERT INTO pipeline.footprint"
        " SELECT h, 'processor', 3600, 60, 100e6,"
        "        50e9 + 1e9 * extract(epoch FROM h - now()) / 86400,"
        "        CASE WHEN %(free)s::int8 IS NOT NULL THEN 100e9 END, %(free)s * 1e9"
        "   FROM generate_series(date_trunc('hour', now()) - make_interval(days => %(days)s),"
        "                        date_trunc('hour', now()), interval '1 hour') h",
        {"free": free_gb, "days": days},
    )
