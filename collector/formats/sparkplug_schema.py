"""The protobuf schema of Sparkplug B payloads, as far as readings need it.

Stated here by field number, so that nothing has to be generated. Two liberties that the
wire format allows: strings are declared as bytes, so that one that is no UTF-8 spoils its
own metric only; and what is never read (metadata, data sets, the metrics inside templates)
is not taken apart, so that nesting costs nothing.

References
----------
.. [1] Eclipse Sparkplug 3.0.0, Google Protocol Buffer Schema of Payloads B.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_PACKAGE = "sparkplug"


class DataType(IntEnum):
    """What a metric's value is; a birth certificate says it for every metric."""

    UNKNOWN = 0
    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATE_TIME = 13
    TEXT = 14
    UUID = 15
    DATA_SET = 16
    BYTES = 17
    FILE = 18
    TEMPLATE = 19
    PROPERTY_SET = 20
    PROPERTY_SET_LIST = 21
    INT8_ARRAY = 22
    INT16_ARRAY = 23
    INT32_ARRAY = 24
    INT64_ARRAY = 25
    UINT8_ARRAY = 26
    UINT16_ARRAY = 27
    UINT32_ARRAY = 28
    UINT64_ARRAY = 29
    FLOAT_ARRAY = 30
    DOUBLE_ARRAY = 31
    BOOLEAN_ARRAY = 32
    STRING_ARRAY = 33
    DATE_TIME_ARRAY = 34


# Name, number and type of every field; "*" repeats, "|" is a member of the oneof "value".
_SCHEMA = {
    "Template": "template_ref=4:bytes is_definition=5:bool",
    "PropertyValue": "type=1:uint32 is_null=2:bool |int_value=3:uint32 |long_value=4:uint64",
    "PropertySet": "*keys=1:bytes *values=2:PropertyValue",
    "Metric": (
        "name=1:bytes alias=2:uint64 timestamp=3:uint64 datatype=4:uint32 is_historical=5:bool"
        " is_transient=6:bool is_null=7:bool properties=9:PropertySet"
        " |int_value=10:uint32 |long_value=11:uint64 |float_value=12:float"
        " |double_value=13:double |boolean_value=14:bool |string_value=15:bytes"
        " |bytes_value=16:bytes |dataset_value=17:bytes |template_value=18:Template"
    ),
    "Payload": "timestamp=1:uint64 *metrics=2:Metric seq=3:uint64",
}
_TYPES = {
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "uint32": FieldDescriptorProto.TYPE_UINT32,
    "uint64": FieldDescriptorProto.TYPE_UINT64,
    "float": FieldDescriptorProto.TYPE_FLOAT,
    "double": FieldDescriptorProto.TYPE_DOUBLE,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
}


def _message(name: str, fields: str) -> DescriptorProto:
    message = DescriptorProto(name=name)
    for word in fields.split():
        title, _, rest = word.lstrip("*|").partition("=")
        number, _, kind = rest.partition(":")
        field = message.field.add(name=title, number=int(number))
        field.label = (
            FieldDescriptorProto.LABEL_REPEATED
            if word.startswith("*")
            else FieldDescriptorProto.LABEL_OPTIONAL
        )
        if kind in _TYPES:
            field.type = _TYPES[kind]
        else:
            field.type = FieldDescriptorProto.TYPE_MESSAGE
            field.type_name = f".{_PACKAGE}.{kind}"
        if word.startswith("|"):
            if not message.oneof_decl:
                message.oneof_decl.add(name="value")
            field.oneof_index = 0
    return message


def _payload_class() -> Any:
    pool = DescriptorPool()
    pool.Add(
        FileDescriptorProto(
            name="sparkplug_b.proto",
            package=_PACKAGE,
            syntax="proto2",
            message_type=[_message(name, fields) for name, fields in _SCHEMA.items()],
        )
    )
    return GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))


# Any: its attributes are known to protobuf alone.
Payload: Any = _payload_class()
"""The message class: ``Payload.FromString(bytes)``, ``Payload(...).SerializeToString()``."""
