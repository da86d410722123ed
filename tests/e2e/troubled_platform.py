"""`python -m tests.e2e.troubled_platform`: the platform, with deliveries as bad as Pub/Sub may make them.

BigQuery's streaming learns late of the tables that bootstrap makes; Pub/Sub's push window is always there.
"""

import sys
from functools import partial
from typing import Any

from local import platform
from local.bigquery import LocalBigQuery
from local.options import options_from_environment
from local.pubsub import Disturbance, PubSubServer
from local.running import serve

TROUBLE = Disturbance(seed=1, duplicate=1.0, reorder=0.5, delay=0.5, delay_seconds=0.5)

STREAMING_DELAY_SECONDS = 5.0


def late_bigquery(**given: Any) -> LocalBigQuery:
    """Make the local BigQuery with this habit of the real one's."""
    bigquery = LocalBigQuery(**given)
    bigquery.streaming_delay.is_on, bigquery.streaming_delay.seconds = True, STREAMING_DELAY_SECONDS
    return bigquery


if __name__ == "__main__":
    platform.LocalBigQuery = late_bigquery  # type: ignore[assignment,attr-defined]
    platform.PubSubServer = partial(PubSubServer, disturbance=TROUBLE)  # type: ignore[assignment,attr-defined]
    sys.exit(serve(options_from_environment()))
