"""Keys of LoRaWAN devices in refused messages, made unreadable. Pure.

A network server may pass on the key of a session. Whoever has it reads and forges what the
device sends, so it is kept nowhere; messages without it are read just the same.
"""

from __future__ import annotations

import re

_KEY = re.compile(
    rb"""["'](?:
      (?:app|nwk|gen_?app|[fs]_?nwk|js|mc)_?(?:s|root|ke)?_?(?:enc|int)?_?key
    )["']\s*:\s*(?:\{[^{}]{0,600}\}|"(?:[^"\\]|\\.){0,600}")""",
    re.IGNORECASE | re.VERBOSE,
)
_TEXT = re.compile(rb':\s*"(?P<text>(?:[^"\\]|\\.){0,600})"')
_READABLE = re.compile(rb"(\\u[0-9A-Fa-f]{4}|\\.)|[0-9A-Za-z+=_-]")


def hide(payload: bytes) -> bytes:
    """``payload`` without such keys, at equal length; valid JSON stays valid.

    >>> hide(b'{"app_s_key": {"key": "AWiZpA==", "kek_label": ""}}')
    b'{"app_s_key": {"key": "********", "kek_label": ""}}'
    """
    return _KEY.sub(_without, payload)


def _without(match: re.Match[bytes]) -> bytes:
    return _TEXT.sub(_masked, match[0])


def _masked(match: re.Match[bytes]) -> bytes:
    start = match.start("text") - match.start()
    hidden = _READABLE.sub(lambda one: one[1] or b"*", match["text"])
    return match[0][:start] + hidden + match[0][start + len(match["text"]) :]
