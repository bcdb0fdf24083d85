"""The contact policy's file: what it means, and how its mistakes are told."""

from datetime import date, time, timedelta
from pathlib import Path

import pytest

from csm_common.errors import FatalError
from notifier.adapters.policy_file import PACKAGED, load_policy, read_policy
from notifier.domain.caps import Cap, Reserved
from notifier.domain.policy import ClassRules


def test_the_packaged_policy_lets_our_own_people_hear_at_once_and_spares_customers() -> None:
    policy = load_policy()
    assert policy.classes["internal"] == policy.classes["transactional"] == ClassRules()
    assert policy.classes["marketing"] == ClassRules(
        consent="opt_out", unsubscriptions=True, caps=True, quiet_hours=True
    )
    assert Cap("person", 3, timedelta(days=7), Reserved(30, 1)) in policy.caps
    assert policy.quiet_hours is not None
    assert policy.quiet_hours.margin == timedelta(seconds=60)


def test_an_operator_says_holidays_and_digests(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    text = PACKAGED.read_text().replace("holidays: null", "holidays: DE-BY")
    file.write_text(
        text.replace("digests: {}", 'digests: {classes: {marketing: {at: "08:30", zone: Europe/Berlin}}}')
    )
    policy = load_policy(file)
    assert policy.quiet_hours is not None
    assert not policy.quiet_hours.days.works(date(2026, 1, 6))
    digest = policy.class_digests["marketing"]
    assert (digest.at, str(digest.zone)) == (time(8, 30), "Europe/Berlin")


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("zone: UTC", "zon: UTC", "5:1: zon: there is no such member; did you mean zone?"),
        ("zone: UTC", "zone: Mars", "5:7: zone: write the name of a time zone, as in Europe/Berlin"),
        ("zone: UTC", "zone: UTC\nzone: UTC", "6:1: zone is given more than once"),
        ("zone: UTC", "zone: {", "expected"),
        ("consent: opt_out", "consent: maybe", "classes.marketing.consent: must be 'none', 'opt_out' or 'opt_in'"),
        ("slots: 2", "slots: 11", "11 slots are reserved of a limit of 10"),
        ("limit: 3", "limit: 0", "caps.1.limit: must be greater than or equal to 1, not 0"),
        ("within: 1d", "within: soon", "caps.0.within: write a number and s, m, h or d, as in 60s, 36h or 7d"),
        ("within: 1d", "within: 7d", "there are two caps of the same length: cap_person_7d"),
        ('from: "19:00"', 'from: "25:00"', "20:21: quiet_hours.from: write a time of the day in quotes"),
        ('from: "19:00"', 'from: "08:00"', "from and until are the same time"),
        ("margin: 60s", "margin: 12h", "the margin fills the time"),
        ("[saturday, sunday]", "[monday, tuesday, wednesday, thursday, friday, saturday, sunday]", "no working day"),
        ("holidays: null", "holidays: Utopia", "write a country, as in DE, or a part of it, as in DE-BY"),
        ("  internal:", "  internl:", "classes.internl: must be"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_what_to_do(right: str, wrong: str, told: str) -> None:
    with pytest.raises(FatalError) as error:
        read_policy(PACKAGED.read_text().replace(right, wrong, 1), "policy.yaml")
    assert told in str(error.value)
    assert str(error.value).startswith("policy.yaml:")


def test_a_class_that_is_not_told_of_is_a_mistake() -> None:
    with pytest.raises(FatalError, match="classes must also tell of internal, marketing, transactional"):
        read_policy("classes: {}")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match=r"nowhere\.yaml cannot be read"):
        load_policy(tmp_path / "nowhere.yaml")
