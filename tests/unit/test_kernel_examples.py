"""The examples in the kernels' docstrings run."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "name",
    ["angle", "level", "quality", "register", "runs", "sketch", "state", "summary", "windows"],
)
def test_the_examples_of_a_kernel_run(name):
    result = doctest.testmod(importlib.import_module(f"processors.{name}"))

    assert result.attempted > 0
    assert result.failed == 0
