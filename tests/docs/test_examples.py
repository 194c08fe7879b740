"""The README's examples run, as they stand there, on a real installation."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from beffroi.embedded import machine

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


@pytest.fixture
def installation() -> Iterator[Path]:
    """`beffroi up` in a folder of its own."""
    base = machine.default_state()
    base.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="test-", dir=base))
    folder.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "beffroi", "up", "--dir", str(folder), "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if "The board is live" in line:
            break
    yield folder
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    shutil.rmtree(folder, ignore_errors=True)


def test_the_examples_run_one_after_the_other(installation: Path, tmp_path: Path):
    blocks = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    assert len(blocks) >= 6
    script = "\n".join(
        [
            "set -euo pipefail",
            f'eval "$(beffroi env --dir {installation})"',
            # doctor's verdict is about this young installation: nothing was received yet.
            *(block.replace("beffroi doctor", "beffroi doctor || true") for block in blocks),
        ]
    )
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=os.environ | {"PATH": path},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    told = re.search(r"```text\n(beffroi: sensors.csv:3.*)\n```", README)
    assert told
    assert told[1] in done.stderr
    for check in ("database", "timescaledb", "schema", "registry", "processor", "broker"):
        assert re.search(rf"^ok +{check} ", done.stdout, re.MULTILINE), done.stdout
    assert '"readings": 2' in done.stdout
    assert re.search(r"readings rolled up", done.stdout)


def test_the_two_first_commands_exist():
    assert README.index("make demo") < README.index("make test") < README.index("## What it looks")
    for target in ("demo", "test"):
        done = subprocess.run(
            ["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
