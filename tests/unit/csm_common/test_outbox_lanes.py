"""Lanes: every process puts a key into the same one, whatever its hash seed."""

from csm_common.database.outbox import LANES, lane_of


def test_lanes_of_known_keys_never_change() -> None:
    # Rows outlive a deploy: were a key to change its lane, its old and new messages could overtake each other.
    assert [lane_of(key) for key in (b"acme", b"globex", b"", None)] == [14, 10, 0, 0]


def test_lanes_are_all_used_and_nothing_else() -> None:
    assert {lane_of(f"account-{number}".encode()) for number in range(1_000)} == set(range(LANES))
