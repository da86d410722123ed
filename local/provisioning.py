"""What Terraform makes in the cloud, made on the local servers: topics, pushes, the dispatcher's schedule."""

import os

import grpc
from google.api_core import exceptions as google
from google.cloud import pubsub_v1, scheduler_v1
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import CloudSchedulerGrpcTransport
from google.protobuf.duration_pb2 import Duration

from local.gateway import PRIVATE
from local.options import Options

DEAD_LETTERS = "dead-letters"
TOPICS = ("pipeline-levels", "run-requests", "run-events", DEAD_LETTERS)
PUSHES = {
    "pipeline-levels": ("run_level", 10),
    "run-requests": ("run_request", 5),
    "run-events": ("notify", 10),
}
"""Each topic that is pushed: to which function, and how often before it is a dead letter."""
LOCATION = "us-central1"


def provision_topics(project: str, gateway_url: str) -> None:
    """Make the topics, the push subscriptions and the operator's view of dead letters; keep existing ones.

    The push endpoints are set afresh, for the gateway may have moved to another port.
    """
    with pubsub_v1.PublisherClient() as publisher, pubsub_v1.SubscriberClient() as subscriber:
        for topic in TOPICS:
            _unless_there(publisher.create_topic, name=publisher.topic_path(project, topic))
        for topic, (function, attempts) in PUSHES.items():
            _provision_push(subscriber, project, topic, f"{gateway_url}{PRIVATE}/{function}", attempts)
        for reader in ("operator", "dispatcher"):
            _unless_there(
                subscriber.create_subscription,
                name=subscriber.subscription_path(project, f"{DEAD_LETTERS}-{reader}"),
                topic=publisher.topic_path(project, DEAD_LETTERS),
            )


def _provision_push(
    subscriber: pubsub_v1.SubscriberClient, project: str, topic: str, function_url: str, attempts: int
) -> None:
    # The topic in the URL is what the functions framework takes an event's source from.
    push = pubsub_v1.types.PushConfig(push_endpoint=f"{function_url}/projects/{project}/topics/{topic}")
    name = subscriber.subscription_path(project, f"{topic}-push")
    _unless_there(
        subscriber.create_subscription,
        request={
            "name": name,
            "topic": f"projects/{project}/topics/{topic}",
            "push_config": push,
            "ack_deadline_seconds": 600,
            "retry_policy": {"minimum_backoff": Duration(seconds=1), "maximum_backoff": Duration(seconds=60)},
            "dead_letter_policy": {
                "dead_letter_topic": f"projects/{project}/topics/{DEAD_LETTERS}",
                "max_delivery_attempts": attempts,
            },
        },
    )
    subscriber.modify_push_config(subscription=name, push_config=push)


def provision_scheduler(options: Options, gateway_url: str) -> None:
    """Let the dispatcher be called each minute."""
    channel = grpc.insecure_channel(os.environ["CLOUD_SCHEDULER_EMULATOR_HOST"])
    with scheduler_v1.CloudSchedulerClient(transport=CloudSchedulerGrpcTransport(channel=channel)) as client:
        parent = f"projects/{options.project}/locations/{LOCATION}"
        _unless_there(
            client.create_job,
            parent=parent,
            job={
                "name": f"{parent}/jobs/dispatcher",
                "schedule": "* * * * *",
                "time_zone": "Etc/UTC",
                "http_target": {"uri": f"{gateway_url}{PRIVATE}/dispatcher", "http_method": "POST"},
            },
        )


def _unless_there(create, **arguments) -> None:  # type: ignore[no-untyped-def]
    try:
        create(**arguments)
    except google.AlreadyExists:
        return
