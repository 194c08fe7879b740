"""``python -m dashboards``: write the Grafana dashboards and their provisioning."""

from __future__ import annotations

import argparse
from pathlib import Path

from dashboards.build import GRAFANA, write


def main() -> None:
    """Parse, write, say what was written."""
    parser = argparse.ArgumentParser(prog="python -m dashboards", description=__doc__)
    parser.add_argument("command", choices=["build"])
    parser.add_argument("folder", nargs="?", type=Path, default=GRAFANA)
    for path in write(parser.parse_args().folder):
        print(path)


if __name__ == "__main__":
    main()
