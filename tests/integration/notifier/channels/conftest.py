"""HTTP out to receivers on loopback, which is allowed here by name of its network."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.integration.notifier.channels.receiver import Receiver

from notifier.adapters.outbound import Outbound
from notifier.domain.public_addresses import AddressRules

LOOPBACK = AddressRules.parse(["127.0.0.0/8"])


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """One that answers 200 unless told otherwise."""
    async with Receiver().listening() as receiver:
        yield receiver


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    """With plenty of time."""
    async with Outbound(LOOPBACK) as outbound:
        yield outbound


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 and hooks.example that vouches for itself, and its key, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is needed to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    file, public = folder / "certificate.pem", folder / "public.pem"
    names = "subjectAltName=IP:127.0.0.1,DNS:hooks.example"
    make = f"openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=mail.test -addext {names}"
    subprocess.run([*make.split(), "-keyout", file, "-out", public], check=True, capture_output=True)
    file.write_text(file.read_text() + public.read_text())
    return file
