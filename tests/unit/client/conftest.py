from collections.abc import Iterator

import pytest

from common.client import Api, Client, Key
from tests.unit.client.server import ScriptedPlatform, scripted_platform

KEY = "acme_api_AbCdEfGhIjKlMnOp"


@pytest.fixture
def platform() -> Iterator[ScriptedPlatform]:
    """Serve a platform whose answers the test lays down."""
    with scripted_platform() as served:
        yield served


@pytest.fixture
def pauses() -> list[float]:
    """Collect how long the client waited."""
    return []


@pytest.fixture
def api(platform: ScriptedPlatform, pauses: list[float]) -> Iterator[Api]:
    """Call the platform with acme's key; no pause takes any time."""
    made = Api(url=platform.url, key=Key.tenant(KEY), sleep=pauses.append)
    yield made
    made.session.close()


@pytest.fixture
def client(api: Api) -> Client:
    """Return acme's client."""
    return Client(api)
