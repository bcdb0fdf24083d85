"""Puts the service together on parts that are given: the rules of steps, the loops, and the routers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.clock import Clock
from csm_common.contracts.topics import HEALTH_ACCOUNTS
from csm_common.errors import FatalError
from csm_common.kafka.consumer import ExactlyOnceConsumer
from csm_common.kafka.relay import OutboxRelay
from csm_common.runtime import Loop
from csm_common.settings import KafkaSettings
from playbooks.adapters.conditions import compile_condition
from playbooks.adapters.definition_documents import DefinitionDocuments
from playbooks.adapters.definition_schema import definition_schema
from playbooks.adapters.holidays import working_calendar
from playbooks.adapters.memory.lab import MemoryLab
from playbooks.adapters.postgres.desk_reads import PostgresDeskReads
from playbooks.adapters.postgres.effects import PostgresEffects
from playbooks.adapters.postgres.funnels import PostgresFunnels
from playbooks.adapters.postgres.management import PostgresManagements
from playbooks.adapters.postgres.past import PostgresPast
from playbooks.adapters.postgres.playbooks import PlaybookCache
from playbooks.adapters.postgres.pruning import PostgresPruning
from playbooks.adapters.postgres.reads import PostgresReads
from playbooks.adapters.postgres.store import PostgresTransactions
from playbooks.application.approval_desk import ApprovalDesk
from playbooks.application.endpoints import Endpoints
from playbooks.application.handlers.steps import Rules
from playbooks.application.managing import Managing
from playbooks.application.run_bulk import BulkDesk
from playbooks.application.run_desk import RunDesk
from playbooks.application.simulation_desk import SimulationDesk
from playbooks.application.switching import Switching
from playbooks.application.task_desk import TaskDesk
from playbooks.application.view import Holding
from playbooks.domain.rules import DefinitionError
from playbooks.domain.scopes import ACCOUNT
from playbooks.entrypoints.approvals_api import create_approvals_router
from playbooks.entrypoints.audit_api import create_audit_router
from playbooks.entrypoints.consumer import HealthHandler
from playbooks.entrypoints.definitions_api import create_definitions_router
from playbooks.entrypoints.effect_api import create_effect_router
from playbooks.entrypoints.pollers import CallTicker, FreshnessMarker, RunTicker, TaskAlarm, prune_poller
from playbooks.entrypoints.run_desk_api import create_run_desk_router
from playbooks.entrypoints.runs_api import create_runs_router
from playbooks.entrypoints.simulation_api import create_simulation_router
from playbooks.entrypoints.tasks_api import create_tasks_router
from playbooks.settings import PlaybookSettings


@dataclass(frozen=True, slots=True)
class Parts:
    """What the service is made of; `transactions` and `cache` are over `engine`."""

    settings: PlaybookSettings
    engine: AsyncEngine
    cache: PlaybookCache
    transactions: PostgresTransactions
    endpoints: Endpoints
    clock: Clock


@dataclass(frozen=True, slots=True)
class Engine:
    """What moves runs on."""

    consumer: ExactlyOnceConsumer
    ticker: RunTicker
    loops: Sequence[Loop]


def rules_of(settings: PlaybookSettings) -> Rules:
    """How steps are taken."""
    return Rules(
        calendar=working_calendar(settings.calendar),
        hold=_holding(settings.hold_sales_while),
        retry_after_s=settings.step_retry_s,
        max_staleness=timedelta(seconds=settings.max_staleness_s),
    )


def _holding(condition: str) -> Holding:
    try:
        compiled = compile_condition(condition, ACCOUNT)
    except DefinitionError as refused:
        raise FatalError(f"CSM_PLAYBOOKS__HOLD_SALES_WHILE cannot be used: {refused}") from refused
    return Holding(condition=compiled, reason=f"nothing is sold to the account while {condition}")


def engine_of(parts: Parts, kafka: KafkaSettings, relay: OutboxRelay) -> Engine:
    """The consumer, the tickers and what else time brings, each waking whom it has made work for."""
    settings, rules = parts.settings, rules_of(parts.settings)
    calls = CallTicker(
        parts.transactions,
        parts.endpoints,
        parts.clock,
        rules,
        look_every_s=settings.look_every_s,
        on_done=lambda: ticker.wake(),
    )

    def on_commit() -> None:
        relay.wake()
        calls.wake()

    ticker = RunTicker(
        parts.transactions,
        parts.clock,
        rules,
        workers=settings.step_workers,
        limit=settings.step_batch,
        look_every_s=settings.look_every_s,
        on_commit=on_commit,
    )
    handler = HealthHandler(parts.transactions.store, parts.clock, on_started=ticker.wake)
    consumer = ExactlyOnceConsumer(kafka, parts.engine, handler, clock=parts.clock, on_commit=relay.wake)

    async def read() -> Mapping[int, datetime]:
        told = await consumer.read_to_end()
        return {number: at for (topic, number), at in told.items() if topic == HEALTH_ACCOUNTS.name}

    marker = FreshnessMarker(parts.transactions, parts.clock, read, every_s=1.0)
    alarm = TaskAlarm(parts.transactions, parts.clock, every_s=5.0)
    pruning = PostgresPruning(parts.engine, timedelta(days=settings.kept_days))
    return Engine(
        consumer,
        ticker,
        [
            Loop("consumer", consumer.run),
            Loop("freshness", marker.run),
            Loop("runs", ticker.run),
            Loop("calls", calls.run),
            Loop("snoozed", alarm.run),
            Loop("pruning", prune_poller(pruning, parts.clock).run),
        ],
    )


def routers_of(parts: Parts, ticker: RunTicker, relay: OutboxRelay) -> list[APIRouter]:
    """The HTTP doors."""
    reads = PostgresReads(parts.engine, parts.cache)
    desk = RunDesk(parts.transactions, parts.clock, ticker.wake)
    bulk = BulkDesk(parts.transactions, reads, parts.clock)
    managements = PostgresManagements(parts.engine)
    managing = Managing(managements, DefinitionDocuments(), parts.settings.endpoints, parts.clock)
    switching = Switching(managements, parts.clock, ticker.wake)
    return [
        create_definitions_router(managing, switching, definition_schema()),
        create_runs_router(reads),
        create_effect_router(PostgresEffects(parts.engine), PostgresFunnels(parts.engine), parts.clock),
        create_run_desk_router(desk, bulk),
        *_people(parts, ticker, relay),
        create_simulation_router(simulations_of(parts)),
    ]


def simulations_of(parts: Parts) -> SimulationDesk:
    """Simulations by the service's own rules over what it has stored."""
    reads = PostgresReads(parts.engine, parts.cache)
    lab = MemoryLab(rules_of(parts.settings))
    return SimulationDesk(lab, parts.transactions, reads, PostgresPast(parts.engine), parts.clock)


def _people(parts: Parts, ticker: RunTicker, relay: OutboxRelay) -> list[APIRouter]:
    """The doors for what people have to do, are asked, and have done."""

    def on_commit() -> None:
        relay.wake()
        ticker.wake()

    reads = PostgresDeskReads(parts.engine)
    calendar = working_calendar(parts.settings.calendar)
    tasks = TaskDesk(parts.transactions, parts.clock, calendar, on_commit)
    approvals = ApprovalDesk(parts.transactions, parts.clock, on_commit)
    return [
        create_tasks_router(reads, tasks, parts.clock),
        create_approvals_router(reads, approvals),
        create_audit_router(reads),
    ]
