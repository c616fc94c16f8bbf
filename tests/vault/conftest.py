from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from synthcity.settings import Settings
from synthcity.vault.s3 import S3Vault
from tests.standins.hippius import BUCKET, Running, client, running_hippius


@pytest.fixture(scope="session")
def _server() -> Iterator[Running]:
    with running_hippius() as server:
        client(server).create_bucket(Bucket=BUCKET)
        yield server


@pytest.fixture
def hippius(_server: Running) -> Running:
    """A running stand-in that does nothing wrong yet, with its bucket."""
    _server.script(page=1000, absent_seconds=5.0, upload_age_seconds=0.0, canaries=[])
    return _server


@pytest.fixture
def bucket(hippius: Running, request: pytest.FixtureRequest) -> Callable[..., S3Vault]:
    """Makes a vault below a prefix of the test's own."""
    prefix = f"tests/{abs(hash(request.node.nodeid))}"

    def make(**options: object) -> S3Vault:
        return S3Vault(BUCKET, prefix, Settings.load(hippius.environment), **options)

    return make
