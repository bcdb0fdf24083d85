"""What must be true before anything is started: each check says in one sentence what is wrong and what to do."""

import os
import shutil
import socket

from csm_cli.stack.child import HOST
from csm_cli.stack.home import Home
from csm_cli.stack.ingest_config import check_ingest_config
from csm_cli.stack.options import Options
from csm_common.errors import FatalError

FREE_BYTES = 200 * 1024 * 1024  # a new database takes 60 MB; the rest is its log and room to run
DSN = "postgresql://"


def check(options: Options) -> None:
    """FatalError with the first thing that stands in the way of a stack with these options."""
    _check_room(options.home)
    if options.ingest_config:
        check_ingest_config(options.ingest_config, os.environ)
    if options.postgres and not options.postgres.startswith(DSN):
        raise FatalError(f"--postgres takes a DSN such as {DSN}postgres:secret@localhost/postgres.")
    if options.kafka:
        _check_kafka(options.kafka)
    given = {"postgres": options.postgres, "broker": options.kafka}
    for name, port in options.ports.as_dict().items():
        if not given.get(name):
            _check_free(name, port)


def _check_room(home: Home) -> None:
    free = shutil.disk_usage(home.path).free
    if free < FREE_BYTES:
        raise FatalError(
            f"The disk of {home.path} is full: {free >> 20} MB are left and {FREE_BYTES >> 20} MB needed."
            " Free some space, or choose another --home."
        )


def _check_kafka(bootstrap: str) -> None:
    """One broker that answers is enough: it names the others."""
    reason = ""
    for address in bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            return socket.create_connection((host, int(port)), timeout=3).close()
        except (OSError, ValueError) as error:
            reason = str(error)
    raise FatalError(
        f"No Kafka answers at {bootstrap} ({reason}): --kafka takes HOST:PORT, or several with commas."
    )


def _check_free(name: str, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as the servers: a closed port is free at once
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise FatalError(
                f"Port {port} for {name} cannot be used ({error.strerror}):"
                " end the program that holds it, or choose others with --port-base."
            ) from error
