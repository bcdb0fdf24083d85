"""The use cases put together from their parts, over whatever keeps tables and publishes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from csm_common.clock import Clock
from ingest.adapters.configuration import Configuration
from ingest.application import cloud_event
from ingest.application.accept_events import AcceptEvents
from ingest.application.erase import Archive, Erase
from ingest.application.examine import Examiner
from ingest.application.facts import Facts
from ingest.application.handlers import Handlers
from ingest.application.imports.importing import Importing
from ingest.application.imports.parking import FORMAT as LINES
from ingest.application.imports.parking import LineParking
from ingest.application.imports.patience import Patience
from ingest.application.imports.ports import Jobs
from ingest.application.imports.reader import line_reader
from ingest.application.imports.run import Surroundings
from ingest.application.incoming import Reader
from ingest.application.intake import Intake
from ingest.application.personal import personal_data
from ingest.application.plans import Plans
from ingest.application.ports import Publisher, Store
from ingest.application.recent import Recent
from ingest.application.release import Release
from ingest.application.replay import Replay
from ingest.application.sdk import posthog, segment
from ingest.application.sdk.rules import Rules
from ingest.application.settlement import Settlement
from ingest.application.sources import SourceTally
from ingest.application.tallying import Tallying
from ingest.application.understanding import Understanding
from ingest.application.webhooks.connections import Connection
from ingest.application.webhooks.connections import readers as webhook_readers
from ingest.settings import DoorSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the use cases lean on; `wake` is called when the outbox has something new."""

    store: Store
    jobs: Jobs
    archive: Archive
    publisher: Publisher
    clock: Clock
    tally: SourceTally
    connections: Mapping[str, Connection]
    environment: Mapping[str, str]
    wake: Callable[[], None] = lambda: None


def create_handlers(settings: DoorSettings, configuration: Configuration, parts: Parts) -> Handlers:
    """The use cases over whatever keeps tables and publishes."""
    recent, tallying = Recent(settings.remembered_ids), Tallying(parts.tally)
    privacy = personal_data(configuration.personal_data, parts.environment)
    late_after = timedelta(seconds=settings.late_after_s)
    examiner = Examiner(Plans(configuration.plans), privacy, parts.tally, late_after)
    facts = Facts(examiner)
    understanding = Understanding(_readers(configuration, parts.connections), facts)
    settlement = Settlement(facts, recent, timedelta(seconds=settings.hold_for_s))
    shared = (parts.store, parts.publisher, recent, tallying, parts.clock, parts.wake)
    accept = AcceptEvents(examiner, *shared)
    parking, patience = LineParking(parts.store, parts.tally), Patience(settings.imports.patience_s)
    imports = Surroundings(accept, parts.jobs, parking, parts.clock, settings.imports, patience)
    return Handlers(
        accept=accept,
        intake=Intake(understanding, settlement, *shared),
        replay=Replay(understanding, settlement, parts.store, parts.clock, parts.wake),
        release=Release(settlement, parts.store, parts.clock, parts.wake),
        importing=Importing(imports),
        erase=Erase(parts.archive, parts.clock, parts.wake),
    )


def _readers(configuration: Configuration, connections: Mapping[str, Connection]) -> dict[str, Reader]:
    rules = Rules(configuration.sdk)
    return {
        cloud_event.FORMAT: cloud_event.read_cloud_event,
        segment.FORMAT: segment.SegmentReader(rules),
        posthog.FORMAT: posthog.PosthogReader(rules),
        LINES: line_reader(cloud_event.read_cloud_event),
        **webhook_readers(connections),
    }
