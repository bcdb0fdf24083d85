"""ingest's configuration file, read as ingest will read it, before a stack is started with it."""

from collections.abc import Mapping
from pathlib import Path

from csm_common.errors import CsmError, FatalError


def check_ingest_config(path: Path, environment: Mapping[str, str]) -> None:
    """FatalError with every mistake in the file, or with a secret that the environment does not have."""
    # Here, for a machine that only sends or administers has this command without the services.
    from ingest.adapters.configuration import load
    from ingest.application.personal import personal_data
    from ingest.application.webhooks.connections import connect

    try:
        configuration = load(path)
        connect(configuration.webhooks, environment)
        personal_data(configuration.personal_data, environment)
    except CsmError as error:
        raise FatalError(f"--ingest-config: {error.message}") from error
