"""What all tiers share: the fixtures of tests/support, and a marker for each tier."""

from pathlib import Path

import pytest
import structlog

# Into the standard library's logging, which pytest captures; the service's own set-up would take its handlers away.
structlog.configure(
    processors=[
        structlog.stdlib.add_logger_name,
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(key_order=["event"]),
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
)

pytest_plugins = ["tests.support.postgres", "tests.support.brokers"]

_HERE = Path(__file__).parent
_TIERS = ("unit", "integration", "e2e")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test with its tier, the name of its directory."""
    for item in items:
        tier = item.path.relative_to(_HERE).parts[0]
        if tier in _TIERS:
            item.add_marker(tier)
