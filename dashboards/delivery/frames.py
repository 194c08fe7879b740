"""Answers of ``/ds/query``: columns by name, or why there are none; pure."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def trouble(answer: Json, ref: str = "A") -> str:
    """The first error of a query's answer; empty where it went well."""
    results = answer.get("results")
    if not isinstance(results, dict) or ref not in results:
        return str(answer.get("message") or "no answer")
    # What an expression says of a failed query is only that it failed: the query comes first.
    for name in (*(one for one in results if one != ref), ref):
        if said := results.get(name, {}).get("error"):
            return " ".join(str(said).split())
    return ""


def columns(answer: Json, ref: str = "A") -> dict[str, list[Any]]:
    """Values by the name of their field, of all frames of one query.

    >>> columns({"results": {"A": {"frames": [{"schema": {"fields": [{"name": "n"}]},
    ...                                        "data": {"values": [[1, 2]]}}]}}})
    {'n': [1, 2]}
    """
    found: dict[str, list[Any]] = {}
    for frame in answer.get("results", {}).get(ref, {}).get("frames") or []:
        fields = frame.get("schema", {}).get("fields") or []
        for field, values in zip(fields, frame.get("data", {}).get("values") or [], strict=False):
            found.setdefault(str(field.get("name", "")), []).extend(values)
    return found


def rows(answer: Json, ref: str = "A") -> int:
    """How many rows came back."""
    return max((len(values) for values in columns(answer, ref).values()), default=0)
