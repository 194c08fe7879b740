"""`beffroi board`: the public board."""

from __future__ import annotations

import asyncio
import os

from dashboards.board import app
from dashboards.board.language import codes
from dashboards.settings import Settings


async def board(stop: asyncio.Event) -> None:
    """The public board: see dashboards/README.md."""
    settings = Settings.read(os.environ, codes())
    await app.serve(stop, settings.host, settings.port, settings=settings)
