"""What to do about a refusal: one sentence per reason, wherever it is told."""

from __future__ import annotations

from storage.reading import Reason

REMEDIES: dict[Reason, str] = {
    Reason.UNREADABLE_TOPIC: "add a [[binding]] to city.toml that fits the topic, register, replay",
    Reason.UNKNOWN_SENSOR: "add the sensor to sensors.csv (beffroi sensors discover proposes its lines),"
    " then beffroi sensors import",
    Reason.UNKNOWN_FIELD: "add the field to sensors.csv, or name it in the binding's ignore;"
    " register, replay",
    Reason.BAD_PAYLOAD: "correct the sender, or the binding's format; the detail says what is wrong",
    Reason.NO_CODEC: "set a codec for the device in the network server, or give it a profile with a"
    " codec in city.toml; register, replay",
    Reason.TOO_LARGE: "let the sender split its messages, or raise COLLECTOR_PAYLOAD_BYTES",
    Reason.BAD_TIME: "let the sender state its time; or name its member in the binding's"
    " time_field, register, replay",
    Reason.TOO_OLD: "correct the sender's clock; or lower COLLECTOR_OLDEST and replay",
    Reason.IN_FUTURE: "correct the sender's clock; or raise COLLECTOR_AHEAD_S and replay",
    Reason.BAD_VALUE: "correct the sender; or name the field in the binding's ignore",
    Reason.BAD_UNIT: "correct the sender's unit, or the metric in sensors.csv; register, replay",
    Reason.OUT_OF_RANGE: "correct the sensor, or its unit in sensors.csv; then register, or"
    " beffroi sensors import --from the time since when it is so, and replay",
    Reason.CONFLICT: "find out why the sensor said two things for one time; the first stays, and"
    " beffroi readings correct can change it",
    Reason.PERSONAL: "let the sender leave it out: Beffroi counts, it does not identify",
    Reason.NOT_BORN: "wait for the edge node's next birth certificate, or let it be reborn; what"
    " was refused before stays so, unless its certificate was written down: then replay",
    Reason.RETIRED: "if the sensor is in service again, import it again with the time since when:"
    " beffroi sensors import",
    Reason.REJECTED: "see the detail for what the database said; then replay",
}
