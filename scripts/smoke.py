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
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parents[1]
PIPELINE = ROOT / "configs" / "setup" / "bq_etl_test.yml"
FUNCTIONS = {"/admin": "admin", "/api/v1/tenants": "onboarding", "/api/v1/pipelines": "pipelines"}
ENDS = {"COMPLETED", "FAILED", "CANCELLED"}
RUN_SECONDS = 300

type Json = dict[str, Any]


class SmokeError(Exception):
    """A step did not do as documented; the message says how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A platform to try: where it is, and its operator's key."""

    url: str
    admin_key: str
    onboarding_token: str = ""
    tenant: str = field(default_factory=lambda: f"smoke_{secrets.token_hex(4)}")

    def call(self, method: str, path: str, expected: int, **call: Any) -> Json:
        """Call a path and return the answer; SmokeError where its status is another than expected."""
        status, answer = self.ask(method, path, **call)
        if status != expected:
            raise SmokeError(f"{method} {path} answered {status}, not {expected}: {json.dumps(answer)[:500]}")
        return answer

    def ask(self, method: str, path: str, *, key: str = "", body: bytes = b"") -> tuple[int, Json]:
        """Call a path, as the admin or with a tenant's key; return status and answer."""
        headers = {"Content-Type": "application/json", **self._keys(key)}
        request = Request(self._url(path), data=body or None, headers=headers, method=method)  # noqa: S310
        try:
            with urlopen(request, timeout=60) as answer:  # noqa: S310 - main() has checked the scheme
                return answer.status, json.loads(answer.read() or b"{}")
        except HTTPError as refusal:
            return refusal.code, _problem(refusal.read())
        except URLError as error:
            raise SmokeError(f"{self._url(path)} cannot be reached: {error.reason}") from error

    def _keys(self, key: str) -> dict[str, str]:
        if key:
            return {"X-API-Key": key}
        token = {"X-Onboarding-Token": self.onboarding_token} if self.onboarding_token else {}
        return {"X-Admin-Key": self.admin_key, **token}

    def _url(self, path: str) -> str:
        name = next((function for root, function in FUNCTIONS.items() if path.startswith(root)), "pipelines")
        return self.url.replace("{function}", name).rstrip("/") + path


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
        raise SmokeError(f"POST /api/v1/tenants/onboard answered {status}: {json.dumps(answer)[:500]}")
    return str(answer["api_key"])


def _try_pipelines(platform: Platform, key: str, say: Callable[[str], None]) -> None:
    # `curl -d @file` takes the line breaks out, and the guide's command must work as it is printed.
    uploaded = PIPELINE.read_bytes().replace(b"\r", b"").replace(b"\n", b"")
    status, answer = platform.ask("POST", "/api/v1/pipelines/configs/bq_etl_test", key=key, body=uploaded)
    if status not in {200, 201}:
        raise SmokeError(f"the upload was answered with {status}: {json.dumps(answer)[:500]}")
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
    deadline = time.monotonic() + RUN_SECONDS
    while time.monotonic() < deadline:
        answer = platform.call("GET", f"/api/v1/pipelines/status/{run}", 200, key=key)
        if answer["status"] in ENDS:
            break
        time.sleep(2)
    if answer["status"] != "COMPLETED":
        raise SmokeError(f"run {run} is {answer['status']}: {answer.get('error_message')}")
    return str(answer["status"])


def _revoke(platform: Platform, key: str) -> None:
    digest = hashlib.sha256(key.encode()).hexdigest()
    platform.call("DELETE", f"/admin/api-keys/{digest}", 200)


def _remove(platform: Platform) -> str:
    status, _ = platform.ask("DELETE", f"/admin/tenants/{platform.tenant}?data=delete")
    if status == 200:
        return f"remove: {platform.tenant} and its data are gone"
    return f"remove: {platform.tenant} stays (DELETE /admin/tenants answered {status})"


def _body(**members: str) -> bytes:
    return json.dumps(members).encode()


def _problem(raw: bytes) -> Json:
    try:
        return dict(json.loads(raw))
    except ValueError:
        return {"detail": raw[:200].decode(errors="replace")}


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Read the environment, run all steps, and return an exit code."""
    given = os.environ  # noqa: TID251 - a key among the arguments could be read by every user of the machine
    url, admin_key = given.get("URL", ""), given.get("ADMIN_API_KEY", "")
    if urlsplit(url).scheme not in {"http", "https"} or not admin_key:
        sys.stderr.write("Give URL=https://... and ADMIN_API_KEY=...\n")
        return 2
    platform = Platform(url=url, admin_key=admin_key, onboarding_token=given.get("ONBOARDING_TOKEN", ""))
    try:
        smoke(platform, _say)
    except SmokeError as error:
        sys.stderr.write(f"smoke: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
