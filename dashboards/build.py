"""The files Grafana provisions itself from, written from what is declared in `grafana/`.

What this writes is committed, and a test holds it equal to what this would write now.
"""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from dashboards.grafana.alerting import as_file
from dashboards.grafana.dashboard import as_json
from dashboards.grafana.pages import PAGES
from dashboards.grafana.rules import RULES
from dashboards.grafana.text import LANGUAGES

GRAFANA = Path(__file__).parent / "grafana"


class _Readable(yaml.SafeDumper):
    """Queries keep their lines."""


_Readable.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    ),
)


def rendered() -> dict[str, str]:
    """Path below ``provisioned/`` -> content of every dashboard."""
    return {
        f"{language}/{page.uid}.json": json.dumps(
            as_json(page, language), indent=1, sort_keys=True, ensure_ascii=False
        )
        + "\n"
        for language in LANGUAGES
        for page in PAGES
    }


def rendered_rules() -> dict[str, str]:
    """Path below ``provisioned/`` -> content of the file of alert rules."""
    return {
        f"{language}/alerting/beffroi.yaml": yaml.dump(
            as_file(RULES, language),
            Dumper=_Readable,
            allow_unicode=True,
            sort_keys=False,
            width=float("inf"),
        )
        for language in LANGUAGES
    }


def write(folder: Path = GRAFANA) -> list[Path]:
    """Write dashboards and rules below `folder`; remove dashboards nobody declares any more."""
    target = folder / "provisioned"
    content = rendered()
    for path in target.glob("*/*.json"):
        if path.relative_to(target).as_posix() not in content:
            path.unlink()
    written = []
    for name, text in (content | rendered_rules()).items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        written.append(path)
    return written
