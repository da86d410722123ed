"""Handing a level over: its jobs outlive the call, so a new message goes on with them.

A level can be under way in several deliveries at once: a message is delivered twice, or the sweeper sends one
for a run that is merely slow. Would each of them hand over, each of their messages would too, and they would
become more for as long as the level takes. So a hand-over is a claim.
"""

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import uuid4

from common.claims import ClaimJobs, claim
from common.runs.level_messages import LevelMessage
from common.runs.ports import LevelPublisher
from common.times import Clock

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handovers:
    """Sends one message for all deliveries that hand a level over within half a call's time.

    A call hands over at the end of its time, so the next one finds another window: a call that dies between
    claim and message leaves nothing that is taken for good, and the sweeper goes on with the run.
    """

    claims: ClaimJobs
    levels: LevelPublisher
    clock: Clock
    budget: timedelta

    def hand_over(self, message: LevelMessage) -> None:
        """Have a new message go on with the level, unless another delivery has just done so."""
        mine = {"tenant": message.run.tenant_id, "run": message.run.run_id, "delivery": uuid4().hex}
        if not claim(self.claims, self._job_id(message), mine).is_held_by(mine):
            logger.info("level is handed over by another delivery", extra={"level": message.level})
            return
        following = replace(message, continuation=message.continuation + 1)
        self.levels.publish_level(following)
        logger.info(
            "level handed over", extra={"level": message.level, "continuation": following.continuation}
        )

    def _job_id(self, message: LevelMessage) -> str:
        window = (self.clock() - message.run.started_at) // (self.budget / 2)
        return f"cvg-handover-{message.run.run_id}-{message.level}-{window}"
