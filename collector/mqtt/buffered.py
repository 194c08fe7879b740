"""A socket that reads and writes in large pieces for a client that does not."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_PIECE = 1 << 18


class BufferedSocket:
    """Wraps a non-blocking socket; has the few methods that paho calls.

    ``drained`` is true once a read has found the socket empty: until then more may wait
    in this buffer, or in TLS, without the event loop being told.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._data = b""
        self._at = 0
        self._out = bytearray()
        self._corked = False
        self.drained = False
        self.received = 0  # bytes
        # An event loop must forget the number before the system gives it to another socket.
        self.before_close: Callable[[], None] | None = None

    def recv(self, size: int) -> bytes:
        """At most ``size`` bytes; from the socket only when the buffer is empty."""
        at = self._at
        if at < len(self._data):
            self._at = at + size
            return self._data[at : at + size]
        # Forgotten before the next read, which may fail: nothing may be read twice.
        self._data, self._at = b"", 0
        try:
            self._data = self._inner.recv(_PIECE)
        except (BlockingIOError, ssl.SSLWantReadError):
            self.drained = True
            raise BlockingIOError from None
        self.drained = False
        self.received += len(self._data)
        self._at = min(size, len(self._data))
        return self._data[:size]

    def peek(self) -> tuple[bytes, int]:
        """What was received and not yet read, as a buffer and a position in it; may be empty."""
        if self._at >= len(self._data):
            try:
                first = self.recv(0)
            except (BlockingIOError, OSError):
                # A broken connection is reported by the next recv of whoever reads on.
                return b"", 0
            assert first == b""
        return self._data, self._at

    def skip_to(self, position: int) -> None:
        """Take for read what lies before ``position`` in the buffer of :meth:`peek`."""
        self._at = position

    def send(self, data: bytes | bytearray) -> int:
        """Take all of ``data``; what the socket does not take now, waits here."""
        self._out += data
        if not self._corked:
            self.flush()
        return len(data)

    @contextmanager
    def corked(self) -> Iterator[None]:
        """Collect what is sent inside, and send it in one piece."""
        self._corked = True
        try:
            yield
        finally:
            self._corked = False
            self.flush()

    def flush(self) -> bool:
        """Send what waits; true when nothing does any more."""
        while self._out:
            try:
                sent = self._inner.send(self._out)
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                return False
            except OSError:
                # The reader sees the broken connection and reports it.
                self._out.clear()
                return True
            del self._out[:sent]
        return True

    @property
    def unsent(self) -> bool:
        """Whether bytes wait for the socket to become writable."""
        return bool(self._out)

    def setsockopt_nodelay(self) -> None:
        """Send acknowledgements at once; Nagle alone would cap a window of 20 at 454/s."""
        self._inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fileno(self) -> int:
        """As the socket's; -1 once closed."""
        number: int = self._inner.fileno()
        return number

    def setblocking(self, flag: bool) -> None:
        """As the socket's."""
        self._inner.setblocking(flag)

    def settimeout(self, seconds: float | None) -> None:
        """As the socket's."""
        self._inner.settimeout(seconds)

    def close(self) -> None:
        """As the socket's, after :attr:`before_close`."""
        before, self.before_close = self.before_close, None
        if before is not None:
            before()
        self._inner.close()
