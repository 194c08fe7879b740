"""``/healthz`` and Prometheus ``/metrics`` of a long-running program."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app

Health = Callable[[], tuple[bool, dict[str, object]]]
"""Returns whether the program does its work, and what it says of itself."""


class _Threads(ThreadingMixIn, WSGIServer):
    # Whoever connects and says nothing holds up neither the others nor the end of the program.
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away or say nothing are no news."""


class _Quiet(WSGIRequestHandler):
    timeout = 5.0

    def log_message(self, format: str, *args: Any) -> None:
        """Scrapes every few seconds are no news."""


class StatusServer:
    """Answers from threads of its own, so that a busy program still answers.

    Raises
    ------
    OSError
        When the address cannot be used; the message says which, and the remedy.
    """

    def __init__(
        self, host: str, port: int, health: Health, registry: CollectorRegistry = REGISTRY
    ) -> None:
        metrics = make_wsgi_app(registry)

        def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            path = environ["PATH_INFO"]
            if path == "/metrics":
                page: Iterable[bytes] = metrics(environ, start)
                return page
            if path == "/healthz":
                well, facts = health()
                start(
                    "200 OK" if well else "503 Service Unavailable",
                    [("Content-Type", "application/json")],
                )
                return [json.dumps({"healthy": well, **facts}).encode()]
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"/healthz or /metrics\n"]

        try:
            self._server = make_server(host, port, answer, _Threads, _Quiet)
        except OSError as error:
            why = error.strerror or error
            raise OSError(
                f"/healthz and /metrics cannot be served on {host}:{port}: {why};"
                " choose another …_METRICS_PORT"
            ) from error
        threading.Thread(target=self._server.serve_forever, name="status", daemon=True).start()

    @property
    def port(self) -> int:
        """The port in use, where 0 was asked for."""
        return int(self._server.server_port)

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
