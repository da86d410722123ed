"""A level that outlives its call goes on by one message, however many deliveries of it are under way."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from common.claims import Claim
from common.errors import Unavailable
from common.runs.handovers import Handovers
from common.runs.level_messages import LevelMessage
from tests.fakes.clock import VirtualClock
from tests.fakes.jobs import MemoryJobs
from tests.fakes.runs import MemoryLevels
from tests.unit.runs.examples import a_message

BUDGET = timedelta(minutes=8)


class Deliveries:
    """Deliveries of one level that come to the end of their time."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.jobs = MemoryJobs(self.clock)
        self.levels = MemoryLevels()
        self.handovers = Handovers(claims=self.jobs, levels=self.levels, clock=self.clock, budget=BUDGET)

    def taken(self) -> list[LevelMessage]:
        return [self.levels.take() for _ in range(len(self.levels.sent))]


@pytest.fixture
def deliveries() -> Deliveries:
    deliveries = Deliveries()
    deliveries.clock.advance(BUDGET)
    return deliveries


def test_five_deliveries_hand_over_by_one_message(deliveries: Deliveries) -> None:
    for _ in range(5):
        deliveries.handovers.hand_over(a_message())
        deliveries.clock.advance(timedelta(seconds=10))
    assert [message.continuation for message in deliveries.taken()] == [1]


def test_a_message_of_the_sweepers_does_not_make_them_two(deliveries: Deliveries) -> None:
    deliveries.handovers.hand_over(a_message(continuation=3))
    deliveries.handovers.hand_over(a_message(continuation=1))
    assert [message.continuation for message in deliveries.taken()] == [4]


def test_the_next_call_hands_over_again(deliveries: Deliveries) -> None:
    for continuation in range(3):
        deliveries.handovers.hand_over(a_message(continuation=continuation))
        deliveries.clock.advance(BUDGET - timedelta(seconds=5))
    assert [message.continuation for message in deliveries.taken()] == [1, 2, 3]


def test_levels_hand_over_each_for_itself(deliveries: Deliveries) -> None:
    for level in (1, 2):
        deliveries.handovers.hand_over(a_message(level=level))
    assert [message.level for message in deliveries.taken()] == [1, 2]


def test_a_claim_whose_message_could_not_be_sent_holds_back_no_later_one(deliveries: Deliveries) -> None:
    def out_of_reach(point: str) -> None:
        raise Unavailable(point)

    deliveries.levels.at = out_of_reach
    with pytest.raises(Unavailable):
        deliveries.handovers.hand_over(a_message())
    deliveries.levels.at = lambda point: None
    deliveries.clock.advance(BUDGET)
    deliveries.handovers.hand_over(a_message())
    assert len(deliveries.taken()) == 1


def test_a_lost_answer_to_the_claim_is_not_taken_for_another_deliverys(deliveries: Deliveries) -> None:
    insert = deliveries.jobs.insert_claim

    def insert_twice(job_id: str, labels: Mapping[str, str]) -> Claim:
        insert(job_id, labels)
        return insert(job_id, labels)

    deliveries.jobs.insert_claim = insert_twice  # type: ignore[method-assign]
    deliveries.handovers.hand_over(a_message())
    assert len(deliveries.taken()) == 1
