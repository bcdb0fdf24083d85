"""The programs that read deployment files for real; a test that needs one skips with the reason where it is not installed."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"


def run(command: Sequence[str], *, cwd: Path = ROOT) -> str:
    """What the program prints; the test fails with its complaint where it does not succeed."""
    done = attempt(command, cwd=cwd)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def attempt(command: Sequence[str], *, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The program's end, good or bad."""
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


def kustomize() -> list[str]:
    """The command that renders a kustomization, without its folder."""
    for command in (["kustomize", "build"], ["kubectl", "kustomize"]):
        if shutil.which(command[0]):
            return command
    pytest.skip("neither kustomize nor kubectl is installed")


def compose() -> list[str]:
    """Docker Compose, which needs no daemon to check a file."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and attempt([*command, "version"]).returncode == 0:
            return command
    pytest.skip("Docker Compose is not installed")


def promtool() -> str:
    """Prometheus' own checker of rules."""
    return shutil.which("promtool") or pytest.skip(
        "promtool is not installed; Debian has it in the package prometheus"
    )
