"""The refusals of one batch of messages: bounded per message, free of personal identifiers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from collector import personal
from collector.masking import mask_payload
from collector.source import Message
from collector.topics import Topics
from storage.intake import ROWS_PER_MESSAGE, RefusalRow
from storage.reading import Reason
from storage.routes import Routes

KEPT_OF_TOO_LARGE = 4096
_LONGEST_NAME, _LONGEST_DETAIL = 200, 500
_MARGIN = 300  # looked at beyond what is kept: a cut must not halve an identifier
_REMEMBERED = 10_000
_NO_NAME = '""'  # an empty field says that the whole message was refused


class Declared:
    """What the city has declared: names that may look like identifiers and are none."""

    def __init__(self, routes: Routes, topics: Topics) -> None:
        self.topics = topics
        self._sensors = {
            sensor_id: (code, fields) for code, (sensor_id, fields) in routes.sensors.items()
        }
        self._names: dict[int, frozenset[str]] = {}
        self._topics: dict[str, str] = {}

    def names(self, sensor_id: int) -> frozenset[str]:
        """The sensor's id, and those of its fields that look like an identifier."""
        if sensor_id not in self._names:
            code, fields = self._sensors.get(sensor_id, ("", {}))
            parts = {part for field in fields for part in (field, *field.split("."))}
            names = {part for part in parts if personal.names_identifier(part)}
            self._names[sensor_id] = frozenset({code, *names} - {""})
        return self._names[sensor_id]

    def is_field(self, sensor_id: int, field: str) -> bool:
        """Whether the sensor has a field of that name."""
        return field in self._sensors.get(sensor_id, ("", {}))[1]

    def masked_topic(self, topic: str) -> str:
        """``topic`` masked where no binding says what stands there."""
        try:
            return self._topics[topic]
        except KeyError:
            if len(self._topics) >= _REMEMBERED:
                self._topics.clear()
            masked = topic
            for start, end in self.topics.undeclared(topic):
                masked = masked[:start] + personal.mask(masked[start:end]) + masked[end:]
            self._topics[topic] = masked
            return masked


class Refusing:
    """Collects what is refused of the messages of one batch."""

    def __init__(self, declared: Declared, messages: Sequence[Message], largest: int) -> None:
        self._declared = declared
        self._largest = largest
        self._messages = messages
        self._rows: list[RefusalRow] = []
        self._message: list[int] = []
        self._rows_of: dict[int, list[int]] = {}
        self._sensors: dict[int, frozenset[str]] = {}

    def know(self, number: int, sensors: frozenset[str]) -> None:
        """Registered sensors that message ``number`` names by itself."""
        self._sensors[number] = sensors

    def one(
        self, number: int, sensor_id: int, field: str, reason: Reason, detail: str,
        quoted: str = "",
    ) -> None:  # fmt: skip
        """Refuse one reading; ``{}`` in ``detail`` is where ``quoted``, the sender's word, goes."""
        before = self._rows_of.setdefault(number, [])
        if len(before) >= ROWS_PER_MESSAGE:
            # A message of thousands of wrong readings must not become thousands of rows.
            last = self._rows[before[-1]]
            more = last.readings
            self._rows[before[-1]] = last._replace(
                readings=more + 1, detail=f"and {more} more readings of this message"
            )
            return
        if (
            reason in (Reason.UNKNOWN_FIELD, Reason.BAD_VALUE)
            and not self._declared.is_field(sensor_id, field)
            and personal.names_identifier(field[:_MARGIN])
        ):
            reason = Reason.PERSONAL
            detail = "its name is, or announces, an identifier of a person or a vehicle"
        message = self._messages[number]
        payload = b"" if before else message.payload
        before.append(len(self._rows))
        row = RefusalRow(
            message.received_us, sensor_id, message.topic, payload, field or _NO_NAME, reason,
            detail, bytes=len(payload),
        )  # fmt: skip
        self._rows.append(self._masked(row, number, quoted))
        self._message.append(number)

    def whole(
        self, number: int, sensor_id: int, reason: Reason, detail: str, quoted: str = ""
    ) -> None:
        """Refuse a message as a whole; of one that is too large only the beginning is kept."""
        message = self._messages[number]
        payload = message.payload
        if len(payload) > self._largest:
            payload = payload[: KEPT_OF_TOO_LARGE + _MARGIN]
        row = RefusalRow(
            message.received_us, sensor_id, message.topic, payload, "", reason, detail,
            bytes=len(message.payload),
        )  # fmt: skip
        self._rows.append(self._masked(row, number, quoted))
        self._message.append(number)

    def masked(self, row: RefusalRow, number: int) -> RefusalRow:
        """``row``, of message ``number``, as it may be written down, but for its payload."""
        return self._masked(row, number, "")

    def payload_masked(self, row: RefusalRow, number: int) -> RefusalRow:
        """``row``, of message ``number``, with its payload as it may be written down."""
        payload = mask_payload(row.payload, self._names(row, number))
        masked = row.masked or payload != row.payload
        if row.bytes > self._largest:
            payload = payload[:KEPT_OF_TOO_LARGE]
        return row._replace(payload=payload, masked=masked)

    def in_order(self) -> tuple[list[RefusalRow], list[int]]:
        """All refusals by the arrival of their messages, and the number of each one's message."""
        order = sorted(range(len(self._rows)), key=self._message.__getitem__)
        return [self._rows[at] for at in order], [self._message[at] for at in order]

    def _masked(self, row: RefusalRow, number: int, quoted: str) -> RefusalRow:
        names = self._names(row, number)
        topic = self._declared.masked_topic(row.topic)
        field, quoted = row.field[: _LONGEST_NAME + _MARGIN], quoted[: _LONGEST_NAME + _MARGIN]
        masked_field = personal.mask_path(field, names)
        word = masked_field if quoted == field else personal.mask(quoted, names)
        detail = row.detail[: _LONGEST_DETAIL + _MARGIN]
        masked_detail = _masked_detail(detail)
        changed = (topic, masked_field, word, masked_detail)
        return row._replace(
            topic=topic,
            field=masked_field[:_LONGEST_NAME],
            detail=masked_detail.replace("{}", repr(word[:_LONGEST_NAME]))[:_LONGEST_DETAIL],
            masked=changed != (row.topic, field, quoted, detail),
        )

    def _names(self, row: RefusalRow, number: int) -> frozenset[str]:
        """What may look like an identifier in this message and is none."""
        message = self._messages[number]
        names = self._declared.names(row.sensor_id) | self._sensors.get(number, frozenset())
        route = self._declared.topics.route(message.topic)
        if route is not None and route.hints.sensor:
            names |= {route.hints.sensor}  # it stands in the topic, readable
        return names


@lru_cache(maxsize=1024)
def _masked_detail(detail: str) -> str:
    # Details are few: formats never quote a value. The database's own words might.
    return personal.mask(detail)
