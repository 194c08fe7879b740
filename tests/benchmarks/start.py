"""From `beffroi demo` to a board that answers, on a warm cache.

    python tests/benchmarks/start.py [--json]

Taken twice: in a new directory (a database is made) and in the same one again.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from beffroi.embedded import bundles, machine, packages


def seconds_to_board(directory: Path) -> float:
    """Start, wait until the page is served, stop."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "beffroi", "demo", "--dir", str(directory), "--port", "0", "--history", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if address := re.search(r"The board is live at (\S+)", line):
            with urllib.request.urlopen(address[1]) as page:
                page.read()
            break
    taken = time.monotonic() - began
    process.send_signal(signal.SIGINT)
    process.communicate()
    return taken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for bundle in (bundles.TIMESCALEDB, bundles.MOSQUITTO):
        packages.fetch(bundle)
    base = machine.default_state()
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=base, prefix="bench-") as folder:
        Path(folder).chmod(0o755)
        first = seconds_to_board(Path(folder) / "demo")
        again = seconds_to_board(Path(folder) / "demo")
    if options.json:
        print(json.dumps({"cores": os.cpu_count(), "first_s": first, "again_s": again}))
    else:
        print(
            f"board answers after {first:.1f} s in a new directory, {again:.1f} s in the same again"
        )


if __name__ == "__main__":
    main()
