"""Mirrors are found in whatever form the machine writes them; failures are told apart."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from beffroi.embedded import apt
from beffroi.embedded.errors import EmbeddedError

# apt itself reads the files, so that no second parser has to agree with it.
needs_apt = pytest.mark.skipif(shutil.which("apt-get") is None, reason="apt-get is not here")

DEB822 = """\
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
Enabled: no
"""
ONE_LINE = """\
# deb http://comment.example/debian bookworm main
deb cdrom:[Debian GNU/Linux]/ bookworm main
deb [arch=amd64,arm64] http://vendor.example/linux bookworm stable
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian/ \
bookworm main contrib
deb http://security.example/debian-security bookworm-security main
"""


@pytest.fixture(autouse=True)
def _bookworm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(apt.MIRROR_SETTING, raising=False)
    monkeypatch.setattr(apt, "own_suite", lambda: "bookworm")


def machine_etc(folder: Path, **files: str) -> Path:
    parts = folder / "etc" / "sources.list.d"
    parts.mkdir(parents=True)
    (folder / "etc" / "preferences.d").mkdir()
    for name, text in files.items():
        (parts / name.replace("_", ".")).write_text(text)
    return folder / "etc"


@needs_apt
def test_a_mirror_is_found_in_a_deb822_file(tmp_path: Path) -> None:
    etc = machine_etc(tmp_path, debian_sources=DEB822)

    assert apt.mirrors(tmp_path / "apt", etc) == ["http://mirror.example/debian"]


@needs_apt
def test_a_mirror_is_found_in_a_one_line_file_before_the_vendors(tmp_path: Path) -> None:
    etc = machine_etc(tmp_path, debian_list=ONE_LINE)

    assert apt.mirrors(tmp_path / "apt", etc) == [
        "http://mirror.example/debian",
        "http://vendor.example/linux",
    ]


@needs_apt
def test_a_machine_that_names_no_mirror_is_asked_for_one(tmp_path: Path) -> None:
    etc = machine_etc(tmp_path)

    with pytest.raises(EmbeddedError, match="No Debian mirror") as raised:
        apt.mirrors(tmp_path / "apt", etc)

    assert apt.MIRROR_SETTING in raised.value.remedy


def test_a_mirror_that_the_operator_names_is_the_only_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(apt.MIRROR_SETTING, "http://chosen.example/debian/")

    assert apt.mirrors(tmp_path) == ["http://chosen.example/debian"]


@needs_apt
def test_an_unreachable_mirror_is_a_matter_of_the_network(tmp_path: Path) -> None:
    keyring = tmp_path / "keys.gpg"
    keyring.touch()
    # Port 9 of this machine, where nothing listens.
    source = apt.Source("http://127.0.0.1:9/debian", "trixie", keyring)

    with pytest.raises(EmbeddedError, match="could not be fetched") as raised:
        apt.Apt(tmp_path / "apt", source).update()

    assert "proxy" in raised.value.remedy


@needs_apt
def test_only_a_source_of_its_own_is_read(tmp_path: Path) -> None:
    keyring = tmp_path / "keys.gpg"
    keyring.touch()
    source = apt.Source("http://mirror.example/debian", "trixie", keyring)

    assert apt.Apt(tmp_path / "apt", source).repositories() == [
        ("http://mirror.example/debian", "trixie")
    ]


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("W: GPG error: trixie InRelease: NO_PUBKEY 6ED0E7B82643E131", "signature"),
        ("E: The repository 'x trixie InRelease' is not signed.", "signature"),
        ("E: The repository 'x trixie Release' does not have a Release file.", "does not carry"),
        ("E: Unable to locate package mosquitto", "does not carry"),
        ("E: You don't have enough free space in /x.", "disk filled up"),
        ("E: Failed to fetch x  Temporary failure resolving 'y'", "could not be fetched"),
        ("", "could not be fetched"),
    ],
)
def test_failures_of_apt_are_told_apart(printed: str, told: str) -> None:
    assert told in apt.explain(printed, apt.Source("m", "trixie", Path("k"))).what


def test_keys_that_are_too_old_can_be_told_from_other_failures() -> None:
    assert isinstance(apt.explain("W: NO_PUBKEY 1", None), apt.SignatureError)
    assert not isinstance(apt.explain("E: 404", None), apt.SignatureError)
