"""What the embedded stack finds out, and says, about the machine it is on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from beffroi.embedded import machine
from beffroi.embedded.errors import EmbeddedError


def command(folder: Path, name: str, prints: str) -> None:
    folder.mkdir(exist_ok=True)
    script = folder / name
    script.write_text(f"#!/bin/sh\necho {prints}\n")
    script.chmod(0o755)


def test_an_error_says_what_why_and_what_to_do() -> None:
    error = EmbeddedError("It broke.", "A wire is loose.", "Fasten it.")

    assert str(error) == "It broke.\n  Why: A wire is loose.\n  What to do: Fasten it."


def test_a_machine_without_apt_is_told_of_the_other_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(EmbeddedError, match="docker compose up") as raised:
        machine.require_debian()

    assert "apt-get" in raised.value.why
    assert "BEFFROI_MQTT_URL" in raised.value.remedy


@pytest.mark.parametrize("name", ["amd64", "arm64"])
def test_two_architectures_are_known(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(tmp_path, "dpkg", name)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    assert machine.architecture().debian == name


def test_another_architecture_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(tmp_path, "dpkg", "riscv64")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    with pytest.raises(EmbeddedError, match="riscv64"):
        machine.architecture()


def test_a_chosen_cache_wins_over_every_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEFFROI_CACHE", str(tmp_path / "chosen"))

    assert machine.default_cache() == tmp_path / "chosen"


def test_root_keeps_programs_and_data_where_other_users_may_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("BEFFROI_CACHE", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert machine.default_cache() == Path("/var/cache/beffroi")
    assert machine.default_state() == Path("/var/lib/beffroi")


def test_an_ordinary_user_keeps_them_in_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BEFFROI_CACHE", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert machine.default_cache() == tmp_path / ".cache" / "beffroi"
    assert machine.default_state() == tmp_path / ".local" / "state" / "beffroi"
    assert machine.server_user() is None


def test_the_desktop_standard_moves_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BEFFROI_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "s"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert machine.default_cache() == tmp_path / "c" / "beffroi"
    assert machine.default_state() == tmp_path / "s" / "beffroi"


def test_a_folder_that_cannot_be_made_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EmbeddedError, match="Choose another") as raised:
        machine.make_folder(tmp_path / "file" / "cache", "cache", "Choose another.")

    assert "cache folder cannot be written" in raised.value.what


def test_a_full_disk_is_noticed_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="are free") as raised:
        machine.require_room(tmp_path, 10**9)

    assert "BEFFROI_CACHE" in raised.value.remedy


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands servers to another user")
def test_a_folder_closed_to_the_servers_user_is_refused(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    with pytest.raises(EmbeddedError, match="cannot enter"):
        machine.require_reach(closed, machine.server_user())
