"""The section `webhooks` of the configuration, and what it becomes together with the environment."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from tests.unit.ingest.webhooks.samples import AT, received, understood

from csm_common.errors import FatalError
from csm_common.mapping.mistakes import mistakes
from ingest.application.webhooks.connections import connect, readers
from ingest.application.webhooks.rules import Webhooks

SECTION = TypeAdapter(Webhooks)
GENERIC: dict[str, Any] = {
    "kind": "generic",
    "secret_env": "S",
    "signature": {"header": "X-Signature"},
    "account": "account",
    "facts": [{"type": "crm.called"}],
}


def section(**hooks: Any) -> Webhooks:
    return SECTION.validate_python(hooks)


def mistake(name: str = "crm", **changes: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        section(**{name: GENERIC | changes})
    return mistakes(raised.value)


def test_every_kind_with_its_defaults() -> None:
    hooks = section(
        stripe={"kind": "stripe", "secret_env": ["A", "B"]},
        zendesk={"kind": "zendesk", "secret_env": "A"},
        intercom={"kind": "intercom", "secret_env": "A"},
        crm=GENERIC | {"secret_env": "A"},
    )
    connections = connect(hooks, {"A": "one", "B": "two"})
    assert connections["stripe"].secrets == [b"one", b"two"]
    assert "b'one'" not in repr(connections)
    assert [each.source for each in connections.values()] == [
        "webhook/stripe",
        "webhook/zendesk",
        "webhook/intercom",
        "webhook/crm",
    ]
    by_format = readers(connections)
    assert understood(by_format["webhook/crm"](received({"account": "acme"}))).account == "acme"


@pytest.mark.parametrize("environ", [{}, {"S": ""}])
def test_a_secret_that_is_not_there_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(FatalError, match=r"'crm'.* S"):
        connect(section(crm=GENERIC), environ)


def test_a_secret_in_base64() -> None:
    signature = {"header": "webhook-signature", "key": "base64"}
    hooks = section(crm=GENERIC | {"signature": signature})
    assert connect(hooks, {"S": "whsec_c2VjcmV0"})["crm"].secrets == [b"secret"]
    with pytest.raises(FatalError, match="base64"):
        connect(hooks, {"S": "whsec_?"})


def test_the_settings_reach_the_readers_and_schemes() -> None:
    hooks = section(
        stripe={"kind": "stripe", "secret_env": "S", "account_metadata": "tenant", "unlinked": "hold"},
        zendesk={
            "kind": "zendesk",
            "secret_env": "S",
            "tolerance_s": 60,
            "escalated_tags": ["VIP"],
            "unlinked": "hold",
        },
        intercom={"kind": "intercom", "secret_env": "S", "account": "id"},
    )
    connections = connect(hooks, {"S": "secret"})
    assert repr(connections["stripe"].reader) == "StripeReader(metadata_key='tenant', hold_unlinked=True)"
    assert "'vip'" in repr(connections["zendesk"].reader)
    assert "seconds=60" in repr(connections["zendesk"].verify)
    assert "company_key='id'" in repr(connections["intercom"].reader)
    assert connections["stripe"].problem({}, b"", AT) is not None


@pytest.mark.parametrize(
    ("changes", "place", "sentence"),
    [
        ({"kind": "odd"}, "crm", "does not match any of the expected tags"),
        ({"secret": "x"}, "crm.generic.secret", "there is no such key"),
        ({"secret_env": []}, "crm.generic.secret_env", "at least 1 item"),
        ({"signature": {"header": "a b"}}, "crm.generic.signature.header", "match pattern"),
        (
            {"signature": {"header": "x", "template": "{timestamp}"}},
            "crm.generic.signature",
            "must contain {body}",
        ),
        (
            {"signature": {"header": "x", "template": "{timestamp}.{body}"}},
            "crm.generic.signature",
            "need each other",
        ),
        ({"signature": {"header": "x", "timestamp_header": "t"}}, "crm.generic.signature", "need each other"),
        (
            {"signature": {"header": "x", "template": "{body}{a b}"}},
            "crm.generic.signature",
            "name of a header",
        ),
        ({"signature": {"header": "x", "algorithm": "md5"}}, "crm.generic.signature.algorithm", "sha256"),
        ({"account": None}, "crm.generic", "whom the facts are about"),
        ({"joins": True}, "crm.generic", "joins needs account and users"),
        ({"facts": []}, "crm.generic", "what the messages become"),
        ({"facts": [{"type": "csm.usage.recorded"}]}, "crm.generic.facts[0]", "needs the data field feature"),
        ({"time": {"column": "at", "as": "date"}}, "crm.generic.time", "always read as a time"),
        ({"timezone": "Mars/Base"}, "crm.generic.timezone", "no timezone"),
        ({"skip": [{"when": {}, "reason": "x"}]}, "crm.generic.skip[0].when", "at least 1 item"),
    ],
)
def test_mistakes_are_told_with_their_place(changes: dict[str, Any], place: str, sentence: str) -> None:
    told = mistake(**changes)
    assert f"{place}: " in told
    assert sentence in told


def test_a_name_that_is_no_part_of_an_address() -> None:
    assert "match pattern" in mistake("my hook")


def test_intercom_s_signature_tells_no_time() -> None:
    with pytest.raises(ValidationError, match="tolerance_s"):
        section(intercom={"kind": "intercom", "secret_env": "S", "tolerance_s": 300})
