"""From YAML to a definition, and every mistake with its line and column."""

from pathlib import Path

import pytest
from tests.unit.playbooks.builders import a_definition

from csm_common.errors import FatalError, InvalidError
from playbooks.adapters.definitions import (
    content_hash,
    decode_definition,
    encode_definition,
    load_directory,
    parse_definition,
)
from playbooks.domain.definition import Definition, Entry, ExitWhen, Trigger
from playbooks.domain.steps import Notify, Recipient, Step, Task

WHOLE = """\
name: welcome
title: Welcome
trigger: {threshold: active, direction: left}
audience: account.plan == 'pro'
entry: {once_per: 30d}
exit_when: {left: [at_risk], entered: [critical]}
steps:
  - name: tell
    notify:
      channel: email
      recipients:
        - owner: true
        - role: champion
        - contact: c-7
      template: welcome
      category: onboarding
      message_class: transactional
  - name: pause
    wait: 4h
  - name: call
    task: {type: call, title: Call them, reason: welcome, assignee: owner, due_in: 2d}
"""

PLAIN = """\
name: plain
title: Plain
trigger: {threshold: at_risk, direction: entered}
steps:
  - {name: pause, wait: 1d}
"""


def test_every_member_is_read() -> None:
    assert parse_definition(WHOLE, "welcome.yaml") == Definition(
        name="welcome",
        title="Welcome",
        trigger=Trigger(threshold="active", direction="left"),
        audience="account.plan == 'pro'",
        entry=Entry(once_per="30d"),
        exit_when=ExitWhen(left=("at_risk",), entered=("critical",)),
        steps=(
            Step(
                name="tell",
                notify=Notify(
                    channel="email",
                    recipients=(Recipient(owner=True), Recipient(role="champion"), Recipient(contact="c-7")),
                    template="welcome",
                    category="onboarding",
                    message_class="transactional",
                ),
            ),
            Step(name="pause", wait="4h"),
            Step(
                name="call",
                task=Task(type="call", title="Call them", reason="welcome", assignee="owner", due_in="2d"),
            ),
        ),
    )


def test_what_is_left_out_has_its_default() -> None:
    definition = parse_definition(PLAIN, "plain.yaml")
    assert (definition.audience, definition.entry, definition.exit_when) == ("true", Entry(), None)


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("title: Plain", "title: 5", "p.yaml:2:8: title: must be a text in quotes, not 5"),
        ("title: Plain", "titel: Plain", "p.yaml:2:1: titel: there is no such member; did you mean title?"),
        ("entered}", "up}", "p.yaml:3:42: trigger.direction: must be 'entered' or 'left', not 'up'"),
        (
            "wait: 1d",
            "wait: 30",
            "p.yaml:5:25: steps.0.wait: must be a duration such as 2d, or a mapping with time or date, not 30",
        ),
        (
            "wait: 1d",
            "wait: tomorrow",
            "p.yaml:5:25: steps.0.wait: 'tomorrow' is not a duration: write a whole",
        ),
        (
            "wait: 1d",
            "pause: 1d",
            "p.yaml:5:19: steps.0.pause: there is no such member; there are name, sales, notify, wait",
        ),
        ("name: pause, ", "", "p.yaml:5:5: steps.0.name: is missing"),
        (
            "{name: pause, wait: 1d}",
            "{name: pause, wait: 1d}\n  - name: pause\n    wait: 2d",
            "p.yaml:6:11: steps.1.name: there is a step pause before this one",
        ),
        (
            "{name: pause, wait: 1d}",
            "name: tell\n    notify: {channel: email, recipients: [{owner: true, role: x}], template: t, category: c,"
            " message_class: internal}",
            "p.yaml:6:43: steps.0.notify.recipients.0: give one of owner: true, team: true, role: NAME, contact: ID,"
            " endpoint: NAME",
        ),
        (
            "{name: pause, wait: 1d}",
            "name: tell\n    notify: {channel: pager, recipients: [{team: true}], template: t, category: c,"
            " message_class: internal}",
            "p.yaml:6:23: steps.0.notify.channel: must be 'email', 'slack', 'teams' or 'webhook', not 'pager'",
        ),
        (
            "title: Plain",
            "title: Plain\naudience: account.plan ==",
            "p.yaml:3:26: audience: it ends before it",
        ),
        (
            "title: Plain",
            "title: Plain\naudience: acount.plan == 'x'",
            "3:11: audience: there is no variable acount",
        ),
        ("title: Plain", "title: Plain\nname: twice", "p.yaml:3:1: playbook: name is given more than once"),
        ("title: Plain", "title: [", "p.yaml:4:1: playbook: while parsing a flow sequence"),
        ("title: Plain", "title: \x01", "p.yaml:1:1: "),
        (PLAIN, "", "p.yaml:1:1: playbook: must be a mapping of names to values, not nothing"),
        (PLAIN, "- a\n- b", "p.yaml:1:1: playbook: must be a mapping of names to values, not a list"),
    ],
)
def test_a_mistake_is_told_with_its_place(was: str, becomes: str, told: str) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_definition(PLAIN.replace(was, becomes, 1), "p.yaml")
    assert told in refused.value.message


def test_all_mistakes_are_told_at_once() -> None:
    wrong = PLAIN.replace("title: Plain", "title: 5").replace("1d", "soon")
    with pytest.raises(InvalidError) as refused:
        parse_definition(wrong, "p.yaml")
    assert [line.split(": ")[1] for line in refused.value.message.splitlines()] == ["title", "steps.0.wait"]


@pytest.mark.parametrize("text", [WHOLE, PLAIN, f"{PLAIN}exit_when: {{}}\n"])
def test_a_definition_comes_back_from_its_canonical_json(text: str) -> None:
    definition = parse_definition(text, "p.yaml")
    assert decode_definition(encode_definition(definition)) == definition


def test_the_hash_is_of_the_meaning_not_of_the_writing() -> None:
    spelled_out = PLAIN.replace("title: Plain", "title: 'Plain' # as it says\naudience: 'true'\nentry: {}")
    assert _hash(spelled_out) == _hash(PLAIN)
    assert _hash(PLAIN.replace("1d", "2d")) != _hash(PLAIN)


def _hash(text: str) -> str:
    return content_hash(encode_definition(parse_definition(text, "p.yaml")))


def test_a_stored_definition_keeps_its_hash_over_releases() -> None:
    """A change here makes a new version of every playbook at the next start: it has to be meant."""
    assert encode_definition(a_definition()) == (
        b'{"name":"account_at_risk","title":"At risk","trigger":{"threshold":"at_risk","direction":"entered"},"steps":['
        b'{"name":"tell","notify":{"channel":"email","recipients":[{"owner":true},{"role":"champion"},{"contact":"c-7"}],'
        b'"template":"account_at_risk","category":"health","message_class":"internal"}},'
        b'{"name":"wait","wait":"2d"},'
        b'{"name":"follow_up","task":{"type":"follow_up","title":"Call them","reason":"at_risk","assignee":"owner",'
        b'"due_in":"1d"}}]}'
    )


def test_a_directory_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "plain.yaml").write_text(PLAIN)
    (tmp_path / "welcome.yaml").write_text(WHOLE)
    assert [each.name for each in load_directory(tmp_path)] == ["plain", "welcome"]


def test_a_wrong_file_stops_the_service_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "plain.yaml").write_text(PLAIN.replace("1d", "soon"))
    with pytest.raises(FatalError, match=r"plain\.yaml:5:25: steps\.0\.wait"):
        load_directory(tmp_path)


def test_a_file_is_named_as_its_playbook(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(PLAIN)
    with pytest.raises(FatalError, match=r"other\.yaml holds the playbook plain: name the file plain\.yaml"):
        load_directory(tmp_path)


def test_a_file_of_other_bytes_stops_the_service_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "plain.yaml").write_bytes(b"name: \xff")
    with pytest.raises(FatalError, match=r"plain\.yaml cannot be read: .*utf-8"):
        load_directory(tmp_path)


def test_an_empty_directory_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="There is no playbook in"):
        load_directory(tmp_path)


def test_the_reference_shows_playbooks_that_work() -> None:
    reference = Path(__file__).parents[4] / "docs" / "playbooks.md"
    blocks = [each.split("```")[0] for each in reference.read_text(encoding="utf-8").split("```yaml\n")[1:]]
    whole = [each for each in blocks if each.startswith("name:")]
    assert whole
    for text in whole:
        parse_definition(text, "docs/playbooks.md")
