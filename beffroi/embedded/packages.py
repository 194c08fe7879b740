"""Fetches bundles of Debian packages once and keeps them, ready to run, in a cache.

Also a plain script that needs no environment: `python3 beffroi/embedded/packages.py pip`.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

if __package__ is None:  # Run as a script: the project root, not this folder, is searched.
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from beffroi.embedded import apt, machine, relocate
from beffroi.embedded.bundles import BUNDLES, Bundle
from beffroi.embedded.errors import EmbeddedError

# Raised when bundles must be built anew although their packages are the same.
RECIPE = 1


@dataclass(frozen=True)
class Progress:
    """One step of a fetch; `share` runs from 0 to 1 where it is known."""

    bundle: str
    step: str
    seconds: float
    share: float | None = None
    finished: bool = False


Listener = Callable[[Progress], None]


def fetch(bundle: Bundle, cache: Path | None = None, progress: Listener | None = None) -> Path:
    """Make sure that a bundle is in the cache, and return its prefix.

    Several processes may ask at once: one fetches, the others wait. An interrupted fetch goes
    on from what it already has.
    """
    cache = (cache or machine.default_cache()).absolute()
    listener = progress or show
    prefix = _prefix(bundle, cache)
    if _complete(prefix):
        return prefix
    machine.require_debian()
    machine.make_folder(cache, "cache", "Point BEFFROI_CACHE at a folder that you may write.")
    if bundle.serves:
        machine.require_reach(cache, machine.server_user())
    with _locked(cache / f".{bundle.name}.lock", bundle, listener):
        if not _complete(prefix):
            machine.require_room(cache, bundle.megabytes)
            _build(bundle, prefix, listener)
    return prefix


def entry(bundle: Bundle, prefix: Path) -> Path:
    """The file that a fetched bundle is for."""
    found = sorted(prefix.glob(bundle.entry))
    if not found:
        raise EmbeddedError(
            f"The bundle '{bundle.name}' holds no {bundle.entry}.",
            "Its packages have changed since this version of Beffroi was made.",
            f"Upgrade Beffroi, or delete {prefix} and try again.",
        )
    return found[-1]


def show(progress: Progress) -> None:
    """Print progress on standard error, in place on a terminal and line by line elsewhere."""
    share = "" if progress.share is None else f" {progress.share:4.0%}"
    line = f"{progress.bundle}: {progress.step}{share} ({progress.seconds:.1f} s)"
    if sys.stderr.isatty():
        end = "\n" if progress.finished else ""
        print(f"\r\x1b[K{line}", end=end, file=sys.stderr, flush=True)
    elif progress.share is None:
        print(line, file=sys.stderr, flush=True)


def _prefix(bundle: Bundle, cache: Path) -> Path:
    # Programs hold their prefix as an absolute path, so it is part of what identifies a build.
    recipe = (
        RECIPE,
        bundle.suite or apt.own_suite(),
        bundle.packages,
        bundle.assumed,
        bundle.libraries,
        bundle.files,
        bundle.unneeded,
        str(cache),
    )
    mark = hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:8]
    return cache / f"{bundle.name}-{mark}"


def _complete(prefix: Path) -> bool:
    return (prefix / "beffroi.json").exists()


@contextmanager
def _locked(path: Path, bundle: Bundle, listener: Listener) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            listener(Progress(bundle.name, "waiting for another process that fetches it", 0.0))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(bundle: Bundle, prefix: Path, listener: Listener) -> None:
    started = time.monotonic()

    def say(step: str, share: float | None = None, finished: bool = False) -> None:
        seconds = time.monotonic() - started
        listener(Progress(bundle.name, step, seconds, share, finished))

    work = prefix.with_name(f"{prefix.name}.work")
    fetched = _download(bundle, work, say)
    say(f"unpacking {len(fetched.files)} packages")
    new = prefix.with_name(f"{prefix.name}.new")
    for remains in (new, prefix):
        shutil.rmtree(remains, ignore_errors=True)
    relocate.unpack(fetched.files, new, bundle.unneeded)
    relocate.relocate(new, prefix, machine.architecture(), bundle.libraries)
    for name, text in bundle.files:
        (new / name).write_text(text.format(prefix=prefix))
        (new / name).chmod(0o755)
    new.rename(prefix)
    _prove(bundle, prefix)
    stamp = {
        "bundle": bundle.name,
        "suite": bundle.suite,
        "packages": [file.name for file in fetched.files],
    }
    pending = prefix / "beffroi.json.new"
    pending.write_text(json.dumps(stamp, indent=2) + "\n")
    pending.rename(prefix / "beffroi.json")
    shutil.rmtree(work, ignore_errors=True)
    say(f"{len(fetched.files)} packages ready, {fetched.megabytes:.1f} MB", finished=True)


def _download(bundle: Bundle, work: Path, say: Callable[..., None]) -> apt.Download:
    say("reading the package index")
    source = _index(bundle, work)
    step = f"fetching {' and '.join(bundle.packages)}"
    say(step)
    return source.download(bundle.packages, lambda share: say(step, share))


def _index(bundle: Bundle, work: Path) -> apt.Apt:
    """An apt whose index of the bundle's suite is verified, from the first mirror that has it."""
    if bundle.suite is None:
        own = apt.Apt(work, None, bundle.assumed)
        own.update()
        return own
    refusals: list[EmbeddedError] = []
    for mirror in apt.mirrors(work / "machine"):
        try:
            return _verified(mirror, bundle.suite, bundle.assumed, work)
        except EmbeddedError as refusal:
            refusals.append(refusal)
    raise refusals[0]


def _verified(mirror: str, suite: str, assumed: tuple[str, ...], work: Path) -> apt.Apt:
    keyring = apt.machine_keyring()
    if keyring is not None:
        try:
            return _updated(apt.Source(mirror, suite, keyring), assumed, work)
        except apt.SignatureError:
            pass  # The keys may merely be older than the suite.
    keyring = apt.newer_keyring(work / "machine")
    return _updated(apt.Source(mirror, suite, keyring), assumed, work)


def _updated(source: apt.Source, assumed: tuple[str, ...], work: Path) -> apt.Apt:
    fetcher = apt.Apt(work, source, assumed)
    fetcher.update()
    return fetcher


def _prove(bundle: Bundle, prefix: Path) -> None:
    program = entry(bundle, prefix)
    if not bundle.probe:
        return
    done = subprocess.run(
        [str(program), *bundle.probe], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}
    )
    # Mosquitto ends its help with a status of its own; a loader that fails ends with 127.
    if done.returncode < 0 or done.returncode >= 126:
        shutil.rmtree(prefix, ignore_errors=True)
        raise EmbeddedError(
            f"The unpacked program {program.name} does not start on this machine.",
            done.stderr.strip() or f"It ended with status {done.returncode}.",
            "If the cache lies on a disk mounted noexec, point BEFFROI_CACHE elsewhere; "
            "otherwise please report this text.",
        )


def main() -> int:
    """Fetch one bundle and print the path of what it is for."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("bundle", choices=sorted(BUNDLES))
    bundle = BUNDLES[parser.parse_args().bundle]
    try:
        print(entry(bundle, fetch(bundle)))
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
