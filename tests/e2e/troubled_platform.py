"""`python -m tests.e2e.troubled_platform`: the platform, with deliveries as bad as Pub/Sub may make them."""

import sys
from functools import partial

from local import platform
from local.__main__ import serve
from local.options import options_from_environment
from local.pubsub import Disturbance, PubSubServer

TROUBLE = Disturbance(seed=1, duplicate=1.0, reorder=0.5, delay=0.5, delay_seconds=0.5)

if __name__ == "__main__":
    platform.PubSubServer = partial(PubSubServer, disturbance=TROUBLE)  # type: ignore[assignment,attr-defined]
    sys.exit(serve(options_from_environment()))
