"""What stands on the key ring: tenants' credentials and secret parameters."""

from functools import cache
from typing import TYPE_CHECKING

from common.times import utc_now
from common.wiring import cloud

if TYPE_CHECKING:
    from common.pipelines.secret_values import ParameterSeal
    from common.tenants.credentials import Credentials
    from common.tenants.keyring import Keyring


@cache
def keyring() -> "Keyring":
    """Return the key ring; an empty one where this function is given none."""
    from common.tenants.keyring import Keyring

    return Keyring.read(cloud.settings().credentials_keyring)


@cache
def credentials() -> "Credentials":
    """Return what keeps credentials."""
    from common.tenants.credentials import Credentials
    from common.warehouse.credentials import CredentialRows

    return Credentials(store=CredentialRows(queries=cloud.queries()), keyring=keyring(), clock=utc_now)


@cache
def parameter_seal() -> "ParameterSeal":
    """Return what seals and opens secret parameters."""
    from common.pipelines.secret_values import NoSeal

    if not cloud.settings().credentials_keyring:
        return NoSeal()
    from common.tenants.parameter_seals import KeyringSeal

    return KeyringSeal(keyring=keyring())
