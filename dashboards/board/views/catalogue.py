"""Every view, in the order in which people meet them."""

from __future__ import annotations

from dashboards.board.views import air, energy, measure, moving, now, platform
from dashboards.board.views import map as city_map
from dashboards.board.views.view import View
from dashboards.settings import Settings


def views(settings: Settings) -> dict[str, View]:
    """By name; the first is the home page."""
    every = (
        now.view(settings.headline), air.VIEW, moving.VIEW, energy.VIEW, city_map.VIEW,
        measure.VIEW, platform.VIEW,
    )  # fmt: skip
    return {view.name: view for view in every}
