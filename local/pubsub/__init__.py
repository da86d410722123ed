"""Serve Pub/Sub inside this process: pushes, retry, dead letters, ordering, and trouble on purpose."""

from local.pubsub.clock import ManualClock, SystemClock
from local.pubsub.disturbances import Disturbance
from local.pubsub.server import PubSubServer
from local.pubsub.subscriptions import Counts

__all__ = ["Counts", "Disturbance", "ManualClock", "PubSubServer", "SystemClock"]
