"""The range that is looked at, as pieces of SQL."""

from __future__ import annotations

TO = "$__timeTo()::timestamptz"
"""The end of the range: panels that say how things are say it of then, so that a look at last
Tuesday shows last Tuesday."""

SPAN = "$__unixEpochTo() - $__unixEpochFrom()"
"""How long it is. [s]"""

OPEN = f"opened_at <= {TO} AND (closed_at IS NULL OR closed_at > {TO}) AND in_service"
"""Alerts that are open then."""
