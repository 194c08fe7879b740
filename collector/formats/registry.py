"""Every payload format a binding may name, stated once; the most particular first."""

from __future__ import annotations

from collector.formats import plain, senml
from collector.formats.format import Format

FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        senml.FORMAT,
        plain.FORMAT,
    )
}
"""By name, in the order in which a format is guessed."""
