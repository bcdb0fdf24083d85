"""Options reach a detached supervisor whole."""

from pathlib import Path

from csm_cli.stack.home import Home
from csm_cli.stack.options import Options
from csm_cli.stack.ports import Ports


def test_options_survive_the_way_to_another_process() -> None:
    options = Options(
        home=Home(Path("/somewhere/ü")),
        ports=Ports.from_base(100),
        demo=False,
        kafka="kafka:9092",
        postgres="postgresql://postgres:p'w@db/postgres",
        ingest_config=Path("/somewhere/ü/ingest.yaml"),
    )

    assert Options.from_json(options.as_json()) == options


def test_what_was_not_asked_for_does_not_arrive() -> None:
    options = Options(home=Home(Path("/somewhere")), ports=Ports.from_base(100))

    assert Options.from_json(options.as_json()) == options


def test_a_home_does_not_depend_on_the_working_directory() -> None:
    assert Home(Path(".csm")).stack_file == Path.cwd() / ".csm" / "stack.json"
