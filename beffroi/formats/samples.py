"""The messages that `beffroi formats try` is given: a file, standard input, or words."""

from __future__ import annotations

import base64
import binascii
import sys
from pathlib import Path
from typing import NamedTuple

from beffroi.records.question import QuestionError
from collector.formats.format import Undecodable
from collector.formats.json_text import parse

LARGEST = 64 << 20
"""Bytes of one file; more is no message but an archive."""


class Sample(NamedTuple):
    """One message to try; ``line`` counts from 1 where a file holds several, else 0."""

    topic: str
    payload: bytes
    line: int = 0


def read(
    file: Path | None, topic: str | None, payload: str | None, *, as_hex: bool, as_base64: bool
) -> list[Sample]:
    """Everything to try, in order; a mistake is a :class:`QuestionError`."""
    if (file is None) == (payload is None):
        raise QuestionError(
            "give either a FILE or --payload, as in: beffroi formats try up.json, or:"
            " beffroi formats try --topic lab/a --payload '{\"no2\": 12.5}'"
        )
    if as_hex and as_base64:
        raise QuestionError("--hex and --base64 exclude each other; give one")
    if topic is not None and ({"+", "#"} & set(topic.split("/")) or not topic.strip()):
        raise QuestionError(f"--topic: {topic!r} is no topic of a message but a filter or nothing")
    if payload is not None:
        at = Path(payload[1:]) if payload.startswith("@") else None
        content = payload.encode() if at is None else _content(at, "--payload @FILE")
    else:
        assert file is not None
        at, content = file, _content(file, "FILE")
    if topic is None:
        topic = _topic_beside(at) if at is not None else ""
    if as_hex or as_base64:
        return [Sample(topic, _decoded(content, as_hex))]
    lines = content.splitlines()
    if len(lines) > 1 and not _is_json(content) and _is_json(lines[0], container=True):
        return [Sample(topic, line, n) for n, line in enumerate(lines, 1) if line.strip()]
    return [Sample(topic, content)]


def _content(path: Path, what: str) -> bytes:
    if str(path) == "-":
        return sys.stdin.buffer.read(LARGEST)
    try:
        if path.stat().st_size > LARGEST:
            raise QuestionError(f"{what}: {path} holds more than {LARGEST >> 20} MB; give a part")
        return path.read_bytes()
    except FileNotFoundError:
        raise QuestionError(f"{what}: there is no file {path}; check its name") from None
    except IsADirectoryError:
        raise QuestionError(f"{what}: {path} is a folder; name a file in it") from None
    except OSError as error:
        raise QuestionError(f"{what}: {path} cannot be read: {error.strerror}") from None


def _topic_beside(path: Path) -> str:
    """The first line of ``up.topic.txt`` beside ``up.json``; "" where there is none."""
    names = [f"{path.stem}.topic.txt", f"{path.name}.topic.txt"]
    if path.stem == "payload":
        names.append("topic.txt")  # as the cases of the formats lie
    for name in names:
        try:
            text = path.with_name(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError, ValueError):
            continue
        return next((line.strip() for line in text.splitlines() if line.strip()), "")
    return ""


def _decoded(content: bytes, as_hex: bool) -> bytes:
    text = b"".join(content.split())
    try:
        if as_hex:
            return bytes.fromhex(text.decode().removeprefix("0x").replace(":", ""))
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        kind, shape = (
            ("--hex", "pairs of the digits 0-9 and a-f") if as_hex
            else ("--base64", "the letters A-Z, a-z, 0-9, + and /, filled up with =")
        )  # fmt: skip
        raise QuestionError(f"{kind}: this is none; it is written in {shape}") from None


def _is_json(text: bytes, *, container: bool = False) -> bool:
    try:
        value = parse(text)
    except Undecodable:
        return False
    return isinstance(value, dict | list) or not container
