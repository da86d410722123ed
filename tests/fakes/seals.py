"""Key rings for tests: the real seal, under keys that everybody knows."""

import base64
import json

from common.pipelines.secret_values import ParameterSeal
from common.tenants.encryption import Keyring, KeyringSeal


def a_ring(active: str, *names: str) -> Keyring:
    """Make a key ring of these keys; the first one seals."""
    keys = {name: base64.b64encode(name.encode() * 16).decode() for name in (active, *names)}
    return Keyring.read(json.dumps({"active": active, "keys": keys}))


def a_seal(active: str = "k1", *names: str) -> ParameterSeal:
    """Make the seal of a key ring."""
    return KeyringSeal(keyring=a_ring(active, *names))
