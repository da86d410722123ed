"""What onboarding takes and answers, whoever asks for it."""

from collections.abc import Mapping
from typing import Any

from common.http.calls import Answer, Edge
from common.http.links import tenant_links
from common.http.schemas import schemas
from common.tenants.checks import OnboardingRequest
from common.tenants.onboarding import Onboarded


def onboarding_request(body: Mapping[str, Any]) -> OnboardingRequest:
    """Read a `tenant_request`; the rest of its rules are the domain's."""
    defaults = schemas()["tenant_request"]["properties"]
    return OnboardingRequest(
        tenant_id=body["tenant_id"],
        company_name=body["company_name"],
        admin_email=body["admin_email"],
        subscription_plan=body.get("subscription_plan", defaults["subscription_plan"]["default"]),
    )


def onboarded_answer(edge: Edge, onboarded: Onboarded) -> Answer:
    """Answer with the new tenant and, this once, its key."""
    body = {
        "tenant_id": onboarded.tenant_id,
        "api_key": onboarded.key.text,
        "subscription_plan": onboarded.plan.name,
        "dataset_created": onboarded.dataset_created,
        "tables_created": list(onboarded.tables_created),
        "dryrun_status": "SUCCESS",
        "message": f"{onboarded.tenant_id} is onboarded; keep the API key, it is shown only once",
        "links": tenant_links(edge),
    }
    return Answer(body=body, status=201)
