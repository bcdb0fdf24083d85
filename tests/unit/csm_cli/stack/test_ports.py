"""One number moves the whole port plan."""

import pytest

from csm_cli.stack.ports import Ports


def test_the_plan_is_eight_ports_in_a_row_in_the_documented_order() -> None:
    assert Ports.from_base(7600).as_dict() == {
        "ingest": 7600,
        "health_score": 7601,
        "playbooks": 7602,
        "notifier": 7603,
        "sinks": 7604,
        "smtp": 7605,
        "postgres": 7606,
        "broker": 7607,
    }


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("ingest", "http://127.0.0.1:7600"),
        ("health-score", "http://127.0.0.1:7601"),
        ("sinks", "http://127.0.0.1:7604"),
        ("postgres", "127.0.0.1:7606"),
        ("broker", "127.0.0.1:7607"),
    ],
)
def test_a_process_is_found_at_a_url_where_it_speaks_http(name: str, address: str) -> None:
    assert Ports.from_base(7600).address(name) == address
