"""An import goes to the stack that runs here, or where the options say."""

import json
from pathlib import Path

import pytest

from csm_cli.importing.options import Options
from csm_cli.importing.target import Target, find_target
from csm_common.errors import InvalidError


def options(home: Path, *, url: str | None = None, key: str | None = None) -> Options:
    return Options(files=["x.csv"], mapping="m", stack=home / "stack.json", url=url, key=key)


def run_stack(home: Path, port: int) -> None:
    stack = {"ingest": {"url": f"http://127.0.0.1:{port}", "write_key": "csm_stack"}}
    (home / "stack.json").write_text(json.dumps(stack), encoding="utf-8")


def test_a_running_stack_tells_address_and_key(tmp_path: Path) -> None:
    run_stack(tmp_path, 7600)
    name = str(tmp_path / "stack.json")
    assert find_target(options(tmp_path)) == Target("http://127.0.0.1:7600", "csm_stack", name)
    assert find_target(options(tmp_path, key="csm_mine")).key == "csm_mine"


def test_a_stack_on_another_port_is_the_same_target(tmp_path: Path) -> None:
    run_stack(tmp_path, 7600)
    before = find_target(options(tmp_path)).name
    run_stack(tmp_path, 7700)
    assert find_target(options(tmp_path)).name == before


def test_an_address_takes_the_place_of_the_stack(tmp_path: Path) -> None:
    found = find_target(options(tmp_path, url="http://far", key="csm_far"))
    assert found == Target("http://far", "csm_far", "http://far")


def test_an_address_needs_a_key(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="Give an API key"):
        find_target(options(tmp_path, url="http://far"))


@pytest.mark.parametrize("content", ["", "{}", '{"ingest": 1}', "[]"])
def test_a_stack_file_that_does_not_tell_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "stack.json").write_text(content, encoding="utf-8")
    with pytest.raises(InvalidError, match=r"stack\.json does not tell where ingest is"):
        find_target(options(tmp_path))


def test_without_a_stack_the_way_to_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="Start one with `csm up`"):
        find_target(options(tmp_path))
