"""ingest's configuration is checked before anything is started: every mistake is told with its place."""

from pathlib import Path

import pytest

from csm_cli.stack.ingest_config import check_ingest_config
from csm_common.errors import FatalError


def written(directory: Path, text: str) -> Path:
    file = directory / "ingest.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def problem(file: Path, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(FatalError) as refused:
        check_ingest_config(file, environment or {})
    return refused.value.message


def test_a_file_in_order_is_taken(tmp_path: Path) -> None:
    file = written(tmp_path, "webhooks: {stripe: {kind: stripe, secret_env: STRIPE_SECRET}}")

    check_ingest_config(file, {"STRIPE_SECRET": "whsec_0123456789"})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere.yaml"

    assert problem(missing) == (
        f"--ingest-config: The configuration {missing} cannot be read: No such file or directory."
    )


def test_mistakes_are_told_with_their_places(tmp_path: Path) -> None:
    told = problem(written(tmp_path, "sdk: {acount: [x]}\nplans: [{source: web}]"))

    assert "sdk.acount: there is no such key" in told
    assert "plans.0.events: is missing" in told


def test_what_is_not_yaml_is_told(tmp_path: Path) -> None:
    assert "is not YAML" in problem(written(tmp_path, "sdk: ["))


def test_a_secret_that_the_environment_does_not_have_is_named(tmp_path: Path) -> None:
    file = written(tmp_path, "webhooks: {stripe: {kind: stripe, secret_env: STRIPE_SECRET}}")

    assert "STRIPE_SECRET" in problem(file)


def test_a_salt_that_the_environment_does_not_have_is_named(tmp_path: Path) -> None:
    file = written(
        tmp_path, "personal_data: {salt_env: SALT, rules: [{field: email, action: hash}], defaults: true}"
    )

    assert "SALT" in problem(file)
