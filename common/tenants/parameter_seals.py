"""Values of secret parameters, sealed under the key ring (`common.pipelines.secret_values.ParameterSeal`)."""

import base64
import binascii
import json
from dataclasses import dataclass

from common.pipelines.pipeline import ParameterValue, SealedValue
from common.pipelines.secret_values import Owner, Unopened
from common.tenants.keyring import BrokenSeal, Keyring, Kind, Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyringSeal:
    """Seals for one parameter of one config of one tenant; a retry opens what its run was given."""

    keyring: Keyring

    def seal(self, owner: Owner, value: ParameterValue) -> SealedValue:
        """Seal a value under the active key; NotConfigured where there is none."""
        sealed = self.keyring.seal(json.dumps(value).encode(), *_names(owner), kind=Kind.PARAMETER)
        return SealedValue(key_version=sealed.key_version, data=base64.b64encode(sealed.data).decode())

    def open(self, owner: Owner, sealed: SealedValue) -> ParameterValue:
        """Open what was sealed for this owner; Unopened."""
        try:
            data = base64.b64decode(sealed.data, validate=True)
            opened = self.keyring.open(
                Sealed(key_version=sealed.key_version, data=data), *_names(owner), kind=Kind.PARAMETER
            )
        except (BrokenSeal, binascii.Error) as error:
            raise Unopened(str(error)) from None
        value: ParameterValue = json.loads(opened)
        return value


def _names(owner: Owner) -> tuple[str, str, str]:
    return owner.tenant_id, owner.config_id, owner.parameter
