"""Messages to an intake: decode, match to series, convert units, check. Pure.

The loop over readings is the collector's hottest; everything that can wait for columns
waits for columns.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from collector.formats.format import Decoded, Undecodable
from collector.refusing import KEPT_OF_TOO_LARGE, Declared, Refusing
from collector.source import Message
from collector.topics import Route, Topics
from collector.validate import CHECKS, check
from storage.intake import UNKNOWN_SENSOR, UNREADABLE_TOPIC, Intake
from storage.reading import Batch, Flag, Reading, Reason
from storage.routes import Routes
from storage.units import UnitError, conversion

_REMEMBERED = 10_000
_UNJUDGED = int(Flag.NOT_EVALUATED)
_TIME_LIMIT_US = 1 << 61  # beyond it the arithmetic on int64 microseconds could overflow
# A newer registry might know them; also a name that looks personal may be a field by now.
_OF_STRANGERS = (
    Reason.UNKNOWN_SENSOR, Reason.UNKNOWN_FIELD, Reason.UNREADABLE_TOPIC, Reason.PERSONAL
)  # fmt: skip


class Decoding:
    """Turns batches of messages into intakes under one version of the registry."""

    def __init__(
        self, routes: Routes, *, payload_bytes: int, oldest: datetime.datetime, ahead_s: int
    ) -> None:
        self.routes = routes
        self.topics = Topics(routes)
        self.declared = Declared(routes, self.topics)
        self.field_names = _field_names(routes)
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
        return self.topics.route(topic)

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
    """One batch on its way: growing columns, then one pass over them.

    A *run* is readings that came in one message, of one sensor, with one time and flag.
    """

    def __init__(self, decoding: Decoding, messages: Sequence[Message]) -> None:
        self._decoding = decoding
        self._messages = messages
        self._value: list[float] = []
        self._position: list[int] = []
        self._runs: list[tuple[int, int, int, int, int]] = []
        self._own_unit: list[tuple[int, float, float]] = []
        self._refusing = Refusing(decoding.declared, messages, decoding.limits()[0])

    def intake(self) -> Intake:
        sensors: list[int] = []
        refused: list[int] = []
        route_of = self._decoding.topics.route
        largest = self._decoding.limits()[0]
        values, positions, runs = self._value, self._position, self._runs
        for number, message in enumerate(self._messages):
            route = route_of(message.topic)
            if route is not None and route.shapes is not None and len(message.payload) <= largest:
                row = route.shapes.read(message.payload)
                if row is not None and (row[2] is not None or not message.retain):
                    place, said, time_us = row
                    time_us = message.received_us if time_us is None else time_us
                    values += said
                    positions += place
                    runs.append((len(said), number, route.sensor_id, time_us, _UNJUDGED))
                    sensors.append(route.sensor_id)
                    continue
            sensor, whole = self._read(number, message, route)
            sensors.append(sensor)
            if whole:
                refused.append(number)
        message_refused = np.zeros(len(self._messages), bool)
        message_refused[refused] = True
        return self._columns(np.array(sensors, np.int32), message_refused)

    def rejected(self, detail: str) -> Intake:
        route = self._decoding.route(self._messages[0].topic)
        sensor_id = UNREADABLE_TOPIC if route is None else route.sensor_id
        self._refusing.whole(0, sensor_id, Reason.REJECTED, detail)
        return self._columns(np.array([sensor_id], np.int32), np.array([True]))

    def _read(self, number: int, message: Message, route: Route | None) -> tuple[int, bool]:
        """Take in one message; returns its sensor id and whether it was refused whole."""
        if route is None:
            return self._refused_whole(
                number, UNREADABLE_TOPIC, Reason.UNREADABLE_TOPIC, "no binding fits this topic"
            )
        if len(message.payload) > self._decoding.limits()[0]:
            detail = f"{len(message.payload)} bytes; the first {KEPT_OF_TOO_LARGE} are kept"
            return self._refused_whole(number, route.sensor_id, Reason.TOO_LARGE, detail)
        try:
            # "Now" is no time for a value that the broker kept from some time ago.
            received_us = 0 if message.retain else message.received_us
            decoded = route.decode(message.payload, route.hints, received_us)
        except Undecodable as error:
            return self._refused_whole(number, route.sensor_id, error.reason, error.detail)
        if route.fields is None:
            return self._read_by_name(number, message, route, decoded)
        fields, sensor_id, named = route.fields, route.sensor_id, route.hints.sensor
        for reading in decoded.readings:
            if reading.sensor == named:
                self._take(number, message, reading, sensor_id, fields, route)
            else:
                self._take_of_other(number, message, reading, route)
        for refusal in decoded.refusals:
            if refusal.field not in route.ignore:
                self._refusing.one(number, sensor_id, refusal.field, refusal.reason, refusal.detail)
        if decoded.offered:
            self._take_wanted(number, message, decoded.offered, route)
        return sensor_id, False

    def _refused_whole(
        self, number: int, sensor_id: int, reason: Reason, detail: str, quoted: str = ""
    ) -> tuple[int, bool]:
        self._refusing.whole(number, sensor_id, reason, detail, quoted)
        return sensor_id, True

    def _read_by_name(
        self, number: int, message: Message, route: Route, decoded: Decoded
    ) -> tuple[int, bool]:
        """A message whose topic names no known sensor; its readings may."""
        sensors = self._decoding.routes.sensors
        said = [r.sensor for r in decoded.readings] or [r.sensor for r in decoded.offered]
        names = [name for name in (*said, decoded.sensor) if name]
        known = next((sensors[name][0] for name in names if name in sensors), None)
        self._refusing.know(number, frozenset(name for name in names if name in sensors))
        if known is None:
            named = route.hints.sensor or next(iter(names), "")
            return self._refused_whole(
                number, UNKNOWN_SENSOR, Reason.UNKNOWN_SENSOR,
                "sensor {} is not registered" if named else "no sensor is named", named,
            )  # fmt: skip
        for reading in decoded.readings:
            self._take_of_other(number, message, reading, route)
        for refusal in decoded.refusals:
            if refusal.field not in route.ignore:
                self._refusing.one(number, known, refusal.field, refusal.reason, refusal.detail)
        self._take_wanted(number, message, decoded.offered, route)
        return known, False

    def _take_wanted(
        self, number: int, message: Message, offered: Sequence[Reading], route: Route
    ) -> None:
        """Take of what devices say of themselves only what somebody registered."""
        sensors = self._decoding.routes.sensors
        for reading in offered:
            found = sensors.get(reading.sensor)
            if found is not None and reading.field in found[1]:
                self._take(number, message, reading, found[0], found[1], route)

    def _take_of_other(self, number: int, message: Message, reading: Reading, route: Route) -> None:
        found = self._decoding.routes.sensors.get(reading.sensor)
        if found is None:
            self._refusing.one(
                number, UNKNOWN_SENSOR, reading.field, Reason.UNKNOWN_SENSOR,
                "sensor {} is not registered", reading.sensor,
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
                self._refusing.one(
                    number, sensor_id, field, Reason.UNKNOWN_FIELD,
                    "{} is not registered for this sensor; register or ignore it", field,
                )  # fmt: skip
            return
        if unit is not None and unit != self._decoding.routes.unit[position]:
            affine = self._decoding.converted(position, unit)
            if affine is None:
                self._refusing.one(
                    number, sensor_id, field, Reason.BAD_UNIT,
                    f"{{}} cannot become {self._decoding.routes.canonical[position]!r}", unit,
                )  # fmt: skip
                return
            self._own_unit.append((len(self._value), *affine))
        if time_us is None:
            if message.retain:
                self._refusing.one(
                    number, sensor_id, field, Reason.BAD_TIME,
                    "a retained message without a time may be of any age",
                )  # fmt: skip
                return
            time_us = message.received_us
        elif not -_TIME_LIMIT_US < time_us < _TIME_LIMIT_US:
            self._refusing.one(
                number, sensor_id, field, Reason.BAD_TIME, "the time is out of range"
            )
            return
        self._value.append(value)
        self._position.append(position)
        self._runs.append((1, number, sensor_id, time_us, flag))

    def _columns(self, message_sensor: np.ndarray, message_refused: np.ndarray) -> Intake:
        routes = self._decoding.routes
        _, oldest_us, ahead_us = self._decoding.limits()
        of_message = list(zip(*self._messages, strict=True)) or [()] * len(Message._fields)
        _, _, qos, topics, payloads, received, retained = of_message
        received_us = np.array(received, np.int64)
        flat = itertools.chain.from_iterable(self._runs)
        runs = np.fromiter(flat, np.int64, 5 * len(self._runs)).reshape(-1, 5)
        message, sensor, time_us, flag = np.repeat(runs[:, 1:], runs[:, 0], axis=0).T
        position = np.array(self._position, np.intp)
        value = np.array(self._value, np.float64)
        scale, shift = routes.scale[position], routes.shift[position]
        for row, own_scale, own_shift in self._own_unit:
            scale[row], shift[row] = own_scale, own_shift
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused below
            value = value * scale + shift
        found = check(
            time_us, value, flag.astype(np.int16), routes.low[position], routes.high[position],
            oldest_us, received_us[message] + ahead_us,
        )  # fmt: skip
        name = self._decoding.field_names
        for row in np.flatnonzero(found).tolist():
            self._refusing.one(
                int(message[row]), int(sensor[row]), name[position[row]], CHECKS[found[row] - 1],
                self._why(int(found[row]), int(position[row])),
            )  # fmt: skip
        refusals, refusal_message = self._refusing.in_order()
        # Storage marks an interval by its start.
        start = (time_us - routes.back_us[position]).view("datetime64[us]")
        batch = Batch(start, value, routes.series[position], flag.astype(np.int16))
        sensor, message = sensor.astype(np.int32), message.astype(np.int32)
        if found.any():
            keep = found == 0
            batch, position = batch.take(keep), position[keep]
            sensor, message = sensor[keep], message[keep]
        return Intake(
            batch=batch,
            domain=routes.domain[position],
            sensor=sensor,
            message=message,
            field=name[position].tolist(),
            topic=topics,
            payload=payloads,
            received_us=received_us,
            message_sensor=message_sensor,
            message_refused=message_refused,
            message_qos0=np.array(qos, np.int8) == 0,
            message_retained=np.array(retained, bool),
            refusals=refusals,
            refusal_message=refusal_message,
            mask=self._refusing.masked,
            mask_payload=self._refusing.payload_masked,
        )

    def _why(self, found: int, position: int) -> str:
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


def _field_names(routes: Routes) -> NDArray[np.object_]:
    """What the senders call the series, by position."""
    names = np.full(len(routes.series), "", object)
    for _, fields in routes.sensors.values():
        for field, position in fields.items():
            names[position] = field
    return names


def has_strangers(intake: Intake) -> bool:
    """Whether a newer registry might read more of this intake."""
    return any(refusal.reason in _OF_STRANGERS for refusal in intake.refusals)
