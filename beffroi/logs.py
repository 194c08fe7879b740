"""One line per event: time, level, module, past tense, fields."""

from __future__ import annotations

import logging
import sys
import time


def to_stderr(level: str = "INFO") -> None:
    """Log to standard error, times in UTC."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter(
        "%(asctime)s %(levelname)-7s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%SZ"
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
