"""The files Grafana provisions itself from, written from what is declared in `grafana/`.

What this writes is committed, and a test holds it equal to what this would write now.
"""

from __future__ import annotations

import json
from pathlib import Path

from dashboards.grafana.alerting import as_file
from dashboards.grafana.dashboard import as_json
from dashboards.grafana.pages import PAGES
from dashboards.grafana.rules import RULES
from dashboards.grafana.text import LANGUAGES
from dashboards.grafana.yaml_text import as_yaml

GRAFANA = Path(__file__).parent / "grafana"


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
        f"{language}/alerting/beffroi.yaml": as_yaml(as_file(RULES, language))
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
