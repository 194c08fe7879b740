"""One batch of messages on its way to an intake: read, matched, converted, checked. Pure.

The loop over readings is the collector's hottest; everything that can wait for columns
waits for columns.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from collector.formats.format import OF_OTHERS, Decoded, Undecodable
from collector.refusing import KEPT_OF_TOO_LARGE, Refusing
from collector.registered import TIME_LIMIT_US, Registered
from collector.source import Message
from collector.topics import Route
from collector.validate import CHECKS, check
from storage.intake import UNKNOWN_SENSOR, UNREADABLE_TOPIC, Intake
from storage.reading import Batch, Flag, Reading, Reason
from storage.routes import NOT_YET, RETIRED

_UNJUDGED = int(Flag.NOT_EVALUATED)
# What checks may find, and after it what the registry's history may.
_FOUND = (*CHECKS, Reason.RETIRED, Reason.UNKNOWN_FIELD)
_RETIRED, _NOT_YET = len(CHECKS) + 1, len(CHECKS) + 2
_LAST_OF_VALUE = 1 + CHECKS.index(Reason.OUT_OF_RANGE)  # those after it doubt the time


class Assembly:
    """One batch on its way: growing columns, then one pass over them.

    A *run* is readings that came in one message, of one sensor, with one time and flag.
    """

    def __init__(self, registered: Registered, messages: Sequence[Message]) -> None:
        self._registered = registered
        self._messages = messages
        self._value: list[float] = []
        self._position: list[int] = []
        self._runs: list[tuple[int, int, int, int, int]] = []
        self._own_unit: list[int] = []
        self._own_affine: list[float] = []
        self._refusing = Refusing(registered.declared, messages, registered.limits()[0])

    def intake(self) -> Intake:
        sensors: list[int] = []
        refused: list[int] = []
        route_of = self._registered.topics.route
        largest = self._registered.limits()[0]
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
        route = self._registered.route(self._messages[0].topic)
        sensor_id = UNREADABLE_TOPIC if route is None else route.sensor_id
        self._refusing.whole(0, sensor_id, Reason.REJECTED, detail)
        return self._columns(np.array([sensor_id], np.int32), np.array([True]))

    def _read(self, number: int, message: Message, route: Route | None) -> tuple[int, bool]:
        """Take in one message; returns its sensor id and whether it was refused whole."""
        if route is None:
            return self._refused_whole(
                number, UNREADABLE_TOPIC, Reason.UNREADABLE_TOPIC, "no binding fits this topic"
            )
        if len(message.payload) > self._registered.limits()[0]:
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
            else:  # no format does; nobody writes in another's name
                self._refusing.one(
                    number, sensor_id, reading.field, Reason.UNKNOWN_SENSOR, OF_OTHERS
                )
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
        """A message whose topic names no known sensor; where it names none, its readings may."""
        if not (decoded.readings or decoded.refusals or decoded.offered):
            return (
                UNKNOWN_SENSOR,
                False,
            )  # a broker's, gateway's or stranger's word, and no measurement
        sensors = self._registered.routes.sensors
        said = [r.sensor for r in decoded.readings] or [r.sensor for r in decoded.offered]
        names = [name for name in (*said, decoded.sensor) if name and not route.hints.sensor]
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
        sensors = self._registered.routes.sensors
        named = route.hints.sensor
        for reading in offered:
            found = sensors.get(reading.sensor)
            if found is not None and reading.field in found[1] and named in ("", reading.sensor):
                self._take(number, message, reading, found[0], found[1], route)

    def _take_of_other(self, number: int, message: Message, reading: Reading, route: Route) -> None:
        found = self._registered.routes.sensors.get(reading.sensor)
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
        if unit is not None and position in self._registered.several:
            position = self._registered.version(
                position, message.received_us if time_us is None else time_us
            )
        if unit is not None and unit != self._registered.routes.unit[position]:
            affine = self._registered.converted(position, unit)
            if affine is None:
                self._refusing.one(
                    number, sensor_id, field, Reason.BAD_UNIT,
                    f"{{}} cannot become {self._registered.routes.canonical[position]!r}", unit,
                )  # fmt: skip
                return
            self._own_unit.append(len(self._value))
            self._own_affine += affine
        if time_us is None:
            if message.retain:
                self._refusing.one(
                    number, sensor_id, field, Reason.BAD_TIME,
                    "a retained message without a time may be of any age",
                )  # fmt: skip
                return
            time_us = message.received_us
        elif not -TIME_LIMIT_US < time_us < TIME_LIMIT_US:
            self._refusing.one(
                number, sensor_id, field, Reason.BAD_TIME, "the time is out of range"
            )
            return
        self._value.append(value)
        self._position.append(position)
        self._runs.append((1, number, sensor_id, time_us, flag))

    def _columns(self, message_sensor: np.ndarray, message_refused: np.ndarray) -> Intake:
        routes = self._registered.routes
        _, oldest_us, ahead_us = self._registered.limits()
        of_message = list(zip(*self._messages, strict=True)) or [()] * len(Message._fields)
        _, _, qos, topics, payloads, received, retained = of_message
        received_us = np.array(received, np.int64)
        flat = itertools.chain.from_iterable(self._runs)
        runs = np.fromiter(flat, np.int64, 5 * len(self._runs)).reshape(-1, 5)
        message, sensor, time_us, flag = np.repeat(runs[:, 1:], runs[:, 0], axis=0).T
        position = np.array(self._position, np.intp)
        timelines = routes.timelines
        if timelines is not None:
            at = timelines.at(position, time_us)
            position = np.where(at < 0, position, at)
        value = np.array(self._value, np.float64)
        scale, shift = routes.scale[position], routes.shift[position]
        if self._own_unit:
            own = np.array(self._own_unit, np.intp)
            said = np.array(self._own_affine, np.float64).reshape(-1, 2)
            scale[own] = said[:, 0] * self._registered.factors[position[own]]
            shift[own] = said[:, 1]
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused below
            value = value * scale + shift
        found = check(
            time_us, value, flag.astype(np.int16), routes.low[position], routes.high[position],
            oldest_us, received_us[message] + ahead_us,
        )  # fmt: skip
        if timelines is not None:
            # One whose time is not believed belongs to no time of its sensor.
            believed = found <= _LAST_OF_VALUE
            found[believed & (at == RETIRED)] = _RETIRED
            found[believed & (at == NOT_YET)] = _NOT_YET
        name = self._registered.field_names
        for row in np.flatnonzero(found).tolist():
            self._refusing.one(
                int(message[row]), int(sensor[row]), name[position[row]], _FOUND[found[row] - 1],
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
            time_us = time_us[keep]
        return Intake(
            batch=batch,
            sent_us=time_us,
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
            revision=routes.revision,
        )

    def _why(self, found: int, position: int) -> str:
        routes = self._registered.routes
        reason = _FOUND[found - 1]
        if reason is Reason.OUT_OF_RANGE:
            return (
                f"outside {routes.low[position]:g} to {routes.high[position]:g}"
                f" {routes.canonical[position]}"
            )
        return {
            Reason.RETIRED: "the sensor does not measure this any more at that time",
            Reason.UNKNOWN_FIELD: "the sensor did not measure this yet at that time",
            Reason.BAD_VALUE: "not a finite number",
            Reason.TOO_OLD: "before the oldest time that this collector believes",
            Reason.IN_FUTURE: "the sender's clock is ahead",
        }[reason]
