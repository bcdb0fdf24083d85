"""docker-compose.yml as Docker Compose reads it."""

from pathlib import Path

import pytest
from tests.integration.deploy.tools import ROOT, attempt, compose, run

FILES = (["docker-compose.yml"], ["docker-compose.yml", "deploy/observability/docker-compose.yml"])


def _config(files: list[str], env_file: Path) -> list[str]:
    chosen = [part for file in files for part in ("--file", file)]
    return [*compose(), "--env-file", str(env_file), *chosen, "config", "--quiet"]


@pytest.mark.parametrize("files", FILES, ids=["alone", "observed"])
def test_compose_accepts_the_files_once_every_password_is_set(files: list[str], tmp_path: Path) -> None:
    filled = tmp_path / ".env"
    filled.write_text((ROOT / ".env.example").read_text().replace("=\n", "=made-up\n"))

    run(_config(files, filled))


def test_compose_says_what_to_do_where_a_password_is_missing() -> None:
    done = attempt(_config(FILES[0], ROOT / ".env.example"))

    assert done.returncode != 0
    assert "copy .env.example to .env" in done.stderr
