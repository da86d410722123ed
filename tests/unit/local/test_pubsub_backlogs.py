"""The unacknowledged messages of one subscription, on a time that the test tells."""

from itertools import count

import pytest

from local.pubsub.backlogs import Backlog, Held
from local.pubsub.messages import Content, Message
from local.refusals import Refusal

LEASE_SECONDS = 10.0


class Desk:
    """A backlog, and short words for what tests do with it."""

    def __init__(self) -> None:
        self.backlog = Backlog()
        self._sequences = count(1)

    def add(self, name: str, *, due_at: float = 0.0, may_be_overtaken: bool = False) -> None:
        content = Content(data=name.encode(), attributes={})
        message = Message(id=name, published_at=0.0, content=content)
        held = Held(sequence=next(self._sequences), place=name, message=message, due_at=due_at)
        self.backlog.add(held, may_be_overtaken=may_be_overtaken)

    def lease(self, now: float = 0.0) -> Held:
        held = self.backlog.lease_next(now, LEASE_SECONDS)
        assert held
        return held

    def names(self, now: float = 0.0) -> list[str]:
        """Lease all that is due."""
        names = []
        while held := self.backlog.lease_next(now, LEASE_SECONDS):
            names.append(held.message.id)
        return names


def test_messages_go_out_in_the_order_in_which_they_came() -> None:
    desk = Desk()
    for name in ("a", "b", "c"):
        desk.add(name)
    assert desk.names() == ["a", "b", "c"]
    assert desk.backlog.leased == 3


def test_a_leased_message_goes_to_nobody_else() -> None:
    desk = Desk()
    desk.add("a")
    desk.lease()
    assert desk.names(now=9.9) == []


def test_a_message_that_is_not_due_waits() -> None:
    desk = Desk()
    desk.add("late", due_at=5.0)
    desk.add("now")
    assert desk.backlog.next_due_at() == 0.0
    assert desk.names() == ["now"]
    assert desk.backlog.next_due_at() == 5.0
    assert desk.names(now=5.0) == ["late"]


def test_a_postponed_message_goes_out_again_with_another_ack_id() -> None:
    desk = Desk()
    desk.add("a")
    first = desk.lease()
    first_ack_id = first.ack_id
    desk.backlog.postpone(first, 3.0)
    assert desk.backlog.find(first_ack_id) is None
    assert desk.names(now=2.9) == []
    assert desk.lease(now=3.0).ack_id != first_ack_id
    assert desk.backlog.find(first_ack_id) is None


def test_a_lease_ends_once_and_at_its_latest_deadline() -> None:
    desk = Desk()
    desk.add("a")
    held = desk.lease()
    desk.backlog.extend(held, 20.0)
    assert desk.backlog.next_expiry_at() == 20.0
    assert desk.backlog.next_expired(19.9) is None
    assert desk.backlog.next_expired(20.0) is held
    desk.backlog.postpone(held, 20.0)
    assert desk.backlog.next_expired(99.0) is None


def test_a_shortened_lease_ends_early() -> None:
    desk = Desk()
    desk.add("a")
    held = desk.lease()
    desk.backlog.extend(held, 1.0)
    assert desk.backlog.next_expired(1.0) is held


def test_a_removed_message_is_gone_for_good() -> None:
    desk = Desk()
    desk.add("a")
    held = desk.lease()
    desk.backlog.remove(held)
    assert len(desk.backlog) == 0
    assert desk.backlog.find(held.ack_id) is None
    assert desk.backlog.next_expired(99.0) is None
    assert desk.names(now=99.0) == []


@pytest.mark.parametrize("ack_id", ["", "1", "1-", "-1", "one-two", "1-1-1"])
def test_an_ack_id_of_another_form_is_refused(ack_id: str) -> None:
    with pytest.raises(Refusal, match="not an ack ID"):
        Desk().backlog.find(ack_id)


def test_a_message_that_may_be_overtaken_goes_out_behind_the_next_one() -> None:
    desk = Desk()
    desk.add("slow", due_at=0.2, may_be_overtaken=True)
    assert desk.names() == []
    desk.add("fast", due_at=0.1)
    assert desk.names(now=0.1) == ["fast", "slow"]


def test_a_message_that_nobody_overtakes_goes_out_in_the_end() -> None:
    desk = Desk()
    desk.add("slow", due_at=0.2, may_be_overtaken=True)
    assert desk.names(now=0.2) == ["slow"]
