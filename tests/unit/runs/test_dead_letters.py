"""A level whose message is given up fails its run with the cause."""

from collections.abc import Sequence

from common.runs.dead_letters import DeadLetter, DeadLetterHandler
from common.runs.level_messages import encode
from common.runs.run import RunStatus, StepStatus
from tests.unit.runs.examples import RUN_ID, a_message
from tests.unit.runs.test_levels import Platform


class Inbox:
    """`DeadLetterInbox` in memory."""

    def __init__(self, *letters: DeadLetter) -> None:
        self.letters = list(letters)

    def pull(self) -> Sequence[DeadLetter]:
        return list(self.letters)

    def acknowledge(self, letters: Sequence[DeadLetter]) -> None:
        self.letters = [letter for letter in self.letters if letter not in letters]


def handle(platform: Platform, inbox: Inbox) -> int:
    return DeadLetterHandler(inbox=inbox, worker=platform.worker).handle()


def a_letter() -> DeadLetter:
    return DeadLetter(data=encode(a_message()), reason="delivered 10 times", receipt="1")


def test_a_dead_level_message_fails_its_run_and_skips_its_steps() -> None:
    platform, inbox = Platform(), Inbox(a_letter())
    assert handle(platform, inbox) == 1
    assert platform.status is RunStatus.FAILED
    assert "level 1 could not be carried out: delivered 10 times" in platform.rows.current()[RUN_ID].error
    assert set(platform.step_states().values()) == {StepStatus.SKIPPED}
    assert inbox.letters == []


def test_a_run_that_has_completed_meanwhile_stays_completed() -> None:
    platform = Platform()
    platform.run_to_end(a_message())
    handle(platform, Inbox(a_letter()))
    assert platform.status is RunStatus.COMPLETED
    assert platform.step_states()["transform"] is StepStatus.COMPLETED


def test_a_letter_that_is_no_level_message_is_left_to_the_operator() -> None:
    platform, inbox = Platform(), Inbox(DeadLetter(data=b"?", reason="not JSON", receipt="1"))
    assert handle(platform, inbox) == 0
    assert inbox.letters == []
    assert platform.rows.run_rows == []
