"""The status page: nobody can hold it up."""

from __future__ import annotations

import socket
import threading
import urllib.request

import pytest

from storage.status import StatusServer


def test_a_client_that_says_nothing_holds_up_neither_the_page_nor_its_end():
    server = StatusServer("127.0.0.1", 0, lambda: (True, {}))
    with socket.create_connection(("127.0.0.1", server.port)):
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/healthz", timeout=2) as page:
            assert page.status == 200
        closing = threading.Thread(target=server.close, daemon=True)
        closing.start()
        closing.join(3)
        assert not closing.is_alive()


def test_a_port_that_is_taken_is_told_with_the_remedy():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"127.0.0.1:{port}: .*; choose another …_METRICS_PORT"):
            StatusServer("127.0.0.1", port, lambda: (True, {}))
