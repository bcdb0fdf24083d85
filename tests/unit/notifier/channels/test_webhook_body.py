"""What a program is sent, and the word it may answer."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.notifier.builders import CONTEXT
from tests.unit.notifier.channels.messages import to_endpoint

from notifier.adapters.channels.webhook import body, word_of
from notifier.application.ports import Rendered


def test_the_body_tells_all_there_is_in_plain_json() -> None:
    words = Rendered(subject="Acme is at risk", text="Call.", html="<p>", lead="Fell.", points=("a", "b"))
    told = json.loads(json.dumps(body(to_endpoint("crm", words))))
    context = told.pop("context")
    assert told == {
        "type": "csm.notification",
        "id": "n-1",
        "account_id": "acme",
        "category": "health",
        "message_class": "internal",
        "playbook": "account_at_risk",
        "template": "account_at_risk",
        "subject": "Acme is at risk",
        "text": "Call.",
        "lead": "Fell.",
        "points": ["a", "b"],
        "chain": {"crossing_id": "crossing-1", "fact_ids": ["fact-1"]},
        "sent_at": "2026-03-02T09:00:00+00:00",
    }
    assert (context["score"], context["account"]["renewal_date"]) == (44.4, "2026-04-14")
    assert context["parts"][0].items() >= {"measure": "open_tickets", "before": 14.1, "after": 3.2}.items()
    assert context["crossing"] == CONTEXT["crossing"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON, max_size=3))
def test_whatever_a_template_saw_becomes_json(variables: dict[str, Any]) -> None:
    message = replace(to_endpoint("crm"), variables=variables | {"odd": object(), "tuple": (1, 2)})
    told = json.loads(json.dumps(body(message), allow_nan=False))["context"]
    assert told["odd"] is None
    assert told["tuple"] == [1, 2]
    assert told.keys() >= variables.keys()


@pytest.mark.parametrize(
    ("answered", "word"),
    [
        (b'{"outcome": "ticket opened"}', "ticket opened"),
        (b'{"outcome": " two\\r\\nlines\\u0000 "}', "two lines"),
        (b'{"outcome": "' + b"z" * 999 + b'"}', "z" * 200),
        (b'{"outcome": "\\ud800"}', "?"),
        (b'{"outcome": ""}', None),
        (b'{"outcome": 7}', None),
        (b'{"other": "x"}', None),
        (b'["outcome"]', None),
        (b"\xff", None),
        (b"ok", None),
        (b"[" * 60_000, None),
        (b"", None),
        (None, None),
    ],
    ids=range(13),
)
def test_a_word_of_the_receiver_is_one_short_line(answered: bytes | None, word: str | None) -> None:
    assert word_of(answered) == word
