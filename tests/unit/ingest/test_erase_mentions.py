"""The ways in which a name can stand in a message that was kept as it came."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.domain.mentions import mentions


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.booleans())
def test_whatever_a_sender_s_json_looks_like_the_name_is_found(name: str, escaped: bool) -> None:
    body = json.dumps({"user": {"id": name}}, ensure_ascii=escaped)
    assert any(each in body for each in mentions(name))


@pytest.mark.parametrize("body", ['{"id": "kimono"}', '{"text": "ask kim"}', '{"id": "Kim"}'])
def test_a_longer_or_another_text_is_no_mention(body: str) -> None:
    assert not any(each in body for each in mentions("kim"))


def test_of_a_vendor_s_id_the_part_of_the_vendor_may_be_missing_unless_it_would_tell_nothing() -> None:
    assert '"cus_123"' in mentions("stripe:cus_123")
    assert mentions("intercom:42") == {'"intercom:42"'}
