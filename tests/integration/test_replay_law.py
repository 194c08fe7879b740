"""Whatever is refused, mended and replayed, the books balance."""

from __future__ import annotations

import asyncio
import json

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beffroi.embedded.testing import TestCluster
from tests.integration.refused_city import (
    AIR_2,
    City,
    collect,
    connected,
    message,
    reading,
    replay_all,
)

AIR_1_TOPIC, AIR_2_TOPIC = "city/mairie/air-1", "city/mairie/air-2"

_PAYLOADS = st.one_of(
    st.builds(
        lambda minute, values: json.dumps(reading(minute, **values)).encode(),
        st.integers(0, 3),
        st.dictionaries(
            st.sampled_from(["no2", "temp", "odd", ""]),
            st.sampled_from([1, 2, 1e9, "x", None]),
            max_size=4,
        ),
    ),
    st.builds(
        lambda records: json.dumps(
            [{"bn": f"{s}:", "n": n, "v": v, "t": 1772352000 + t} for s, n, v, t in records]
        ).encode(),
        st.lists(
            st.tuples(
                st.sampled_from(["air-1", "air-2", "air-3"]),
                st.sampled_from(["no2", "temp", "odd"]),
                st.sampled_from([1, 2]),
                st.integers(0, 2),
            ),
            min_size=1,
            max_size=4,
        ),
    ),
    st.sampled_from([b"{", b"", b"7"]),
)
_MESSAGES = st.lists(
    st.tuples(
        st.sampled_from([AIR_1_TOPIC, AIR_2_TOPIC, "senml/x", "nowhere"]),
        _PAYLOADS,
        st.integers(0, 1),
        st.booleans(),
    ),
    max_size=8,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=_MESSAGES, between=_MESSAGES, changes=st.lists(st.integers(0, 4), max_size=4))
def test_the_books_balance_after_any_fix_and_replay(
    cluster: TestCluster, monkeypatch: pytest.MonkeyPatch, before, between, changes
):
    conninfo = cluster.clone("migrated")
    for name, value in cluster.environment(conninfo).items():
        monkeypatch.setenv(name, value)
    try:
        with psycopg.connect(conninfo, autocommit=True) as own:
            asyncio.run(_fix_and_replay(City(own), before, between, changes))
    finally:
        cluster.drop(conninfo)


async def _fix_and_replay(city: City, before, between, changes) -> None:
    async with connected() as connection:
        for messages in (before, between):
            if messages:
                await collect(
                    connection,
                    [message(t, p, qos=qos, retain=kept) for t, p, qos, kept in messages],
                )
            city.assert_balanced()
            for change in changes:
                if change == 0 and "air-2" not in city.csv:
                    city.csv += AIR_2 + "99001,mairie,air-2,temperature,temp,Cel,60,start\n"
                elif change == 1 and "humidity" not in city.csv:
                    city.csv += "99001,mairie,air-1,humidity,odd,,60,start\n"
                elif change == 2:
                    city.csv = city.csv.replace("temp,Cel", "temp,K")
                elif change == 3 and "ignore" not in city.toml:
                    city.toml = city.toml.replace('{sensor}"', '{sensor}"\nignore = ["odd"]', 1)
                elif change == 4:
                    city.toml = city.toml.replace("city/{site}", "city/{territory}")
                city.write()
                await replay_all(connection)
                city.assert_balanced()
        held = city.refusals(), city.ledger()
        again = await replay_all(connection)
        assert (again.stored, again.duplicate) == (0, 0)
        assert (city.refusals(), city.ledger()) == held
