"""What a chat is shown: within its limits, and with nothing in it that acts."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.notifier.builders import CONTEXT
from tests.unit.notifier.channels.messages import outgoing, to_endpoint

from notifier.adapters.channels.slack import blocks, escaped
from notifier.adapters.channels.teams import card, enveloped
from notifier.application.ports import Rendered
from notifier.domain.recipients import Recipient

WORDS = Rendered(
    subject="Acme is at risk", text="Long text.", lead="Health fell.", points=("Usage fell.", "Call Kim.")
)
TEXTS = st.text(max_size=4000) | st.sampled_from(["&" * 3000, "<" * 151, "<!channel>", "😀" * 3001, ""])


def test_slack_shows_subject_lead_figures_points_and_where_it_comes_from() -> None:
    shown = blocks(to_endpoint("csm", WORDS))
    assert shown["text"] == "Acme is at risk"
    header, lead, figures, points, origin = shown["blocks"]
    assert header["text"] == {"type": "plain_text", "text": "Acme is at risk", "emoji": False}
    assert lead["text"] == {"type": "mrkdwn", "text": "Health fell."}
    assert [each["text"] for each in figures["fields"]] == [
        "*Score*\n44", "*Band*\nat risk", "*Renewal*\n2026-04-14", "*ARR*\n48,000 EUR",
    ]  # fmt: skip
    assert points["text"]["text"] == "• Usage fell.\n• Call Kim."
    assert origin["elements"][0]["text"] == "An account has become at risk · n-1"


def test_without_a_lead_the_text_is_shown_and_without_figures_no_fields() -> None:
    message = to_endpoint("csm", Rendered(subject="Hi", text="Long text."), context={})
    kinds = [(each["type"], "fields" in each) for each in blocks(message)["blocks"]]
    assert kinds == [("header", False), ("section", False), ("context", False)]
    assert blocks(message)["blocks"][1]["text"]["text"] == "Long text."


def test_labels_are_in_the_recipients_language() -> None:
    message = outgoing(Recipient("contact", "U123", "kim", locale="de-AT"), WORDS)
    assert blocks(message)["blocks"][2]["fields"][2]["text"] == "*Verlängerung*\n2026-04-14"


def test_nothing_in_a_message_to_slack_is_a_mention_or_a_link() -> None:
    evil = "<!channel> <@U1> <https://evil.example|your bank> & co"
    account = CONTEXT["account"] | {"currency": evil}
    message = to_endpoint(
        "csm",
        Rendered(subject=evil, text=evil, points=(evil,)),
        context=CONTEXT | {"band": evil, "account": account},
    )
    shown = blocks(replace(message, variables={**message.variables, "playbook": {"title": evil}}))
    written = json.dumps([shown["text"], shown["blocks"][1:]])
    assert "<" not in written
    assert "&lt;!channel&gt;" in written
    assert shown["blocks"][0]["text"]["type"] == "plain_text"


@given(TEXTS, TEXTS, st.lists(TEXTS, max_size=4), TEXTS)
def test_slacks_limits_hold(subject: str, text: str, points: list[str], band: str) -> None:
    words = Rendered(subject=subject, text=text, points=tuple(points))
    shown = blocks(to_endpoint("csm", words, context={"band": band}))
    for each in shown["blocks"]:
        if each["type"] == "header":
            assert 1 <= len(each["text"]["text"]) <= 150
        for field in each.get("fields", []):
            assert 1 <= len(field["text"]) <= 2000
        if each["type"] == "section" and "text" in each:
            assert 1 <= len(each["text"]["text"]) <= 3000
    json.dumps(shown).encode()


@given(TEXTS, st.integers(min_value=10, max_value=200))
def test_an_entity_is_never_cut(text: str, limit: int) -> None:
    cut = escaped(text, limit)
    assert len(cut) <= limit
    assert re.fullmatch(r"(?:[^&<>]|&(?:amp|lt|gt);)*", cut, flags=re.DOTALL)


def test_teams_gets_an_adaptive_card_in_the_envelope_of_workflows() -> None:
    (attachment,) = enveloped(card(to_endpoint("csm", WORDS)))["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    content = attachment["content"]
    assert (content["type"], content["version"]) == ("AdaptiveCard", "1.4")
    assert ["".join(run["text"] for run in each["inlines"]) for each in content["body"]] == [
        "Acme is at risk",
        "Health fell.",
        "Score: 44",
        "Band: at risk",
        "Renewal: 2026-04-14",
        "ARR: 48,000 EUR",
        "• Usage fell.",
        "• Call Kim.",
        "An account has become at risk · n-1",
    ]


def test_all_words_in_a_card_are_runs_that_know_no_markdown() -> None:
    evil = "[your bank](https://evil.example)"
    content = card(
        to_endpoint("csm", Rendered(subject=evil, text=evil, points=(evil,)), context={"band": evil})
    )
    assert {each["type"] for each in content["body"]} == {"RichTextBlock"}
    assert {run["type"] for each in content["body"] for run in each["inlines"]} == {"TextRun"}


@pytest.mark.parametrize("character", ["a", "世", "😀", '"'])
def test_a_card_stays_within_28_kb(character: str) -> None:
    long = character * 5000
    words = Rendered(subject=long, text=long, points=(long,) * 30)
    content: dict[str, Any] = enveloped(card(to_endpoint("csm", words, context=CONTEXT | {"band": long})))
    assert len(json.dumps(content, ensure_ascii=False).encode()) <= 28_000
