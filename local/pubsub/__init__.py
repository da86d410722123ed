"""Serve Pub/Sub inside this process: pushes, retry, dead letters, ordering, and trouble on purpose.

Otherwise than in the cloud, messages are kept until they are acknowledged, however old; subscriptions never
expire; how a failure closes the push window is a guess (`windows`); of an ordering key one message is out at
a time, for pull too; pushes carry no OIDC token. Refused are exactly-once delivery, exports, transforms,
unwrapped pushes; there are no topic updates, snapshots or seek.
"""

from local.pubsub.clock import ManualClock, SystemClock
from local.pubsub.disturbances import Disturbance
from local.pubsub.server import PubSubServer
from local.pubsub.subscriptions import Counts

__all__ = ["Counts", "Disturbance", "ManualClock", "PubSubServer", "SystemClock"]
