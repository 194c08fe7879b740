"""The examples in docstrings run, in every module that has one."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for folder in ("beffroi", "collector", "dashboards", "processors", "storage")
    for path in (ROOT / folder).rglob("*.py")
    if ">>> " in path.read_text()
)


def test_there_are_examples_in_kernels_formats_and_storage():
    assert {"processors.sketch", "processors.quality", "storage.units"} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str):
    result = doctest.testmod(importlib.import_module(name))

    assert result.attempted > 0
    assert result.failed == 0
