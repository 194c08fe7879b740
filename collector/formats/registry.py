"""Every payload format a binding may name, stated once."""

from __future__ import annotations

from collector.formats import plain, senml
from collector.formats.format import Decoder

FORMATS: dict[str, Decoder] = {
    "plain": plain.decode,
    "senml": senml.decode,
}
