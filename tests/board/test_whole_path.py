"""A number on the page is as fresh as is promised."""

import pytest
from playwright.async_api import Browser

from beffroi.embedded.testing import TestBroker, TestCluster
from tests.board.whole_path import delays


async def test_a_reading_is_on_the_page_within_2_seconds_of_its_publish(
    browser: Browser, broker: TestBroker, cluster: TestCluster, city: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for name, value in cluster.environment(city).items():
        monkeypatch.setenv(name, value)

    found = await delays(browser, broker, city, messages=5, every_s=0.9)

    assert len(found) == 5
    assert 0 < min(found) <= max(found) <= 2.0
