"""Serve what the platform uses of Pub/Sub in this process: pushes, retry, dead letters, trouble on purpose.

Otherwise than in the cloud, messages are kept until they are acknowledged, however old; subscriptions never
expire; how a failure closes the push window is a guess (`windows`); pushes carry no OIDC token. Anything else
is refused, never ignored: ordering, filters, exactly-once delivery, exports, snapshots, streaming pull,
updates other than of the push endpoint. Topics stay; lists of what there is are not served.
"""

from local.pubsub.clock import ManualClock, SystemClock
from local.pubsub.disturbances import Disturbance
from local.pubsub.server import PubSubServer
from local.pubsub.subscriptions import Counts

__all__ = ["Counts", "Disturbance", "ManualClock", "PubSubServer", "SystemClock"]
