"""The `sdk` section of the configuration comes before what is shipped, and mistakes in it are told with their place."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError
from tests.unit.ingest.sdk.samples import call, refused, rules, understood

from csm_common.contracts.facts import FACTS
from csm_common.mapping.mistakes import mistakes
from ingest.application.sdk.rules import SdkConfig, shipped_config
from ingest.application.sdk.segment import SegmentReader

ACME = """
account: [context.groupId, properties.company_id]
ignore:
  - {type: track, event: [Heartbeat, Debug]}
facts:
  - type: csm.survey.answered
    when: {type: track, event: Survey Answered}
    data:
      kind: {const: nps}
      score: properties.score
      respondent_id: userId
  - type: acme.order.placed
    when: {type: track, event: Order Completed}
    data: {total: {column: properties.cents, times: 0.01}, at: {column: properties.at, as: time}}
  - type: csm.usage.recorded
    when: {type: track, event: $pageleave}
    data: {feature: event}
"""
READER = SegmentReader(rules(ACME))


def test_a_fact_of_the_configuration_comes_first() -> None:
    (draft,) = understood(call(event="Survey Answered", properties={"score": "9"}), READER).drafts
    assert draft.type == "csm.survey.answered"
    assert draft.data == {"kind": "nps", "score": 9.0, "respondent_id": "u-1"}


def test_data_is_json_ready() -> None:
    order = call(event="Order Completed", properties={"cents": 1999, "at": "2026-03-01"})
    (draft,) = understood(order, READER).drafts
    assert draft.data == {"total": 19.99, "at": "2026-03-01T00:00:00Z"}


def test_a_fact_that_lacks_what_it_needs_is_refused() -> None:
    told = refused(call(event="Survey Answered"), READER)
    assert (told.code, told.message) == ("missing_value", "properties.score is missing.")


@pytest.mark.parametrize("event", ["Heartbeat", "Debug"])
def test_what_is_ignored_is_understood_and_tells_nothing(event: str) -> None:
    found = understood(call(event=event), READER)
    assert (found.id, found.name, found.drafts) == ("m-1", event, ())


def test_the_configuration_may_want_what_is_ignored_otherwise() -> None:
    assert understood(call(event="$pageleave")).drafts == ()
    assert understood(call(event="$pageleave"), READER).drafts[0].data == {"feature": "$pageleave"}


def test_other_events_are_what_they_are_by_default() -> None:
    assert understood(call(), READER).drafts[0].data["feature"] == "Report Exported"


def test_where_the_account_is_told_can_be_configured() -> None:
    assert understood(call(properties={"company_id": 5}), READER).account == "5"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fact: []", "  fact: there is no such key"),
        ("ignore: [{}]", "  ignore[0]: "),
        (
            "facts: [{type: csm.survey.answered}]",
            "  facts[0]: csm.survey.answered needs the data field kind and score",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(ValidationError) as error:
        SdkConfig.model_validate(yaml.safe_load(text))
    assert told in mistakes(error.value)


def test_the_rest_of_the_traits_leaves_out_exactly_what_is_read_elsewhere() -> None:
    for fact in shipped_config().facts:
        if fact.type == "csm.account.changed":
            read = {
                name.split(".")[1] for value in fact.data.values() for name in value.columns if "." in name
            }
            rest = set(fact.data["attributes"].without or ())
            assert read - rest <= {"mrr"}
            assert rest - read <= {"arr", "ARR", "annual_recurring_revenue", "annualRecurringRevenue"}


def test_what_is_shipped_makes_facts_of_the_contracts() -> None:
    assert {each.type for each in shipped_config().facts} <= set(FACTS)


def test_the_example_in_the_docs_is_sound() -> None:
    docs = (Path(__file__).parents[4] / "docs" / "sdks.md").read_text(encoding="utf-8")
    section = yaml.safe_load(docs.split("```yaml\n")[1].split("```")[0])["sdk"]
    assert SdkConfig.model_validate(section).facts
