"""Customer output (TIC) of French electricity meters, Linky and older, over MQTT."""

from __future__ import annotations

from collector.formats import tic_frame, tic_gateway
from collector.formats.format import Decoded, Format, Hints, Undecodable
from collector.formats.json_text import parse
from collector.formats.tic_labels import LABELS, Role
from storage.reading import Reason


def decode(payload: bytes, hints: Hints, received_us: int) -> Decoded:
    """Read a frame as the meter sends it, an object of labels, or the value of one label.

    >>> frame = b"\\x02\\nBASE 007970903 .\\r\\nPAPP 00860 /\\r\\x03"
    >>> [one[1:5] for one in decode(frame, Hints("a"), 0).readings]
    [('BASE', None, 7970903.0, 'W.h'), ('PAPP', None, 860.0, 'V.A')]
    """
    decoded = _decode(payload.strip(b" \t\r\n"), hints)
    if not hints.sensor:
        raise Undecodable(
            Reason.UNKNOWN_SENSOR,
            "the topic names no sensor and the number of a meter is personal;"
            " put {sensor} into the binding's topic",
        )
    return decoded


def _decode(text: bytes, hints: Hints) -> Decoded:
    if text.startswith(b"{"):
        return tic_gateway.decode(parse(text), hints)
    name = _named_by(hints.topic)
    if name and b"\n" not in text:
        return tic_gateway.single(name, text.decode("latin-1").strip('"'), hints)
    return tic_frame.decode(text, hints)


def _named_by(topic: str) -> str:
    last = topic.rpartition("/")[2].upper()
    return last if last in LABELS else ""


def fits(topic: str, payload: bytes) -> bool:
    """A frame with sound groups, or an object of labels that no other gateway wraps."""
    text = payload.lstrip(b" \t\r\n")
    if not text.startswith(b"{"):
        last = topic.rpartition("/")[2]
        if last in LABELS and LABELS[last].role is Role.READING:
            return text.strip(b' \t\r\n"').isdigit()
        return tic_frame.looks_like_one(payload)
    try:
        message = parse(payload)
    except Undecodable:
        return False
    if "Time" in message and "TIC" in message:
        return False  # Tasmota's
    labels = tic_gateway.labels_of(message)
    names = (name if name in LABELS else name.upper() for name in labels)
    known = [LABELS[name] for name in names if name in LABELS]
    measured = sum(label.role is Role.READING for label in known)
    return measured >= 2 or (measured == 1 and len(known) >= 3)


FORMAT = Format(
    name="tic",
    title="Linky and other French meters: TIC frames, or gateways' JSON of them",
    topic="teleinfo/{sensor}/#",
    decode=decode,
    fits=fits,
    sensor="only the topic names it; the number of the meter is personal and never kept",
    fields="the label (`EAST`, `HCHC`, `PAPP`); the bits of STGE are `STGE.<name>`",
    units="W.h, V.A, W, V, A, var.h by label",
    time="the meter's DATE or the value's own, its season letter decides summer time;"
    " else the gateway's; else the reception",
    passed_over="tariff names, calendars, messages, numbers of meter and delivery point;"
    " contract, daily maxima, relays and state are offered",
)
