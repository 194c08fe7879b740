"""What several tests of this folder stand on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    """Connections to the fresh database, as the processor opens them."""
    async with asyncpg.create_pool(database, min_size=0, max_size=4) as running:
        yield running
