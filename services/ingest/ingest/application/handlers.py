"""The use cases, all of which share what they remember and count; and the tables that are only read."""

from dataclasses import dataclass

from ingest.application.accept_events import AcceptEvents
from ingest.application.erase import Erase
from ingest.application.imports.importing import Importing
from ingest.application.imports.ports import Jobs
from ingest.application.intake import Intake
from ingest.application.rejection_views import RejectionReads
from ingest.application.release import Release
from ingest.application.replay import Replay
from ingest.application.source_health import SourceReads


@dataclass(frozen=True, slots=True, kw_only=True)
class Handlers:
    """What the doors call."""

    accept: AcceptEvents
    intake: Intake
    replay: Replay
    release: Release
    importing: Importing
    erase: Erase


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """What the doors look up."""

    jobs: Jobs
    rejections: RejectionReads
    sources: SourceReads
