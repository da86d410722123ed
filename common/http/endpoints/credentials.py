"""The tenant API of its credentials for its own clouds."""

from typing import Any

from common.errors import Conflict, NotConfigured, NotFound
from common.http.routing import Access, Answer, Call, Parameter, Place, Route
from common.http.services import TenantServices
from common.tenants.credentials import Provider, StoredCredential
from common.tenants.keys import Scope


def list_credentials(call: Call[TenantServices]) -> Answer:
    """List your credentials, without their secrets."""
    found = call.services.credentials.list(call.caller.tenant_id)
    return Answer(body={"credentials": [_credential(row) for row in found]})


def put_credential(call: Call[TenantServices]) -> Answer:
    """Keep a credential for your own cloud.

    It takes the place of the one with this ID. It is sealed before it is kept, and no answer ever shows it.
    The account of one for GCP is let into your dataset, to read and fill its tables, until you delete it.
    Such a credential takes a key with all scopes.
    """
    provider = Provider(call.body["provider"])
    if provider is Provider.GCP:
        # Who holds the account's key reads and writes as no scope of ours says.
        for scope in Scope:
            call.caller.require(scope)
    row, is_new = call.services.credentials.put(
        call.caller.tenant_id,
        call.path["credential_id"],
        provider,
        call.body["credentials"],
        call.caller.api_key_id,
    )
    return Answer(body=_credential(row), status=201 if is_new else 200)


def read_credential(call: Call[TenantServices]) -> Answer:
    """Show a credential, without its secret."""
    found = call.services.credentials.get(call.caller.tenant_id, call.path["credential_id"])
    return Answer(body=_credential(found))


def delete_credential(call: Call[TenantServices]) -> Answer:
    """Delete a credential."""
    caller = call.caller
    call.services.credentials.delete(caller.tenant_id, call.path["credential_id"], caller.api_key_id)
    return Answer(body=None, status=204)


def _credential(row: StoredCredential) -> dict[str, Any]:
    return {
        "credential_id": row.credential_id,
        "provider": row.provider.value,
        "account": row.account,
        "project_id": row.project_id,
        "key_version": row.key_version,
        "created_by": row.created_by,
        "created_at": row.created_at,
        "updated_at": row.recorded_at,
    }


CREDENTIAL_ID = Parameter(
    name="credential_id",
    place=Place.PATH,
    description="The credential's ID, of your choice.",
    schema={"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,62}$"},
    example="billing-export",
)
_PATH = "/api/v1/tenants/credentials/{credential_id}"

CREDENTIAL_ROUTES: tuple[Route[TenantServices], ...] = (
    Route(
        method="GET",
        path="/api/v1/tenants/credentials",
        endpoint=list_credentials,
        access=Access.MANAGE,
        answers={200: "credential_list"},
        tag="Credentials",
    ),
    Route(
        method="PUT",
        path=_PATH,
        endpoint=put_credential,
        access=Access.MANAGE,
        parameters=(CREDENTIAL_ID,),
        request_schema="credential_request",
        answers={200: "credential", 201: "credential"},
        problems=(Conflict, NotConfigured),
        tag="Credentials",
        is_audited=True,
        audited_members=("provider",),
    ),
    Route(
        method="GET",
        path=_PATH,
        endpoint=read_credential,
        access=Access.MANAGE,
        parameters=(CREDENTIAL_ID,),
        answers={200: "credential"},
        problems=(NotFound,),
        tag="Credentials",
    ),
    Route(
        method="DELETE",
        path=_PATH,
        endpoint=delete_credential,
        access=Access.MANAGE,
        parameters=(CREDENTIAL_ID,),
        answers={204: None},
        problems=(NotFound, Conflict),
        tag="Credentials",
        is_audited=True,
    ),
)
