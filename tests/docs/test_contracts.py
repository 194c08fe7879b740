"""What a reader is promised: every setting, reason and command is documented."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest
from typer.main import get_command

from beffroi.cli import app
from processors.calculations import CALCULATIONS
from processors.settings import Settings as ProcessorSettings
from storage.indicators.catalogue import INDICATORS
from storage.reading import Reason

ROOT = Path(__file__).parents[2]
PACKAGES = ("beffroi", "collector", "dashboards", "processors", "storage")
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", *(f"{folder}/**/*.md" for folder in (*PACKAGES, "docs", "tests")))
    for path in ROOT.glob(pattern)
)
# Lines of code blocks and what stands between single backticks.
CODE = re.compile(r"^```\w*.*?\n(.*?)^```|`([^`\n]+)`|^    (\S.*)$", re.DOTALL | re.MULTILINE)


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


def test_every_metric_is_documented():
    made = re.compile(r'(?:Counter|Gauge|Histogram)\(\s*"(\w+)"')
    names = {name for path in sources() for name in made.findall(path.read_text())}
    documents = "\n".join(path.read_text() for path in ROOT.glob("*/README.md"))

    assert len(names) >= 20
    assert sorted(name for name in names if not name.startswith("beffroi_")) == []
    assert sorted(name for name in names if f"`{name}`" not in documents) == []


def test_every_table_is_in_the_architecture_and_every_one_named_exists():
    created = re.compile(r"^CREATE (?:TABLE|VIEW) (city|pipeline|public)\.(\w+)", re.MULTILINE)
    schema = "\n".join(path.read_text() for path in ROOT.glob("storage/sql/migrations/*.sql"))
    tables = set(created.findall(schema))
    architecture = (ROOT / "ARCHITECTURE.md").read_text()
    named = {
        (path.name, *found)
        for path in DOCUMENTS
        for found in re.findall(r"`(city|pipeline)\.(?!(?:py|toml)`)(\w+)`", path.read_text())
    }

    assert len(tables) >= 20
    assert [name for _, name in tables if not re.search(rf"\b{name}\b", architecture)] == []
    assert [one for one in named if one[1:] not in tables] == []


def test_every_indicator_is_documented_by_its_trade():
    documents = "\n".join(path.read_text() for path in ROOT.glob("processors/*/README.md"))

    assert [one.name for one in INDICATORS if f"`{one.name}`" not in documents] == []


def test_every_indicator_is_made_by_a_calculation():
    made = [name for one in CALCULATIONS for name in one.makes]

    assert sorted(made) == sorted(one.name for one in INDICATORS)


def test_every_command_line_in_a_document_is_one():
    seen, wrong = 0, []
    for path in DOCUMENTS:
        for block in CODE.findall(path.read_text()):
            for line in "".join(block).splitlines():
                if found := re.match(r"(?:\$ )?(?:[A-Z_]+=\S+ )*beffroi ([a-z].*)", line):
                    seen += 1
                    wrong += [f"{path.name}: {line}: {fault}" for fault in faults(found[1])]

    assert seen >= 40
    assert wrong == []


def test_a_command_line_that_is_none_would_be_found():
    assert faults("ledger --check --by hour") == []
    assert faults("refusals list|show|replay") == []
    assert faults("ledger --chekc") == ["--chekc"]
    assert faults("refusals lost --json") == ["lost"]
    assert faults("ledgers") == ["ledgers"]


def test_every_link_in_a_document_leads_somewhere():
    dead = []
    for path in DOCUMENTS:
        for link in re.findall(r"\]\(([^):]+)\)", path.read_text()):
            target, _, heading = link.partition("#")
            page = path.parent / target if target else path
            if not page.exists() or (heading and heading not in anchors(page)):
                dead.append(f"{path.relative_to(ROOT)}: {link}")

    assert dead == []


@pytest.mark.parametrize(
    "folder",
    [
        "beffroi", "beffroi/doctor", "beffroi/embedded", "beffroi/formats", "beffroi/grafana",
        "beffroi/indicators", "beffroi/measures", "beffroi/records", "beffroi/sensors", "collector",
        "collector/formats", "collector/mqtt", "collector/replay", "collector/simulation", "dashboards", "processors",
        "processors/air", "processors/energy", "processors/evaluation", "processors/mobility", "processors/watch", "storage",
        "storage/facts", "storage/indicators", "tests/benchmarks",
        "tests/faults",
    ],
)  # fmt: skip
def test_every_folder_has_a_read_me_that_names_its_modules(folder: str):
    read_me = (ROOT / folder / "README.md").read_text()
    modules = [
        path.name
        for path in (ROOT / folder).glob("*.py")
        if path.name not in ("__init__.py", "__main__.py", "settings.py")
    ]

    assert [name for name in modules if f"`{name}`" not in read_me] == []


def test_every_module_that_a_document_names_exists():
    named = [
        (path, name)
        for path in DOCUMENTS
        for name in re.findall(r"`([\w/]+\.(?:py|sql))`", path.read_text())
    ]

    assert len(named) >= 150
    assert [
        f"{path.relative_to(ROOT)}: {name}"
        for path, name in named
        if not any((folder / name).exists() for folder in (path.parent, ROOT, *of(path)))
    ] == []


def sources() -> list[Path]:
    return [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]


def of(document: Path) -> list[Path]:
    """Folders that a document means where it names a module without its path."""
    if document.parent == ROOT:
        return [ROOT / package for package in PACKAGES]
    if document.parent.name == "dashboards":
        return [document.parent / folder for folder in ("board", "grafana", "delivery")]
    return []


def anchors(page: Path) -> set[str]:
    """The headings of a document as links spell them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}


# Making it takes a fifth of a second, and documents have many command lines.
program = cache(lambda: get_command(app))


def faults(words: str) -> list[str]:
    """The words after `beffroi` that are no command or option."""
    command = program()
    for word in shlex.split(words.split("#")[0]):
        commands = getattr(command, "commands", None)
        if commands and not word.startswith("-"):
            if not set(word.split("|")) <= set(commands):
                return [word]
            command = commands[word.split("|")[0]]
        options = {option for known in command.params for option in known.opts}
        if word.startswith("--") and word not in options:
            return [word]
    return []


# Other tests keep files in this folder meanwhile.
@pytest.mark.serial
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
