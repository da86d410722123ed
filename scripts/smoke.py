"""Run the production guide's commands against a platform, in order; say of each whether it did as documented.

Takes URL and ADMIN_API_KEY from the environment. Without a gateway each function has a URL of its own: put
`{function}` where its name stands (https://us-central1-my-project.cloudfunctions.net/convergence-{function}).
ONBOARDING_TOKEN where onboarding asks for one; where it is closed, the tenant is made with the admin key.
The tenant is removed at the end, its data with it.
"""

import hashlib
import json
import os
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.client import Answer, Api, ApiError, Call, Content, Key, Problem, follow
from common.client.following import Pace

ROOT = Path(__file__).resolve().parents[1]
PIPELINE = ROOT / "configs" / "setup" / "bq_etl_test.yml"
PACE = Pace(first_seconds=2.0, max_seconds=2.0, limit_seconds=300.0)
MAX_SHOWN_CHARACTERS = 500

type Json = dict[str, Any]


class SmokeError(Exception):
    """A step did not do as documented; the message says how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A platform to try, by its operator's key unless a call has another."""

    api: Api
    onboarding_token: str = ""
    tenant: str = field(default_factory=lambda: f"smoke_{secrets.token_hex(4)}")

    def call(self, method: str, path: str, expected: int, **call: Any) -> Json:
        """Call a path and return the answer; SmokeError where its status is another than expected."""
        status, answer = self.ask(method, path, **call)
        if status != expected:
            raise SmokeError(f"{method} {path} answered {status}, not {expected}: {_shown(answer)}")
        return answer

    def ask(
        self, method: str, path: str, *, key: str = "", body: bytes = b"", **query: str
    ) -> tuple[int, Json]:
        """Call a path, as the admin or with a tenant's key; return status and answer, a problem too."""
        call = Call(
            method=method,
            path=path,
            query=query,
            content=Content(data=body, content_type="application/json") if body else None,
            headers={} if key or not self.onboarding_token else {"X-Onboarding-Token": self.onboarding_token},
            key=Key.tenant(key) if key else None,
        )
        try:
            answer: Answer = self.api.send(call)
        except Problem as problem:
            return problem.status, dict(problem.members)
        except ApiError as error:
            raise SmokeError(str(error)) from error
        return answer.status, answer.body or {}


def smoke(platform: Platform, say: Callable[[str], None]) -> None:
    """Go through the guide: bootstrap, onboard, upload, run, follow, look back, revoke."""
    say(f"bootstrap: {platform.call('POST', '/admin/bootstrap', 200, body=b'{}')['message']}")
    key = _onboard(platform)
    say(f"onboard: {platform.tenant}")
    try:
        _try_pipelines(platform, key, say)
        _revoke(platform, key)
        say("revoke: the key is dead")
    finally:
        say(_remove(platform))


def _onboard(platform: Platform) -> str:
    tenant = _body(
        tenant_id=platform.tenant,
        company_name="Smoke test",
        admin_email="smoke@example.com",
        subscription_plan="STARTER",
    )
    status, answer = platform.ask("POST", "/api/v1/tenants/onboard", body=tenant)
    if status == 403:  # Onboarding is closed: operators make tenants.
        platform.call("POST", "/admin/tenants", 201, body=tenant)
        answer = platform.call("POST", "/admin/api-keys", 201, body=_body(tenant_id=platform.tenant))
    elif status != 201:
        raise SmokeError(f"POST /api/v1/tenants/onboard answered {status}: {_shown(answer)}")
    return str(answer["api_key"])


def _try_pipelines(platform: Platform, key: str, say: Callable[[str], None]) -> None:
    # `curl -d @file` takes the line breaks out, and the guide's command must work as it is printed.
    uploaded = PIPELINE.read_bytes().replace(b"\r", b"").replace(b"\n", b"")
    status, answer = platform.ask("POST", "/api/v1/pipelines/configs/bq_etl_test", key=key, body=uploaded)
    if status not in {200, 201}:
        raise SmokeError(f"the upload was answered with {status}: {_shown(answer)}")
    platform.call("GET", "/api/v1/pipelines/configs", 200, key=key)
    say("upload: bq_etl_test")
    begun = platform.call(
        "POST", "/api/v1/pipelines/run/bq_etl_test", 202, key=key, body=_body(date="2024-01-01")
    )
    say(f"run: {begun['pipeline_logging_id']}")
    say(f"status: {_follow(platform, key, begun['pipeline_logging_id'])}")
    platform.call("GET", "/api/v1/pipelines/history", 200, key=key)
    quota = platform.call("GET", "/api/v1/tenants/quota", 200, key=key)
    say(f"quota: {quota['daily']['used']} of {quota['daily']['limit']} runs today")
    platform.call("GET", f"/admin/tenants/{platform.tenant}", 200)


def _follow(platform: Platform, key: str, run: str) -> str:
    """Wait for the run's end; SmokeError where that is another than COMPLETED."""

    def look(_wait: float) -> Any:
        return platform.call("GET", f"/api/v1/pipelines/status/{run}", 200, key=key)

    try:
        *_, answer = follow(look, PACE)
    except ApiError as error:
        raise SmokeError(f"run {run}: {error}") from error
    if answer["status"] != "COMPLETED":
        raise SmokeError(f"run {run} is {answer['status']}: {answer.get('error_message')}")
    return str(answer["status"])


def _revoke(platform: Platform, key: str) -> None:
    digest = hashlib.sha256(key.encode()).hexdigest()
    platform.call("DELETE", f"/admin/api-keys/{digest}", 200)


def _remove(platform: Platform) -> str:
    status, _ = platform.ask("DELETE", f"/admin/tenants/{platform.tenant}", data="delete")
    if status == 200:
        return f"remove: {platform.tenant} and its data are gone"
    return f"remove: {platform.tenant} stays (DELETE /admin/tenants answered {status})"


def _body(**members: str) -> bytes:
    return json.dumps(members).encode()


def _shown(answer: Json) -> str:
    return json.dumps(answer)[:MAX_SHOWN_CHARACTERS]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Read the environment, run all steps, and return an exit code."""
    given = os.environ  # noqa: TID251 - a key among the arguments could be read by every user of the machine
    url, admin_key = given.get("URL", ""), given.get("ADMIN_API_KEY", "")
    try:
        api = Api(url=url, key=Key.operator(admin_key)) if admin_key else None
    except ValueError:
        api = None
    if api is None:
        sys.stderr.write("Give URL=https://... and ADMIN_API_KEY=...\n")
        return 2
    try:
        smoke(Platform(api=api, onboarding_token=given.get("ONBOARDING_TOKEN", "")), _say)
    except SmokeError as error:
        sys.stderr.write(f"smoke: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
