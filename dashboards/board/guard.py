"""Security headers on every answer, and the board's own meters."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; "
                               "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}  # fmt: skip

# Only these become labels: an address typed by a stranger must not grow a time series.
_ROUTES = frozenset({
    "/", "/air", "/moving", "/energy", "/map", "/measure", "/platform", "/events", "/method",
    "/accessibility", "/screens", "/healthz", "/metrics",
})  # fmt: skip


class Meters:
    """What Prometheus may ask of the board."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "beffroi_board_requests_total",
            "Answers given.",
            ["route", "status"],
            registry=self.registry,
        )
        self.refresh = Histogram(
            "beffroi_board_refresh_seconds", "Time of one database round.", registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
        )  # fmt: skip
        self.database = Gauge(
            "beffroi_board_database_up",
            "1 if the last database round succeeded.",
            registry=self.registry,
        )
        self.watchers = Gauge(
            "beffroi_board_watchers", "Open event streams.", registry=self.registry
        )

    def observe(self, seconds: float, good: bool) -> None:
        """Note one database round."""
        self.refresh.observe(seconds)
        self.database.set(1 if good else 0)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Count an event stream while it is open."""
        self.watchers.inc()
        try:
            yield
        finally:
            self.watchers.dec()


class Guard:
    """ASGI middleware: headers on every answer, one count per answer."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self.app = app
        self.meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                path = scope["path"]
                route = path if path in _ROUTES else "other"
                self.meters.requests.labels(route, str(message["status"])).inc()
            await send(message)

        await self.app(scope, receive, guarded)
