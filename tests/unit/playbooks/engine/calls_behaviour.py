"""Calls to endpoints: claimed, made with no transaction open, and written down once; on every store."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.clock import START
from tests.unit.playbooks.builders import TASK, a_definition
from tests.unit.playbooks.engine.examples import notify, webhook
from tests.unit.playbooks.engine.mishaps import UnreadableTransactions
from tests.unit.playbooks.engine.service import Service, entered, left

from csm_common.errors import PermanentError, TransientError
from csm_common.ids import derived_id
from playbooks.application.handlers.calls import LEASE, NO_ROOM, claim_calls
from playbooks.application.model import Audited
from playbooks.domain.definition import ExitWhen
from playbooks.domain.interpreter import NO_ANSWER

RUN_ID = derived_id("run", "account_at_risk", 1, "c-1")
SECOND = timedelta(seconds=1)
CALL = a_definition(steps=(webhook(), TASK))
AWAY = TransientError("crm answered 503")


class CallsBehaviour:
    """Subclass it with a fixture `service` over an empty store."""

    async def test_an_endpoint_is_told_all_that_explains_the_call(self, service: Service) -> None:
        await service.begin(CALL)
        await service.settle()
        [posted] = service.endpoints.posted
        assert (posted.endpoint, posted.message_id) == ("crm", derived_id("webhook", RUN_ID, "crm"))
        assert posted.body["data"] == {"stage": "risk"}
        assert posted.body["context"]["account"]["name"] == "Acme"
        ids = {
            "run_id": RUN_ID,
            "step": "crm",
            "playbook": "account_at_risk",
            "playbook_version": 1,
            "crossing_id": "c-1",
            "fact_ids": ["fact-1", "fact-2"],
        }
        assert ids.items() <= posted.body["chain"].items()
        assert [each["type"] for each in posted.body["chain"]["crossing"]["facts"]] == [
            "csm.ticket.changed",
            "csm.ticket.changed",
        ]
        assert await service.path() == [("crm", "called"), ("follow_up", "opened")]
        audited = [each for each in await service.tables.rows(Audited) if each.action == "endpoint_called"]
        assert [each.detail for each in audited] == [{"step": "crm", "endpoint": "crm", "status": 200}]

    async def test_no_transaction_is_open_while_a_call_is_out(self, service: Service) -> None:
        """In memory one that was open would wait for itself; on PostgreSQL the row would be locked."""
        await service.begin(CALL)
        await service.tick()
        [call] = await service.claim()

        async def look() -> None:
            async with service.transactions.begin() as store:
                [run] = await store.runs.lock([RUN_ID])
                assert run.lease_until == START + LEASE

        service.endpoints.during = look
        assert await service.make(call) is not None

    async def test_a_call_is_claimed_by_one(self, service: Service) -> None:
        await service.begin(CALL)
        await service.tick()
        assert [len(await service.claim()) for _ in range(2)] == [1, 0]

    async def test_a_call_that_fails_is_tried_again_under_the_same_id_and_then_fails_the_run(
        self, service: Service
    ) -> None:
        service.endpoints.answers = [AWAY, AWAY, AWAY]
        await service.begin(CALL)
        await service.later(timedelta(minutes=5))
        run = await service.run()
        assert (run.status, run.failures, run.error, run.reason) == (
            "failed",
            3,
            "TransientError: crm answered 503",
            "a step failed 3 times",
        )
        assert [each.at - START for each in service.endpoints.posted] == [0 * SECOND, SECOND, 11 * SECOND]
        assert len({each.message_id for each in service.endpoints.posted}) == 1
        assert await service.results() == []

    async def test_a_failure_in_between_is_forgotten(self, service: Service) -> None:
        service.endpoints.answers = [AWAY, 202]
        await service.begin(CALL)
        await service.later(timedelta(minutes=5))
        run = await service.run()
        assert (run.status, run.failures, run.error) == ("completed", 0, None)

    async def test_what_is_of_no_use_to_try_again_fails_at_once(self, service: Service) -> None:
        service.endpoints.answers = [PermanentError("crm answered 404", code="endpoint_refused")]
        await service.begin(CALL)
        await service.settle()
        run = await service.run()
        assert (run.status, run.failures, run.error) == ("failed", 1, "PermanentError: crm answered 404")
        assert len(service.endpoints.posted) == 1

    # ---- deaths

    async def test_a_worker_that_dies_while_calling_leaves_a_failure_and_the_call_is_made_again(
        self, service: Service
    ) -> None:
        await service.begin(CALL)
        await service.tick()
        await service.claim()
        run = await service.run()
        assert (run.failures, run.error, run.due_at) == (1, NO_ANSWER, START + LEASE)
        await service.later(LEASE)
        assert await service.path() == [("crm", "called"), ("follow_up", "opened")]
        assert (await service.run()).fence == 2

    async def test_a_call_that_kills_each_time_fails_its_run_in_the_end(self, service: Service) -> None:
        await service.begin(CALL)
        await service.tick()
        claims = 0
        for _ in range(10):
            claims += len(await service.claim())
            service.clock.advance(LEASE)
        run = await service.run()
        assert (claims, run.status, run.failures, run.error) == (3, "failed", 3, NO_ANSWER)

    async def test_who_comes_back_after_another_has_claimed_the_run_is_refused(
        self, service: Service
    ) -> None:
        await service.begin(CALL)
        await service.tick()
        [slow] = await service.claim()
        service.clock.advance(LEASE)
        [fast] = await service.claim()
        assert await service.make(slow) is None
        assert (await service.run()).status == "active"
        assert await service.results() == []
        assert await service.make(fast) is not None
        assert await service.make(fast) is None
        await service.settle()
        assert await service.path() == [("crm", "called"), ("follow_up", "opened")]
        assert len({each.message_id for each in service.endpoints.posted}) == 1

    async def test_who_comes_back_late_but_before_anybody_else_is_welcome(self, service: Service) -> None:
        await service.begin(CALL)
        await service.tick()
        [slow] = await service.claim()
        service.clock.advance(2 * LEASE)
        assert await service.make(slow) is not None
        assert await service.path() == [("crm", "called")]

    async def test_who_comes_back_to_a_run_that_has_ended_is_refused(self, service: Service) -> None:
        await service.begin(CALL)
        await service.tick()
        [call] = await service.claim()
        await service.receive(left("c-2"))
        assert await service.make(call) is None
        run = await service.run()
        assert (run.status, run.exit_crossing_id) == ("exited", "c-2")
        assert await service.results() == []

    async def test_a_failure_that_comes_back_late_is_refused_too(self, service: Service) -> None:
        service.endpoints.answers = [AWAY]
        await service.begin(CALL)
        await service.tick()
        [call] = await service.claim()
        await service.receive(left("c-2"))
        before = await service.run()
        assert await service.make(call) is None
        assert await service.run() == before

    # ---- exits, holds, room

    async def test_exits_come_before_a_call(self, service: Service) -> None:
        exits = ExitWhen(condition="score > 90.0")
        await service.begin(a_definition(steps=(webhook(),), exit_when=exits))
        await service.tick()
        await service.learn(revision=2, score=95.0)
        await service.settle()
        assert service.endpoints.posted == []
        assert (await service.run()).status == "exited"

    async def test_a_call_says_what_is_known_when_it_is_made(self, service: Service) -> None:
        await service.begin(CALL)
        await service.tick()
        await service.learn(revision=5, score=12.0)
        await service.settle()
        [posted] = service.endpoints.posted
        assert posted.body["context"]["score"] == 12.0
        assert next(each.revision for each in await service.results()) == 5

    async def test_an_endpoint_without_room_puts_off_and_counts_no_failure(self, service: Service) -> None:
        await service.begin(CALL)
        await service.tick()
        now = service.clock.now()
        claimed = await claim_calls(
            service.transactions, now, service.rules, limit=9, room=lambda endpoint: False
        )
        assert list(claimed.calls) == []
        run = await service.run()
        assert (run.due_at, run.failures, run.fence, run.awaits) == (now + NO_ROOM, 0, 0, "call")
        await service.later(NO_ROOM)
        assert (await service.run()).status == "completed"

    async def test_a_call_of_a_playbook_that_cannot_be_read_fails_alone(self, service: Service) -> None:
        """The calls beside it are made."""
        await service.begin(a_definition("bad", steps=(webhook(),)), a_definition("good", steps=(webhook(),)))
        await service.tick()
        unreadable = replace(service, transactions=UnreadableTransactions(service.transactions, "bad"))
        await unreadable.later(timedelta(minutes=5))
        runs = {run.playbook: run for run in await service.runs()}
        assert (runs["bad"].status, runs["good"].status) == ("failed", "completed")
        assert (runs["bad"].failures, runs["bad"].error) == (3, "ValueError: bad cannot be read")

    @pytest.mark.parametrize("accounts", [3])
    async def test_calls_are_taken_up_to_a_number_the_longest_due_first(
        self, service: Service, accounts: int
    ) -> None:
        await service.publish(a_definition(steps=(webhook(),)))
        for number in range(accounts):
            await service.receive(entered(f"c-{number}", f"account-{number}"))
            await service.tick()
            service.clock.advance(SECOND)
        taken = [[call.run.account_id for call in await service.claim(limit=2)] for _ in range(2)]
        assert taken == [["account-0", "account-1"], ["account-2"]]

    async def test_a_notification_beside_it_is_not_held_up(self, service: Service) -> None:
        await service.begin(a_definition("a", steps=(webhook(),)), a_definition("b", steps=(notify(),)))
        await service.tick(3)
        assert [(run.playbook, run.status) for run in await service.runs()] == [
            ("a", "active"),
            ("b", "completed"),
        ]
