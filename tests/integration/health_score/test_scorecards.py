"""Scorecards over REST on PostgreSQL: versions that never change, activation that judges everybody anew, and the way back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from tests.integration.health_score.scorecards_api import ScorecardsApi, scorecards_api
from tests.integration.health_score.world import World
from tests.support.health_score import event
from tests.support.health_score_scorecards import StoreContract
from tests.support.postgres import Database

import health_score
from csm_common.database.migrations import migrate
from health_score.adapters.scorecards import PostgresScorecards

CARD = """\
name: {name}
{head}
bands: {{critical: 0, at_risk: 25, neutral: 50, healthy: 75}}
dimensions:
  adoption:
    weight: 1
    measures:
      uses:
        weight: 1
        signal: {{kind: count, type: csm.usage.recorded, half_life_days: {half_life}}}
        curve: {{0: 0, {full}: 100}}
thresholds:
  at_risk: {{target: score, direction: below, enter: 50, exit: 55}}
"""


def card(name: str = "default", *, head: str = "title: Short", half_life: float = 7, full: float = 10) -> str:
    return CARD.format(name=name, head=head, half_life=half_life, full=full)


SMB = 'applies_to: account.segment == "smb"\npriority: 5'


@pytest.fixture
async def api(world: World) -> AsyncIterator[ScorecardsApi]:
    async with scorecards_api(world) as found:
        yield found


def uses(account: str, count: int) -> list[dict[str, Any]]:
    return [event(f"{account}-{n}", account, "csm.usage.recorded", {"feature": "x"}) for n in range(count)]


def profile(account: str, **told: Any) -> dict[str, Any]:
    return event(f"{account}-profile", account, "csm.account.changed", told)


class TestPostgres(StoreContract):
    @pytest.fixture
    async def store(self, database: Database) -> AsyncIterator[PostgresScorecards]:
        async with database.engine("health_score") as engine:
            scripts = Path(health_score.__file__).parent / "migrations"
            await migrate(engine, schema="health_score", scripts=scripts)
            yield PostgresScorecards(engine)


async def test_the_shipped_cards_are_listed_in_the_order_in_which_they_are_asked(api: ScorecardsApi) -> None:
    found = (await api.get("/scorecards"))["scorecards"]
    assert [(each["name"], each["active_version"], each["priority"]) for each in found] == [
        ("onboarding", 1, 200),
        ("enterprise", 1, 100),
        ("default", 1, 0),
    ]
    assert found[1]["applies_to"] == 'account.segment == "enterprise"'
    told = await api.get("/scorecards/default")
    assert (told["active_version"], told["versions"][0]["author"]) == (1, "shipped")
    assert told["versions"][0]["in_force"][0]["until"] is None


async def test_a_version_is_kept_as_it_was_given_with_its_author_and_why(api: ScorecardsApi) -> None:
    api.world.clock.advance(timedelta(hours=1))
    document = "# ours\n" + card()
    answer = await api.post("/scorecards", document, note="less is more")
    assert (answer.status_code, answer.json()) == (201, {"name": "default", "version": 2, "created": True})
    told = (await api.get("/scorecards/default"))["versions"][1]
    assert (told["author"], told["note"], told["active"], told["in_force"]) == (
        "ops",
        "less is more",
        False,
        [],
    )
    assert told["created_at"].startswith("2026-01-01T01:00:00")

    as_yaml = await api.client.get(
        "/v1/scorecards/default/versions/2", headers={"accept": "application/yaml"}
    )
    assert (as_yaml.text, as_yaml.headers["content-type"]) == (document, "application/yaml")
    as_json = await api.get("/scorecards/default/versions/2")
    assert as_json["scorecard"]["dimensions"]["adoption"]["measures"]["uses"]["curve"] == {"0": 0, "10": 100}


async def test_the_same_document_again_is_the_same_version(api: ScorecardsApi) -> None:
    await api.done("/scorecards", card())
    for document in (card(), files("health_score").joinpath("scorecards/default.yaml").read_text()):
        answer = await api.post("/scorecards", document)
        assert (answer.status_code, answer.json()["created"]) == (200, False)
    assert len((await api.get("/scorecards/default"))["versions"]) == 2


@pytest.mark.parametrize(
    ("head", "code", "words"),
    [
        ("version: 1", "version_exists", "make it version 2"),
        ("version: 3", "version_skipped", "The next version of the scorecard default is 2"),
    ],
)
async def test_a_version_never_changes_and_none_is_skipped(
    api: ScorecardsApi, head: str, code: str, words: str
) -> None:
    answer = await api.post("/scorecards", card(head=head))
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert words in answer.json()["message"]


async def test_what_json_tells_comes_back_the_same(api: ScorecardsApi) -> None:
    for name in ("default", "enterprise", "onboarding"):
        told = (await api.get(f"/scorecards/{name}/versions/1"))["scorecard"]
        assert (await api.done("/scorecards", told | {"version": 2}))["version"] == 2
        assert (await api.done("/scorecards", told | {"version": 2}))["created"] is False
        difference = await api.get(f"/scorecards/{name}/diff", **{"from": 1, "to": 2})
        assert (difference["changes"], difference["shares"], difference["text"]) == ([], [], "")


async def test_every_mistake_is_told_with_its_place_and_nothing_is_kept(api: ScorecardsApi) -> None:
    broken = card(head="titel: x").replace("half_life_days: 7", "half_life_days: -7")
    verdict = await api.done("/scorecards:validate", broken)
    assert not verdict["valid"]
    assert [(each["path"], each["line"], each["column"]) for each in verdict["mistakes"]] == [
        ("/titel", 2, 1),
        ("/dimensions/adoption/measures/uses/signal/half_life_days", 10, 73),
    ]
    answer = await api.post("/scorecards", broken)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_scorecard")
    assert answer.json()["errors"] == verdict["mistakes"]
    assert await api.done("/scorecards:validate", card()) == {"valid": True, "mistakes": []}
    assert [each["newest_version"] for each in (await api.get("/scorecards"))["scorecards"]] == [1, 1, 1]


async def test_bytes_that_are_no_text_and_bodies_without_an_end_are_refused(api: ScorecardsApi) -> None:
    answer = await api.client.post("/v1/scorecards:validate", content=b"\xff\xfe")
    assert (answer.status_code, answer.json()["code"]) == (400, "not_utf8")
    answer = await api.client.post("/v1/scorecards:validate", content=b"a" * 300_000)
    assert answer.status_code == 413


async def test_a_difference_is_told_piece_by_piece(api: ScorecardsApi) -> None:
    await api.done("/scorecards", card())
    await api.done(
        "/scorecards",
        card(half_life=14, full=20).replace(
            "    measures:\n",
            "    measures:\n      days: {weight: 1, "
            "signal: {kind: recency, type: csm.usage.recorded}, curve: {0: 100, 30: 0}}\n",
        ),
    )
    found = await api.get("/scorecards/default/diff", **{"from": 2, "to": 3})
    assert found["text"].splitlines() == [
        "~ measure uses: signal.half_life_days 7 → 14",
        "~ measure uses: curve {0: 0, 10: 100} → {0: 0, 20: 100}",
        "+ measure days: dimension adoption, weight 1, signal.kind recency, signal.type csm.usage.recorded,"
        " curve {0: 100, 30: 0}",
        "  uses: 100 % → 50 % of the score",
        "  days: nothing → 50 % of the score",
    ]  # fmt: skip
    back = await api.get("/scorecards/default/diff", **{"from": 3, "to": 2})
    assert "- measure days" in back["text"]
    assert {(each["kind"], each["name"], each["change"]) for each in back["changes"]} == {
        ("measure", "uses", "changed"), ("measure", "days", "removed"),
    }  # fmt: skip


async def test_activation_judges_every_account_anew_and_histories_say_so(api: ScorecardsApi) -> None:
    world = api.world
    await world.send(*uses("a", 5), *uses("b", 20), profile("big", segment="enterprise"), *uses("big", 5))
    await api.done("/scorecards", card())
    world.clock.advance(timedelta(minutes=1))
    changed = await api.done("/scorecards/default:activate", {"version": 2, "note": "simpler"})
    assert changed == {"number": 4, "name": "default", "version": 2, "changed": True, "accounts": 2}

    progress = await api.get("/models")
    assert (progress["number"], progress["done"], progress["taking_up"]["accounts_behind"]) == (4, False, 3)
    await world.tick()  # the writer sees the change, and asks for the past of the new signal
    assert (await api.get("/models"))["taking_up"]["refolding"] == [0]
    await world.send(
        *[each | {"id": f"again-{each['id']}"} for each in uses("a", 1)]
    )  # facts go on meanwhile
    await world.refold()
    await world.settle()
    assert (await api.get("/models"))["done"]

    rows = await world.rows(
        "SELECT account_id, cause, scorecard, round(score) FROM history WHERE version = 2 ORDER BY account_id"
    )
    assert rows == [("a", "model", "default", 60), ("b", "model", "default", 100)]
    again = await api.done("/scorecards/default:activate", {"version": 2})
    assert (again["changed"], again["number"], again["accounts"]) == (False, 4, 0)
    span = (await api.get("/scorecards/default"))["versions"]
    assert span[0]["in_force"][0]["until"] == span[1]["in_force"][0]["since"]


async def test_rolling_back_goes_back_version_by_version(api: ScorecardsApi) -> None:
    for version in (2, 3):
        await api.done("/scorecards", card(full=version))
        await api.done("/scorecards/default:activate", {"version": version})
    assert [(await api.done("/scorecards/default:rollback"))["version"] for _ in range(2)] == [2, 1]
    answer = await api.post("/scorecards/default:rollback", {"note": "once more"})
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_before")


async def test_a_condition_chooses_whom_a_card_judges_until_it_is_retired(api: ScorecardsApi) -> None:
    world = api.world
    await world.send(profile("small", segment="smb"), *uses("small", 5), *uses("other", 5))
    await api.done("/scorecards", card("smb", head=SMB))
    assert (await api.done("/scorecards/smb:activate", {"version": 1}))["accounts"] == 1
    await world.tick()
    await world.refold()
    await world.settle()
    judged = "SELECT account_id, scorecard FROM accounts ORDER BY account_id"
    assert await world.rows(judged) == [("other", "default"), ("small", "smb")]

    assert (await api.done("/scorecards/smb:retire", {"note": "no longer needed"}))["accounts"] == 1
    await world.settle()
    assert await world.rows(judged) == [("other", "default"), ("small", "default")]
    assert [each["active_version"] for each in (await api.get("/scorecards"))["scorecards"]] == [
        1,
        1,
        1,
        None,
    ]


async def test_some_card_always_applies_to_everybody(api: ScorecardsApi) -> None:
    answer = await api.post("/scorecards/default:retire")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_card_for_all")
    assert "one of the active scorecards must apply to every account" in answer.json()["message"]
    await api.done("/scorecards", card(head=SMB))
    answer = await api.post("/scorecards/default:activate", {"version": 2})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_card_for_all")
    assert (await api.get("/models"))["number"] == 3


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/scorecards/gone", "no scorecard 'gone'"),
        ("/scorecards/gone/versions/1", "no scorecard 'gone'"),
        ("/scorecards/default/versions/9", "no version 9 of the scorecard default; there are 1"),
        ("/scorecards/default/diff?from=1&to=9", "no version 9"),
    ],
)
async def test_what_is_not_there_is_told_so(api: ScorecardsApi, path: str, words: str) -> None:
    answer = await api.client.get(f"/v1{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert words in answer.json()["message"]


async def test_what_is_not_there_cannot_be_put_in_force(api: ScorecardsApi) -> None:
    for path, body in (
        ("default:activate", {"version": 7}),
        ("gone:activate", {"version": 1}),
        ("gone:retire", {}),
    ):
        assert (await api.post(f"/scorecards/{path}", body)).status_code == 404
    answer = await api.post("/scorecards/default:activate", {"note": "which?"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_reading_needs_another_right_than_writing(api: ScorecardsApi) -> None:
    reader = {"authorization": "Bearer csm_reader_secret-of-reader"}
    assert (await api.client.get("/v1/scorecards", headers=reader)).status_code == 200
    assert (
        await api.client.post("/v1/scorecards:validate", content=card(), headers=reader)
    ).status_code == 200
    for path in ("", "/default:activate", "/default:rollback", "/default:retire"):
        answer = await api.client.post(f"/v1/scorecards{path}", json={"version": 1}, headers=reader)
        assert answer.status_code == 403, path


async def test_two_who_write_at_once_get_two_versions(api: ScorecardsApi) -> None:
    made = await asyncio.gather(*(api.done("/scorecards", card(full=n)) for n in range(1, 6)))
    assert sorted(each["version"] for each in made) == [2, 3, 4, 5, 6]
    changed = await asyncio.gather(
        *(api.done("/scorecards/default:activate", {"version": n}) for n in range(2, 7))
    )
    numbers = [each["number"] for each in changed]
    assert sorted(numbers) == [4, 5, 6, 7, 8]
    last = max(changed, key=lambda each: each["number"])
    assert (await api.get("/scorecards/default"))["active_version"] == last["version"]


async def test_the_shipped_cards_keep_to_the_published_schema(api: ScorecardsApi) -> None:
    schema = await api.get("/scorecards/schema")
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for name in ("default", "enterprise", "onboarding"):
        told = (await api.get(f"/scorecards/{name}/versions/1"))["scorecard"]
        validator.validate(told)
        told["thresholds"]["at_risk"]["entr"] = 1
        assert not validator.is_valid(told)
    assert schema["$defs"]["TrendPart"]["properties"]["fast_days"]["description"]
    assert "name" not in schema["$defs"]["MeasurePart"]["properties"]


async def test_the_document_that_is_kept_of_json_is_readable_yaml(api: ScorecardsApi) -> None:
    told = yaml.safe_load(card(head="title: Größe")) | {"name": "zoo"}
    told["dimensions"]["adoption"]["measures"]["uses"]["curve"] = {"0": 0, "2.5": 100}
    await api.done("/scorecards", told)
    kept = (await api.client.get("/v1/scorecards/zoo/versions/1?format=yaml")).text
    assert "title: Größe" in kept
    assert "2.5: 100" in kept
