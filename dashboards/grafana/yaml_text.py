"""Plain data -> YAML that people can read: queries keep their lines.

Only what provisioning files need: maps with plain keys, lists, text, numbers, truth values.
Text that a reader of YAML could take for something else is quoted as in JSON, which is YAML.
"""

from __future__ import annotations

import json
from typing import Any


def as_yaml(data: Any, indent: int = 0) -> str:
    """A document of maps, lists and scalars.

    >>> print(as_yaml({"a": [1, "x: y"], "sql": "SELECT 1\\n  FROM t", "none": []}), end="")
    a:
      - 1
      - "x: y"
    sql: |-
      SELECT 1
        FROM t
    none: []
    """
    pad = " " * indent
    if isinstance(data, dict):
        return "".join(f"{pad}{key}:{_value(value, indent)}" for key, value in data.items())
    lines = []
    for one in data:
        text = _value(one, indent)
        # The first key of a map stands behind the dash.
        lines.append(f"{pad}-{text}" if not text.startswith("\n") else _dashed(text, indent))
    return "".join(lines)


def _value(value: Any, indent: int) -> str:
    if isinstance(value, dict | list) and value:
        return "\n" + as_yaml(value, indent + 2)
    if isinstance(value, str) and "\n" in value:
        inner = " " * (indent + 2)
        return " |-\n" + "".join(f"{inner}{line}\n" for line in value.split("\n"))
    return f" {json.dumps(value, ensure_ascii=False)}\n"


def _dashed(text: str, indent: int) -> str:
    body = text[1:]
    return " " * indent + "- " + body[indent + 2 :]
