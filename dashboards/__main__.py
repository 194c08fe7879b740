"""``python -m dashboards``: write what is made from declarations and committed."""

from __future__ import annotations

import argparse
from pathlib import Path

from dashboards.board.messages import renew
from dashboards.build import GRAFANA, write


def main() -> None:
    """Parse, write, say what was written."""
    parser = argparse.ArgumentParser(prog="python -m dashboards", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="the Grafana dashboards and their provisioning")
    build.add_argument("folder", nargs="?", type=Path, default=GRAFANA)
    commands.add_parser("messages", help="the board's files of languages, with every text there is")
    given = parser.parse_args()
    for path in renew() if given.command == "messages" else write(given.folder):
        print(path)


if __name__ == "__main__":
    main()
