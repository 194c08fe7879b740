"""The main job as a newcomer runs it: a whole installation as real processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from beffroi.embedded import machine

BEFFROI = [sys.executable, "-m", "beffroi"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the servers' own user may enter."""
    base = machine.default_state()
    base.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix="test-", dir=base))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def beffroi(*words: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BEFFROI, *words], capture_output=True, text=True, timeout=120, check=False, **more
    )  # type: ignore[call-overload,no-any-return]


def started(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start and wait for the line that gives the board's address."""
    process = subprocess.Popen(
        [*BEFFROI, *words, "--dir", str(folder), "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if "The board is live" in line:
            return process
    raise AssertionError("it ended before the board was live")


def exports(folder: Path) -> dict[str, str]:
    text = beffroi("env", "--dir", str(folder)).stdout
    return dict(
        line.removeprefix("export ").replace("'", "").split("=", 1) for line in text.splitlines()
    )


def test_a_demo_accounts_for_everything_it_acknowledged(folder: Path):
    done = beffroi("demo", "--seconds", "8", "--json", "--dir", str(folder), "--port", "0")

    assert done.returncode == 0, done.stderr + done.stdout
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["balanced"] is True
    assert result["published"] == result["acknowledged"] > 100
    assert result["received"] >= result["acknowledged"]
    assert result["stored"] > 1000
    assert result["rollups"] > 100
    assert result["board"].startswith("http://127.0.0.1:")


def test_ctrl_c_ends_a_demo_cleanly_and_nothing_is_left_running(folder: Path):
    process = started(folder, "demo", "--history", "0")
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)

    assert process.returncode == 0, rest
    assert "The books balance" in rest
    assert left_of(folder) == []


@pytest.mark.serial
def test_after_kill_9_the_next_demo_starts_and_balances(folder: Path):
    process = started(folder, "demo", "--history", "1")
    time.sleep(3)
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()

    done = beffroi("demo", "--seconds", "4", "--json", "--dir", str(folder), "--port", "0")

    assert done.returncode == 0, done.stderr + done.stdout
    assert json.loads(done.stdout.splitlines()[-1])["balanced"] is True
    assert left_of(folder) == []


def test_the_board_bears_the_citys_name(folder: Path, tmp_path: Path):
    (tmp_path / "city.toml").write_text(
        '[city]\nname = "Beauregard"\ntimezone = "Europe/Paris"\n'
        '[[territory]]\ncode = "1"\nname = "A"\n[[territory]]\ncode = "2"\nname = "B"\n'
    )
    (tmp_path / "sensors.csv").write_text(
        "territory,site,sensor,metric,step_s\n1,s,x,no2,60\n2,s,y,no2,60\n"
    )
    process = started(folder, "up", "--city", str(tmp_path / "city.toml"))
    try:
        with urllib.request.urlopen(exports(folder)["BEFFROI_BOARD_URL"]) as page:
            text = page.read().decode()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)

    assert "Beauregard" in text


def test_up_serves_board_health_and_metrics_and_env_leads_to_it(folder: Path):
    process = started(folder, "up")
    try:
        found = exports(folder)
        environment = os.environ | found
        assert set(found) == {
            "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSFILE", "BEFFROI_MQTT_URL",
            "BEFFROI_BOARD_URL",
        }  # fmt: skip
        with urllib.request.urlopen(found["BEFFROI_BOARD_URL"]) as page:
            assert page.status == 200
        for path in ("healthz", "metrics"):
            with urllib.request.urlopen(found["BEFFROI_BOARD_URL"] + path) as page:
                assert page.status == 200
        told = beffroi("doctor", "--json", env=environment)
        findings = {f["check"]: f["well"] for f in json.loads(told.stdout)["findings"]}
        assert findings["broker"]
        assert findings["schema"]
        assert not findings["registry"]  # nothing is registered yet, and it says so
        second = beffroi("up", "--dir", str(folder))
        assert second.returncode == 1
        assert "already running" in second.stderr
        assert "Traceback" not in second.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)

    assert process.returncode == 0
    gone = beffroi("env", "--dir", str(folder))
    assert gone.returncode == 1
    assert "nothing runs in" in gone.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["register", "nowhere/city.toml"], "nowhere/city.toml:1: there is no such file"),
        (["replay", "nowhere.csv", "--columns", "nowhere.toml"], "nowhere.toml"),
        (["replay", "a", "--columns", "b", "--speed", "fast"], "--speed must be a number above 0"),
        (["process", "--from", "2024-01-01"], "give both --from and --to"),
        (["collect"], "BEFFROI_MQTT_URL is not set"),
        (["simulate", "--seconds", "1"], "connection"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(words: list[str], told: str):
    away = {"PATH": os.environ["PATH"], "PGHOST": "127.0.0.1", "PGPORT": "1"}

    done = beffroi(*words, env=away)

    assert done.returncode != 0
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def left_of(folder: Path) -> list[tuple[int, list[str]]]:
    """Processes that still name the folder, after a moment to end."""
    for _ in range(50):
        if not running(folder):
            break
        time.sleep(0.2)
    return running(folder)


@pytest.mark.serial
def test_up_starts_again_whatever_is_killed(folder: Path):
    process = started(folder, "up")
    try:
        found = exports(folder)
        for name in ("postgres", "mosquitto", "collect", "board"):
            (victim,) = [pid for pid, command in running(folder) if main_process(command, name)]
            os.kill(victim, signal.SIGKILL)
        deadline = time.monotonic() + 40
        while True:
            told = beffroi("doctor", "--json", env=os.environ | found)
            findings = {f["check"]: f["well"] for f in json.loads(told.stdout)["findings"]}
            try:
                with urllib.request.urlopen(found["BEFFROI_BOARD_URL"] + "healthz") as page:
                    served = page.status == 200
            except OSError:
                served = False
            if findings.get("broker") and findings.get("schema") and served:
                break
            assert time.monotonic() < deadline, (findings, served)
            time.sleep(0.5)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)

    assert process.returncode == 0
    assert left_of(folder) == []


def main_process(command: list[str], name: str) -> bool:
    """Whether a command line is the server or program of that name itself."""
    if name in ("postgres", "mosquitto"):
        return command[0].endswith(f"/{name}")
    return "beffroi" in command and name in command


def running(folder: Path) -> list[tuple[int, list[str]]]:
    """Processes whose command line names the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
            except OSError:
                continue
            if any(str(folder) in word for word in words):
                found.append((int(entry.name), words))
    return found
