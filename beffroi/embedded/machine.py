"""What this machine is: its architecture, its users, its folders and the room on its disk."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from beffroi.embedded.errors import OTHER_WAYS, EmbeddedError

TOOLS = ("apt-get", "apt-config", "dpkg", "dpkg-deb")


class Architecture(NamedTuple):
    """One processor family, as Debian and the loader spell it."""

    debian: str
    triplet: str
    loader: str


ARCHITECTURES = {
    "amd64": Architecture("amd64", "x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
    "arm64": Architecture("arm64", "aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
}


class User(NamedTuple):
    """An account that a server runs as."""

    name: str
    uid: int
    gid: int


def require_debian() -> None:
    """Refuse early, and in plain words, a machine that has no apt."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise EmbeddedError(
            "The embedded database and broker need a Debian-family machine.",
            f"{', '.join(missing)} was not found on the PATH.",
            f"Use Debian, Ubuntu or a relative. {OTHER_WAYS}",
        )


def architecture() -> Architecture:
    """The architecture that dpkg installs for, which a 64-bit kernel alone does not tell."""
    asked = subprocess.run(
        ["dpkg", "--print-architecture"], check=True, capture_output=True, text=True
    )
    name = asked.stdout.strip()
    if name not in ARCHITECTURES:
        raise EmbeddedError(
            "The embedded servers run on amd64 and arm64 only.",
            f"This machine installs packages for '{name}'.",
            OTHER_WAYS,
        )
    return ARCHITECTURES[name]


def server_user() -> User | None:
    """Whom the servers run as: nobody else unless the caller is root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return User(name, account.pw_uid, account.pw_gid)
    raise EmbeddedError(
        "PostgreSQL does not run as root and there is no account to drop to.",
        "This machine has neither a 'postgres' nor a 'nobody' user.",
        "Run as an ordinary user, or create one: useradd --system postgres.",
    )


def default_cache() -> Path:
    """Where unpacked programs lie; under /var for root, since others must read them."""
    chosen = os.environ.get("BEFFROI_CACHE")
    if chosen:
        return Path(chosen).absolute()
    if os.geteuid() == 0:
        return Path("/var/cache/beffroi")
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "beffroi"


def default_state() -> Path:
    """Where stacks keep their data unless told otherwise."""
    if os.geteuid() == 0:
        return Path("/var/lib/beffroi")
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "beffroi"


def make_folder(folder: Path, purpose: str, remedy: str) -> None:
    """Create a folder that this process can write, or say why it cannot."""
    try:
        for missing in [each for each in (folder, *folder.parents) if not each.exists()][::-1]:
            missing.mkdir(exist_ok=True)
            if os.geteuid() == 0:
                missing.chmod(0o755)  # The servers' user must pass, whatever root's umask.
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise EmbeddedError(
            f"The {purpose} folder cannot be written: {folder}", str(error), remedy
        ) from error


def require_room(folder: Path, megabytes: int) -> None:
    """Refuse before the work rather than half-way when the disk is too full."""
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < megabytes:
        raise EmbeddedError(
            f"There is not enough room on the disk that holds {folder}.",
            f"{megabytes} MB are needed and {free} MB are free.",
            "Free some space, or point BEFFROI_CACHE at a folder on a larger disk.",
        )


def require_reach(path: Path, user: User | None) -> None:
    """Refuse a path that the servers' own user could not enter."""
    if user is None:
        return
    # Asked of the kernel as that user, so that access lists and odd mounts count too.
    test = subprocess.run(
        ["test", "-r", str(path), "-a", "-x", str(path)],
        user=user.uid,
        group=user.gid,
        extra_groups=[],
        cwd="/",
    )
    if test.returncode != 0:
        raise EmbeddedError(
            f"The servers run as user '{user.name}', who cannot enter {path}.",
            "PostgreSQL refuses to run as root, and a folder above this one is closed to others.",
            f"Choose a folder such as {default_state()} (data) or {Path('/var/cache/beffroi')} "
            "(BEFFROI_CACHE), or run as an ordinary user.",
        )
