"""`csm test`: the tests of playbooks' authors, run by pytest with the plugin that plays playbooks in memory."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from csm_common.errors import InvalidError

NO_TESTS = 5
"""pytest's exit code where it found none."""

Paths = Annotated[
    list[Path],
    typer.Argument(exists=True, help="Directories or files: test_*.py, and scenarios in *.test.yaml."),
]
Only = Annotated[
    str | None, typer.Option("-k", help="Only tests whose names fit this expression of pytest's.")
]


def run_tests(paths: Paths, only: Only = None) -> None:
    """Test playbooks: play crossings, people and time in memory, and look at what would have been done.

    Needs pytest, and the package playbooks; nothing needs to run. Exits with 1 where a test fails, or there is none.
    """
    _require("pytest", "python -m pip install pytest")
    _require("playbooks", "python -m pip install ./services/playbooks")
    missing = [path for path in paths if path.is_dir() and not any(_tests(path))]
    if len(missing) == len(paths):
        raise InvalidError(
            f"There are no tests in {missing[0]}: write test_NAME.py or NAME.test.yaml beside NAME.yaml."
        )
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    code = subprocess.run(_command(paths, only), env=alone, check=False).returncode
    if code == NO_TESTS:
        raise InvalidError("No test was run: none fits what was asked for.")
    raise typer.Exit(code)


def _command(paths: list[Path], only: str | None) -> list[str]:
    """pytest on its own: no configuration of a project around the playbooks, no plugin but ours, no traces left beside them.

    -P keeps a directory here that is called playbooks from standing in for the package.
    """
    root = paths[0] if paths[0].is_dir() else paths[0].parent
    options = [
        "-c",
        os.devnull,
        f"--rootdir={root}",
        "--import-mode=importlib",
        "-v",
        "--no-header",
        "--color=auto",
    ]
    chosen = [] if only is None else ["-k", only]
    plugins = ["-p", "playbooks.testing", "-p", "no:cacheprovider"]
    return [sys.executable, "-B", "-P", "-m", "pytest", *plugins, *options, *chosen, *map(str, paths)]


def _tests(directory: Path) -> list[Path]:
    return [each for shape in ("test_*.py", "*.test.yaml", "*.test.yml") for each in directory.rglob(shape)]


def _require(module: str, install: str) -> None:
    if find_spec(module) is None:
        raise InvalidError(f"`csm test` needs {module}, which is not installed here: {install}")
