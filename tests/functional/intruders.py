"""Two tenants: one that attacks, and one that has all that is worth attacking, by IDs the attacker knows."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from werkzeug.test import TestResponse

from tests.functional.site import Site, Tenant, a_pipeline_file

CREDENTIAL = {"provider": "AWS", "credentials": {"secret_access_key": "an-access-key-of-the-victim"}}
YESTERDAY = {"start": "2024-01-01", "end": "2024-01-02"}
_sources = (f"198.51.{number // 250 % 250}.{number % 250 + 1}" for number in count())


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """The attacker, the victim, and the victim's IDs by the names of path parameters."""

    attacker: Tenant
    victim: Tenant
    their: dict[str, str]

    def words(self) -> dict[str, str]:
        """Return what the places of the data file stand for."""
        return {
            "own": self.attacker.tenant_id,
            "other": self.victim.tenant_id,
            "key": self.attacker.key,
            "secret": self.attacker.key[-16:],
            "own_config": "harmless",
            "their_config": self.their["config_id"],
            "their_run": self.their["pipeline_logging_id"],
            "their_key_id": self.their["api_key_id"],
            "their_backfill": self.their["backfill_id"],
            "their_credential": self.their["credential_id"],
            "their_hash": hashlib.sha256(self.victim.key.encode()).hexdigest(),
        }

    def state_of_victim(self) -> str:
        """Write down all that the victim has, as it sees it itself."""
        seen = [
            self.victim.call("GET", "/api/v1/pipelines/configs"),
            self.victim.call("GET", f"/api/v1/pipelines/status/{self.their['pipeline_logging_id']}"),
            self.victim.call("GET", f"/api/v1/pipelines/backfills/{self.their['backfill_id']}"),
            self.victim.own("GET", "/api/v1/tenants/credentials"),
            self.victim.call("GET", "/api/v1/pipelines/tables/treasured/rows"),
        ]
        keys = self.victim.own("GET", "/api/v1/tenants/keys").get_json()["api_keys"]
        ends = [(key["api_key_id"], key["is_active"], key["expires_at"]) for key in keys]
        return "\n".join([*(answer.text for answer in seen), str(ends)])


def a_duel(site: Site, names: Iterator[str]) -> Duel:
    """Onboard both, and give the victim a config, a backfill and its run, a credential and its key."""
    attacker, victim = site.onboard(next(names)), site.onboard(next(names))
    assert attacker.upload("harmless", a_pipeline_file({"a": "SELECT 1 AS n"})).status_code == 201
    assert victim.upload("treasure", a_pipeline_file({"treasured": "SELECT 1 AS n"})).status_code == 201
    assert victim.own("PUT", "/api/v1/tenants/credentials/cloud", CREDENTIAL).status_code == 201
    key_id = victim.own("GET", "/api/v1/tenants/keys").get_json()["api_keys"][0]["api_key_id"]
    backfill = victim.call("POST", "/api/v1/pipelines/backfill/treasure", YESTERDAY)
    assert backfill.status_code == 202, backfill.text
    (run,) = victim.call("GET", "/api/v1/pipelines/history").get_json()["runs"]
    site.drain()
    their = {
        "backfill_id": backfill.get_json()["backfill_id"],
        "config_id": "treasure",
        "pipeline_logging_id": run["pipeline_logging_id"],
        "api_key_id": key_id,
        "credential_id": "cloud",
        "tenant_id": victim.tenant_id,
        "table": "treasured",
    }
    return Duel(attacker=attacker, victim=victim, their=their)


def ask(site: Site, function: str, line: str, headers: dict[str, str], **more: Any) -> TestResponse:
    """Send a request from an address of its own, so that nobody is slowed down for another's guesses."""
    method, _, path = line.partition(" ")
    sent = {"X-Forwarded-For": next(_sources)} | headers
    answer: TestResponse = site.functions[function].open(path, method=method, headers=sent, **more)
    return answer
