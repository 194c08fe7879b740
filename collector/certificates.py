"""Birth certificates between the decoder's memory and the database; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

from collector import personal
from collector.formats.births import Born, Device, Version
from collector.formats.sparkplug import birth_topic
from collector.refusing import Declared
from storage.intake import BirthRow

_LONG = 200


def rows(changes: Iterable[Version], declared: Declared, fields: Collection[str]) -> list[BirthRow]:
    """What may be written down of ``changes``: nothing that names a person or a vehicle.

    A device whose topic would have to be masked is left out, and so is a metric whose name
    is an identifier and no registered field: after a restart they are asked for again.
    """
    found: list[BirthRow] = []
    for whose, born, known in changes:
        topic = birth_topic(whose)
        if "\0" in topic or declared.masked_topic(topic) != topic:
            continue
        if known:
            # A death of a few bytes may end the births of a thousand devices.
            found.append(
                BirthRow(*whose, born.born_us, born.ended_us, born.bdseq, [], [], [], known=True)
            )
            continue
        alias_of = {name: alias for alias, name in born.aliases.items()}
        names = [name for name in born.metrics if name in fields or not _names_identifier(name)]
        found.append(
            BirthRow(
                *whose, born.born_us, born.ended_us, born.bdseq, names,
                [alias_of.get(name) for name in names],
                [born.metrics[name] for name in names],
            )
        )  # fmt: skip
    return found


def _names_identifier(name: str) -> bool:
    # The devices of a town have the same names again and again; long ones are not kept.
    return _remembered(name) if len(name) <= _LONG else personal.names_identifier(name)


_remembered = lru_cache(maxsize=50_000)(personal.names_identifier)


def versions(written: Sequence[BirthRow]) -> list[Version]:
    """The memory's own form of what was written down."""
    return [
        Version(
            Device(row.group, row.node, row.device),
            Born(
                dict(zip(row.name, row.datatype, strict=True)),
                {
                    alias: name
                    for name, alias in zip(row.name, row.alias, strict=True)
                    if alias is not None
                },
                row.born_us,
                row.ended_us,
                row.bdseq,
            ),
        )
        for row in written
    ]
