"""How many Python calls a function makes: a kernel makes as many for 10 series as for 10,000."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any


def calls(function: Callable[..., Any], *arguments: Any) -> int:
    """Calls of Python and C functions while the function runs."""
    function(*arguments)  # whatever is done once only is done
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    gc.disable()  # hypothesis listens to collections, and these calls are not the function's
    sys.setprofile(note)
    try:
        function(*arguments)
    finally:
        sys.setprofile(None)
        gc.enable()
    return count
