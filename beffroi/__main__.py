"""``beffroi`` and ``python -m beffroi``: run a command; tell mistakes in plain words."""

from __future__ import annotations

import sys

from beffroi.mistakes import NO_SCHEMA, USER_MISTAKES


def main() -> None:
    """Run the command line; a user's mistake ends in a sentence and status 1."""
    from beffroi.cli import app

    try:
        app()
    except NO_SCHEMA:
        print(
            "beffroi: the database has no Beffroi schema, or an older one; run: beffroi migrate",
            file=sys.stderr,
        )
        raise SystemExit(1) from None
    except USER_MISTAKES as error:
        print(f"beffroi: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
