"""What every implementation of ports.Approvals must do; run in memory in unit/ and on PostgreSQL in integration/."""

from dataclasses import replace

from tests.support.clock import START
from tests.unit.playbooks.builders import a_run
from tests.unit.playbooks.contracts.rows import HOUR, an_approval, with_runs

from playbooks.application.ports import Transactions
from playbooks.domain.interpreter import Answer


class ApprovalsContract:
    """Subclass it with a fixture `transactions` over an empty store."""

    async def test_a_question_is_found_as_it_was_asked(self, transactions: Transactions) -> None:
        asked = an_approval(by=("ana", "ben"))
        async with transactions.begin() as store:
            await with_runs(store, a_run())
            await store.approvals.ask([asked])
        async with transactions.begin() as store:
            assert await store.approvals.find("approval-1") == asked
            assert await store.approvals.find("approval-2") is None
            assert await store.approvals.answers(["run-1"]) == {}

    async def test_an_answer_lasts_and_asking_again_does_not_take_it_back(
        self, transactions: Transactions
    ) -> None:
        yes = replace(
            an_approval(),
            status="approved",
            answered_at=START + HOUR,
            answered_by="person:ana via key:console",
            comment="Go on.",
        )
        no = replace(
            an_approval("approval-2", step="offer"),
            status="rejected",
            answered_at=START,
            answered_by="key:crm",
        )
        async with transactions.begin() as store:
            await with_runs(store, a_run())
            await store.approvals.ask([an_approval(), an_approval("approval-2", step="offer")])
            await store.approvals.answer(yes)
            await store.approvals.answer(no)
            await store.approvals.ask([an_approval(title="Really?")])
        async with transactions.begin() as store:
            assert await store.approvals.find("approval-1") == yes
            assert await store.approvals.answers(["run-1", "run-2"]) == {
                ("run-1", "ask"): Answer(said="approved", by="person:ana via key:console", comment="Go on."),
                ("run-1", "offer"): Answer(said="rejected", by="key:crm"),
            }
            assert await store.approvals.answers([]) == {}

    async def test_only_what_nobody_has_answered_expires(self, transactions: Transactions) -> None:
        said = replace(an_approval(), status="approved", answered_at=START, answered_by="key:crm")
        offered = an_approval("approval-2", step="offer")
        waiting = an_approval("approval-3", step="later")
        async with transactions.begin() as store:
            await with_runs(store, a_run())
            await store.approvals.ask([an_approval(), offered, waiting])
            await store.approvals.answer(said)
            await store.approvals.close([("run-1", "ask"), ("run-1", "offer"), ("run-9", "later")], START)
            await store.approvals.close([], START)
            assert await store.approvals.find("approval-1") == said
            assert await store.approvals.find("approval-2") == replace(
                offered, status="expired", answered_at=START
            )
            assert await store.approvals.find("approval-3") == waiting

    async def test_nothing_asked_is_nothing_written(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            await store.approvals.ask([])
