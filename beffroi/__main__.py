"""``beffroi`` and ``python -m beffroi``: run a command; tell mistakes in plain words."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; a user's mistake ends in a sentence and status 1."""
    try:
        _run()
    except KeyboardInterrupt:
        # Pressed while the modules load; later each command knows what to do.
        raise SystemExit(130) from None


def _run() -> None:
    from beffroi.cli import app
    from beffroi.mistakes import NO_SCHEMA, USER_MISTAKES, told

    try:
        "".join(sys.argv).encode()
    except UnicodeEncodeError:
        # No text in the database could hold them.
        print("beffroi: the command line holds bytes that are not UTF-8", file=sys.stderr)
        raise SystemExit(2) from None
    try:
        app()
    except NO_SCHEMA:
        print(
            "beffroi: the database has no Beffroi schema, or an older one; run: beffroi migrate",
            file=sys.stderr,
        )
        raise SystemExit(1) from None
    except USER_MISTAKES as error:
        print(f"beffroi: {told(error)}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
