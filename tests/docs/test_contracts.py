"""What a reader is promised: every setting, reason and command is documented."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from typer.main import get_command

from beffroi.cli import app
from processors.settings import Settings as ProcessorSettings
from storage.reading import Reason

ROOT = Path(__file__).parents[2]


def test_every_collector_variable_is_documented():
    source = (ROOT / "collector/settings.py").read_text()
    read_me = (ROOT / "collector/README.md").read_text()
    used = set(re.findall(r'"((?:COLLECTOR|BEFFROI)_[A-Z0-9_]+)"', source))

    assert len(used) >= 14
    assert {name for name in used if f"`{name}`" not in read_me} == set()


def test_every_processor_variable_is_documented():
    read_me = (ROOT / "processors/README.md").read_text()
    names = [f"PROCESSORS_{field.name.upper()}" for field in fields(ProcessorSettings)]

    assert [name for name in names if f"`{name}`" not in read_me] == []


def test_every_reason_for_a_refusal_is_documented():
    read_me = (ROOT / "collector/README.md").read_text()

    assert [reason for reason in Reason if f"`{reason}`" not in read_me] == []


def test_every_command_explains_itself():
    commands = get_command(app).commands  # type: ignore[attr-defined]

    assert set(commands) >= {
        "demo", "up", "env", "doctor", "migrate", "register", "collect", "process", "board",
        "simulate", "replay",
    }  # fmt: skip
    assert [name for name, command in commands.items() if not command.help] == []


@pytest.mark.parametrize("folder", ["collector", "storage", "processors", "dashboards"])
def test_every_program_has_a_read_me_that_names_its_modules(folder: str):
    read_me = (ROOT / folder / "README.md").read_text()
    modules = [
        path.name
        for path in (ROOT / folder).glob("*.py")
        if path.name not in ("__init__.py", "__main__.py", "settings.py")
    ]

    assert [name for name in modules if name not in read_me] == []


def test_no_file_names_a_package_registry_or_a_folder_of_one_machine():
    # Spelled in pieces, so that this file does not find itself.
    hosts = [
        "pypi" + r"\.org",
        "pythonhosted" + r"\.org",
        "deb" + r"\.debian\.org",
        "registry" + r"\.npmjs",
    ]
    folders = ["/" + "root/", "/" + "home/[a-z]", "/" + "work/"]
    forbidden = re.compile("|".join([*hosts, *(rf"(?<![\w.-]){folder}" for folder in folders)]))
    kinds = (
        "*.py",
        "*.toml",
        "*.lock",
        "*.md",
        "*.yml",
        "*.yaml",
        "*.json",
        "Dockerfile",
        "Makefile",
    )
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for kind in kinds
        for path in ROOT.rglob(kind)
        if ".venv" not in path.parts
        if (match := forbidden.search(path.read_text(errors="replace")))
    ]

    assert found == []
