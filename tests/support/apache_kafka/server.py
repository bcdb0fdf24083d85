"""One KRaft node, broker and controller at once, on free loopback ports."""

import signal
import subprocess
from pathlib import Path

from tests.support.apache_kafka.jars import jars
from tests.support.ports import free_port

from csm_cli.stack.child import HOST, Child, accepts
from csm_cli.stack.home import Home
from csm_cli.stack.server import Server

_CLUSTER = "Y3NtLXRlc3RzLWNsdXN0ZXI"
_PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=CLIENT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=CLIENT://{host}:{port}
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLIENT
controller.listener.names=CONTROLLER
log.dirs={logs}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""
# A heap and a compiler for a process that lives a minute.
_JAVA = ["java", "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
_JAVA += ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]


class ApacheKafka(Server):
    """A node whose records are in HOME/kafka; they outlive a restart of the process."""

    def __init__(self, home: Path) -> None:
        self.port = free_port()
        self.bootstrap = f"{HOST}:{self.port}"
        place = Home(home)
        self._logs = place.path / "kafka"
        self._properties = place.path / "server.properties"
        self._java = [*_JAVA, "-cp", f"{jars()}/*"]
        command = [*self._java, "kafka.Kafka", str(self._properties)]
        child = Child(
            "broker",
            command,
            home=place,
            ready=lambda: accepts(self.port),
            stop_signal=signal.SIGKILL,  # a lone node asked nicely looks long for another to hand over to
        )
        super().__init__(place, child)

    def prepare(self) -> None:
        """Write the configuration and format the storage, as every KRaft node needs it once."""
        text = _PROPERTIES.format(
            host=HOST, port=self.port, controller=free_port(), logs=self._logs.as_posix()
        )
        self._properties.write_text(text, encoding="utf-8")
        subprocess.run(
            [*self._java, "kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", str(self._properties)],
            check=True,
            capture_output=True,
        )
