"""What tells people of runs, on the ADAPTERS."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from common.times import utc_now
from common.wiring import ACCOUNTS, ADAPTERS
from common.wiring.services import new_id

if TYPE_CHECKING:
    from common.notifications.notifier import Notifier
    from common.schedules.lateness import LatePipelines


@cache
def notifier() -> Notifier:
    """Put together what the function `notify` stands on; it alone reaches strangers' addresses."""
    from common.notifications.destinations import Destinations
    from common.notifications.notifier import Notifier
    from common.notifications.senders import Sender
    from common.notifications.subscriptions import FileSubscribers

    destinations = Destinations(allows_loopback=ADAPTERS.settings.notices_reach_loopback)
    return Notifier(
        subscribers=FileSubscribers(configs=ADAPTERS.config_rows),
        runs=ADAPTERS.run_view_rows,
        secrets=ACCOUNTS.credential_opener,
        sender=Sender(destinations=destinations, clock=utc_now),
        claims=ADAPTERS.claims,
        clock=utc_now,
        new_id=new_id,
    )


@cache
def late_pipelines() -> LatePipelines:
    """Put together what tells the dispatcher's minute who is late."""
    from common.schedules.lateness import LatePipelines

    return LatePipelines(
        reader=ADAPTERS.following_rows,
        claims=ADAPTERS.claims,
        announcer=ADAPTERS.announcer,
        is_paused=ADAPTERS.schedule_rows.is_paused,
        clock=utc_now,
    )
