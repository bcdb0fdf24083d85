"""The `csm` command with services that stand in for the real ones."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.csm_cli.command import Csm


@pytest.fixture(scope="module")
def installed() -> Iterator[Csm]:
    """The command on a home of its own, which stays for all tests of a module: making a database takes a second."""
    with tempfile.TemporaryDirectory(prefix="csm-test-stack-", ignore_cleanup_errors=True) as directory:
        command = Csm(Path(directory))
        command.use_stand_ins()
        yield command


@pytest.fixture
def csm(installed: Csm) -> Iterator[Csm]:
    """The command, with no stack running before and after the test."""
    try:
        yield installed
    finally:
        installed("down")
        installed.pardon()
