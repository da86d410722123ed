"""The key ring, and the seal of secret parameters that stands on it."""

from functools import cache
from typing import TYPE_CHECKING

from common.wiring import cloud

if TYPE_CHECKING:
    from common.pipelines.secret_values import ParameterSeal
    from common.tenants.encryption import Keyring


@cache
def keyring() -> "Keyring":
    """Return the key ring, or the half of it that seals; an empty one where this function is given none."""
    from common.tenants.encryption import Keyring

    read = cloud.settings()
    return Keyring.read(read.credentials_keyring or read.credentials_public_keys)


@cache
def parameter_seal() -> "ParameterSeal":
    """Return what seals and opens secret parameters."""
    from common.pipelines.secret_values import NoSeal

    if not keyring().active:
        return NoSeal()
    from common.tenants.encryption import KeyringSeal

    return KeyringSeal(keyring=keyring())
