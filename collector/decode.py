"""Messages to an intake: decode, match to series, convert units, check. Pure.

The loop over readings is the collector's hottest; everything that can wait for columns
waits for columns.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import numpy as np

from collector.formats.format import Undecodable
from collector.source import Message
from collector.topics import Route, Topics
from collector.validate import CHECKS, check
from storage.intake import Intake, RefusalRow
from storage.reading import Batch, Reading, Reason, Refusal
from storage.registry import Routes
from storage.units import UnitError, conversion

UNKNOWN_SENSOR, UNREADABLE_TOPIC = 0, -1
_KEPT_OF_TOO_LARGE = 4096
_REFUSALS_PER_MESSAGE = 50
_REMEMBERED = 10_000
_LONGEST_NAME, _LONGEST_DETAIL = 200, 500
_TIME_LIMIT_US = 1 << 61  # beyond it the arithmetic on int64 microseconds could overflow


class Decoding:
    """Turns batches of messages into intakes under one version of the registry."""

    def __init__(
        self, routes: Routes, *, payload_bytes: int, oldest: datetime.datetime, ahead_s: int
    ) -> None:
        self.routes = routes
        self._topics = Topics(routes)
        self._payload_bytes = payload_bytes
        self._oldest_us = round(oldest.timestamp() * 1e6)
        self._ahead_us = ahead_s * 1_000_000
        self._conversions: dict[tuple[int, str], tuple[float, float] | None] = {}

    def intake(self, messages: Sequence[Message]) -> Intake:
        """Everything in ``messages`` as readings and refusals."""
        return _Assembly(self, messages).intake()

    def rejected(self, message: Message, detail: str) -> Intake:
        """A message that the database will not have, as a refusal."""
        return _Assembly(self, [message]).rejected(detail)

    def route(self, topic: str) -> Route | None:
        """See :meth:`collector.topics.Topics.route`."""
        return self._topics.route(topic)

    def converted(self, position: int, unit: str) -> tuple[float, float] | None:
        """Scale and shift for a unit that the message itself declares; None: does not fit."""
        key = (position, unit)
        if key not in self._conversions:
            if len(self._conversions) >= _REMEMBERED:
                self._conversions.clear()  # senders choose these words
            routes = self.routes
            found: tuple[float, float] | None
            if unit == routes.unit[position]:
                found = float(routes.scale[position]), float(routes.shift[position])
            else:
                try:
                    found = conversion(unit, routes.canonical[position])
                except UnitError:
                    found = None
            self._conversions[key] = found
        return self._conversions[key]

    def limits(self) -> tuple[int, int, int]:
        """Payload bytes, oldest time [µs], how far clocks may be ahead [µs]."""
        return self._payload_bytes, self._oldest_us, self._ahead_us


class _Assembly:
    """One batch on its way: growing columns, then one pass over them."""

    def __init__(self, decoding: Decoding, messages: Sequence[Message]) -> None:
        self._decoding = decoding
        self._messages = messages
        self._time: list[int] = []
        self._value: list[float] = []
        self._position: list[int] = []
        self._flag: list[int] = []
        self._sensor: list[int] = []
        self._message: list[int] = []
        self._field: list[str] = []
        self._own_unit: list[tuple[int, float, float]] = []
        self._refusals: list[RefusalRow] = []
        self._refusal_message: list[int] = []
        self._refused_of: dict[int, list[int]] = {}

    def intake(self) -> Intake:
        count = len(self._messages)
        message_sensor = np.zeros(count, np.int32)
        message_refused = np.zeros(count, bool)
        for number, message in enumerate(self._messages):
            sensor, refused = self._read(number, message)
            message_sensor[number] = sensor
            message_refused[number] = refused
        return self._columns(message_sensor, message_refused)

    def rejected(self, detail: str) -> Intake:
        route = self._decoding.route(self._messages[0].topic)
        sensor_id = UNREADABLE_TOPIC if route is None else route.sensor_id
        self._refuse_all(0, sensor_id, Reason.REJECTED, detail)
        return self._columns(np.array([sensor_id], np.int32), np.array([True]))

    def _read(self, number: int, message: Message) -> tuple[int, bool]:
        """Take in one message; returns its sensor id and whether it was refused whole."""
        route = self._decoding.route(message.topic)
        if route is None:
            return self._refuse_all(
                number, UNREADABLE_TOPIC, Reason.UNREADABLE_TOPIC, "no binding fits this topic"
            )
        if len(message.payload) > self._decoding.limits()[0]:
            detail = f"{len(message.payload)} bytes; the first {_KEPT_OF_TOO_LARGE} are kept"
            return self._refuse_all(number, route.sensor_id, Reason.TOO_LARGE, detail)
        try:
            # "Now" is no time for a value that the broker kept from some time ago.
            received_us = 0 if message.retain else message.received_us
            decoded = route.decode(message.payload, route.hints, received_us)
        except Undecodable as error:
            return self._refuse_all(number, route.sensor_id, error.reason, error.detail)
        if route.fields is None:
            return self._read_by_name(number, message, route, decoded.readings, decoded.refusals)
        fields, sensor_id, named = route.fields, route.sensor_id, route.hints.sensor
        for reading in decoded.readings:
            if reading.sensor == named:
                self._take(number, message, reading, sensor_id, fields, route)
            else:
                self._take_of_other(number, message, reading, route)
        for refusal in decoded.refusals:
            if refusal.field not in route.ignore:
                self._refuse(number, sensor_id, refusal.field, refusal.reason, refusal.detail)
        return sensor_id, False

    def _read_by_name(
        self, number: int, message: Message, route: Route, readings: list[Reading],
        refusals: list[Refusal],
    ) -> tuple[int, bool]:  # fmt: skip
        """A message whose topic names no known sensor; its readings may."""
        sensors = self._decoding.routes.sensors
        known = next((sensors[r.sensor][0] for r in readings if r.sensor in sensors), None)
        if known is None:
            named = route.hints.sensor or next((r.sensor for r in readings), "")
            return self._refuse_all(
                number, UNKNOWN_SENSOR, Reason.UNKNOWN_SENSOR,
                f"sensor {named!r} is not registered" if named else "no sensor is named",
            )  # fmt: skip
        for reading in readings:
            self._take_of_other(number, message, reading, route)
        for refusal in refusals:
            if refusal.field not in route.ignore:
                self._refuse(number, known, refusal.field, refusal.reason, refusal.detail)
        return known, False

    def _take_of_other(self, number: int, message: Message, reading: Reading, route: Route) -> None:
        found = self._decoding.routes.sensors.get(reading.sensor)
        if found is None:
            self._refuse(
                number, UNKNOWN_SENSOR, reading.field, Reason.UNKNOWN_SENSOR,
                f"sensor {reading.sensor!r} is not registered",
            )  # fmt: skip
        else:
            self._take(number, message, reading, found[0], found[1], route)

    def _take(
        self, number: int, message: Message, reading: Reading, sensor_id: int,
        fields: dict[str, int], route: Route,
    ) -> None:  # fmt: skip
        _, field, time_us, value, unit, flag = reading
        position = fields.get(field)
        if position is None:
            if field not in route.ignore:
                self._refuse(
                    number, sensor_id, field, Reason.UNKNOWN_FIELD,
                    f"{field!r} is not registered for this sensor; register or ignore it",
                )  # fmt: skip
            return
        if unit is not None and unit != self._decoding.routes.unit[position]:
            affine = self._decoding.converted(position, unit)
            if affine is None:
                self._refuse(
                    number, sensor_id, field, Reason.BAD_UNIT,
                    f"{unit!r} cannot become {self._decoding.routes.canonical[position]!r}",
                )  # fmt: skip
                return
            self._own_unit.append((len(self._value), *affine))
        if time_us is None:
            if message.retain:
                self._refuse(
                    number, sensor_id, field, Reason.BAD_TIME,
                    "a retained message without a time may be of any age",
                )  # fmt: skip
                return
            time_us = message.received_us
        elif not -_TIME_LIMIT_US < time_us < _TIME_LIMIT_US:
            self._refuse(number, sensor_id, field, Reason.BAD_TIME, "the time is out of range")
            return
        self._time.append(time_us)
        self._value.append(value)
        self._position.append(position)
        self._flag.append(flag)
        self._sensor.append(sensor_id)
        self._message.append(number)
        self._field.append(field)

    def _refuse(self, number: int, sensor_id: int, field: str, reason: Reason, detail: str) -> None:
        before = self._refused_of.get(number, [])
        if len(before) >= _REFUSALS_PER_MESSAGE:
            # A message of thousands of wrong readings must not become thousands of rows.
            last = self._refusals[before[-1]]
            more = last.readings
            self._refusals[before[-1]] = last._replace(
                readings=last.readings + 1, detail=f"and {more} more readings of this message"
            )
            return
        message = self._messages[number]
        payload = b"" if before else message.payload
        self._refused_of.setdefault(number, before).append(len(self._refusals))
        self._refusals.append(
            RefusalRow(
                message.received_us, sensor_id, message.topic,
                payload, field[:_LONGEST_NAME], reason,
                detail[:_LONGEST_DETAIL], bytes=len(payload),
            )
        )  # fmt: skip
        self._refusal_message.append(number)

    def _refuse_all(
        self, number: int, sensor_id: int, reason: Reason, detail: str
    ) -> tuple[int, bool]:
        message = self._messages[number]
        payload = message.payload
        if reason is Reason.TOO_LARGE:
            payload = payload[:_KEPT_OF_TOO_LARGE]
        self._refusals.append(
            RefusalRow(
                message.received_us,
                sensor_id,
                message.topic,
                payload,
                "",
                reason,
                detail[:_LONGEST_DETAIL],
                bytes=len(message.payload),
            )
        )
        self._refusal_message.append(number)
        return sensor_id, True

    def _columns(self, message_sensor: np.ndarray, message_refused: np.ndarray) -> Intake:
        routes = self._decoding.routes
        _, oldest_us, ahead_us = self._decoding.limits()
        position = np.array(self._position, np.intp)
        message = np.array(self._message, np.int32)
        sensor = np.array(self._sensor, np.int32)
        received_us = np.array([m.received_us for m in self._messages], np.int64)
        time_us = np.array(self._time, np.int64)
        flag = np.array(self._flag, np.int16)
        scale, shift = routes.scale[position], routes.shift[position]
        for row, own_scale, own_shift in self._own_unit:
            scale[row], shift[row] = own_scale, own_shift
        value = np.array(self._value, np.float64) * scale + shift
        found = check(
            time_us, value, flag, routes.low[position], routes.high[position],
            oldest_us, received_us[message] + ahead_us,
        )  # fmt: skip
        for row in np.flatnonzero(found).tolist():
            self._refuse(
                int(message[row]), int(sensor[row]), self._field[row], CHECKS[found[row] - 1],
                self._why(int(found[row]), int(position[row]), float(value[row])),
            )  # fmt: skip
        # Refused by message, then by column check: back into order of arrival.
        order = sorted(range(len(self._refusals)), key=self._refusal_message.__getitem__)
        keep = found == 0
        # Storage marks an interval by its start.
        start = (time_us - routes.back_us[position]).view("datetime64[us]")
        batch = Batch(start, value, routes.series[position], flag)
        field = self._field
        if not keep.all():
            batch, position = batch.take(keep), position[keep]
            sensor, message = sensor[keep], message[keep]
            field = [name for name, kept in zip(field, keep.tolist(), strict=True) if kept]
        return Intake(
            batch=batch,
            domain=routes.domain[position],
            sensor=sensor,
            message=message,
            field=field,
            topic=[m.topic for m in self._messages],
            payload=[m.payload for m in self._messages],
            received_us=received_us,
            message_sensor=message_sensor,
            message_refused=message_refused,
            message_qos0=np.array([m.qos == 0 for m in self._messages], bool),
            refusals=[self._refusals[at] for at in order],
            refusal_message=[self._refusal_message[at] for at in order],
        )

    def _why(self, found: int, position: int, value: float) -> str:
        routes = self._decoding.routes
        reason = CHECKS[found - 1]
        if reason is Reason.OUT_OF_RANGE:
            return (
                f"outside {routes.low[position]:g} to {routes.high[position]:g}"
                f" {routes.canonical[position]}"
            )
        return {
            Reason.BAD_VALUE: "not a finite number",
            Reason.TOO_OLD: "before the oldest time that this collector believes",
            Reason.IN_FUTURE: "the sender's clock is ahead",
        }[reason]


def has_strangers(intake: Intake) -> bool:
    """Whether a newer registry might read more of this intake."""
    return any(
        refusal.reason in (Reason.UNKNOWN_SENSOR, Reason.UNKNOWN_FIELD, Reason.UNREADABLE_TOPIC)
        for refusal in intake.refusals
    )
