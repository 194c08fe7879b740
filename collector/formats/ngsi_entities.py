"""The envelope of NGSI messages: which entities they speak of, and whose each one is."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from collector.formats.format import Undecodable
from storage.reading import Reason


class Entity(BaseModel):
    """What every entity must have; its attributes are read one by one."""

    model_config = ConfigDict(strict=True, extra="ignore")

    id: Annotated[str, Field(min_length=1)]
    type: str | list[str] = ""


class Notification(BaseModel):
    """What a context broker sends to its subscribers."""

    model_config = ConfigDict(strict=True, extra="ignore")

    data: list[dict[str, Any]]


_ENTITIES = TypeAdapter(list[Entity])

_URN = re.compile(r"urn:ngsi(?:-ld)?:[^:]+:(?=.)")
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}[0-9:.]{0,20}(?:Z|[+-][0-9:]{4,5})?"
_TIME_AT_END = re.compile(rf"[-_:.]{_TIME}(?:[-_/]{_TIME})?\Z")
_NOT_IN_CODES = re.compile(r"[/+#]")


def sensor_of(entity_id: str) -> str:
    """The device's code in an entity's id.

    The URN's prefix and type say nothing of the device; a time at the end names one
    observation of it; and a code has neither ``/`` nor ``+`` nor ``#``.

    >>> sensor_of("urn:ngsi-ld:AirQualityObserved:Madrid-28079004-2016-03-15T11:00:00")
    'Madrid-28079004'
    >>> sensor_of("https://example.org/id/loop-7")
    'https:--example.org-id-loop-7'
    """
    name = _TIME_AT_END.sub("", _URN.sub("", entity_id, count=1))
    return _NOT_IN_CODES.sub("-", name).strip()


def entities_in(message: Any) -> list[Any]:
    """The entities of a message: itself, its entries, or what a notification carries."""
    if type(message) is list:
        return message
    if type(message) is not dict:
        raise Undecodable(Reason.BAD_PAYLOAD, "neither an entity, nor a list, nor a notification")
    # NGSI-LD over MQTT puts what HTTP has as headers beside the notification.
    body = message.get("body")
    if type(body) is dict and "metadata" in message and "id" not in message:
        message = body
    if "subscriptionId" in message or message.get("type") == "Notification":
        try:
            return Notification.model_validate(message).data
        except ValidationError as error:
            raise Undecodable(Reason.BAD_PAYLOAD, _sentence("notification", error)) from None
    return [message]


def checked_entities(entities: list[Any]) -> list[Entity]:
    """What every one of them must have."""
    try:
        return _ENTITIES.validate_python(entities)
    except ValidationError as error:
        raise Undecodable(Reason.BAD_PAYLOAD, _sentence("entity", error)) from None


def _sentence(what: str, error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = " ".join(str(part) for part in first["loc"][:2])
    missing = first["type"] == "missing"
    return f"{what} {where}" + (" is missing" if missing else f": {first['msg']}")
