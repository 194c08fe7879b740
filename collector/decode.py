"""Messages to an intake under one version of the registry. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from collector.assembly import Assembly
from collector.certificates import rows
from collector.registered import Registered
from collector.source import Message
from storage.intake import Intake
from storage.reading import Reason

# A newer registry might know them; also a name that looks personal may be a field by now.
_OF_STRANGERS = (
    Reason.UNKNOWN_SENSOR, Reason.UNKNOWN_FIELD, Reason.UNREADABLE_TOPIC, Reason.PERSONAL,
    Reason.NO_CODEC, Reason.RETIRED,
)  # fmt: skip


class Decoding(Registered):
    """Turns batches of messages into intakes."""

    def intake(self, messages: Sequence[Message]) -> Intake:
        """Everything in ``messages`` as readings and refusals."""
        self.births.begin()
        intake = Assembly(self, messages).intake()
        if changes := self.births.changes():
            names = frozenset(self.field_names.tolist())
            return dataclasses.replace(intake, births=rows(changes, self.declared, names))
        return intake

    def rejected(self, message: Message, detail: str) -> Intake:
        """A message that the database will not have, as a refusal."""
        self.births.begin()
        return Assembly(self, [message]).rejected(detail)


def has_strangers(intake: Intake) -> bool:
    """Whether a newer registry might read more of this intake."""
    return any(refusal.reason in _OF_STRANGERS for refusal in intake.refusals)
