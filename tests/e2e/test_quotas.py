"""The plan's limits, reached over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from google.cloud import pubsub_v1
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.options import DEFAULT_PROJECT
from tests.e2e.platforms import RunningPlatform
from tests.e2e.tenants import Answer, Tenant, query_step

LEVELS = f"projects/{DEFAULT_PROJECT}/subscriptions/pipeline-levels-push"


@contextmanager
def paused_levels(platform: RunningPlatform) -> Iterator[None]:
    """Let no level be delivered inside the block, as an operator would: runs keep their slots meanwhile."""
    channel = grpc.insecure_channel(platform.part("Pub/Sub"))
    with pubsub_v1.SubscriberClient(transport=SubscriberGrpcTransport(channel=channel)) as subscriber:
        push = subscriber.get_subscription(subscription=LEVELS).push_config
        subscriber.modify_push_config(subscription=LEVELS, push_config=pubsub_v1.types.PushConfig())
        try:
            yield
        finally:
            subscriber.modify_push_config(subscription=LEVELS, push_config=push)


def test_a_limit_tells_its_numbers_and_when_to_come_back(platform: RunningPlatform) -> None:
    run_service = Tenant.onboard(platform.url, plan="STARTER")
    run_service.upload("quick", query_step("a", "SELECT 1 AS one", "ones"))
    with paused_levels(platform):
        runs = [run_service.run("quick") for _ in range(3)]
        refused = run_service.ask("POST", "/api/v1/pipelines/run/quick", {})
        assert numbers(refused) == ("concurrent", 3, 3)
        assert int(refused.headers["Retry-After"]) == 60
        for run_id in runs[:2]:
            assert run_service.ask("POST", f"/api/v1/pipelines/cancel/{run_id}").status == 202
    ends = [run_service.ended(run_id)["status"] for run_id in runs]
    assert ends == ["CANCELLED", "CANCELLED", "COMPLETED"]

    for run_id in [run_service.run("quick") for _ in range(3)]:
        run_service.ended(run_id)
    refused = run_service.ask("POST", "/api/v1/pipelines/run/quick", {})
    assert numbers(refused) == ("daily", 6, 6)
    assert 60 < int(refused.headers["Retry-After"]) <= 24 * 3600
    assert run_service.ask("GET", "/api/v1/tenants/quota").body["daily"]["remaining"] == 0


def numbers(refused: Answer) -> tuple[str, int, int]:
    """Read which limit refused a run, and its numbers."""
    assert refused.status == 429
    assert refused.headers["Content-Type"] == "application/problem+json"
    return refused.body["limit_name"], refused.body["used"], refused.body["limit"]
