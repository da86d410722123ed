"""A level whose message is given up fails its run with the cause; what strangers write there fails none."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from common.errors import Unavailable
from common.runs.dead_letters import DeadLetter, DeadLetterHandler
from common.runs.level_messages import SIGNATURE, LevelKeys, LevelMessage, encode
from common.runs.ports import ConfigText
from common.runs.progress import OpenRun
from common.runs.run import RunStatus, StepStatus
from tests.fakes.clock import VirtualClock
from tests.fakes.runs import MemoryProgress, MemoryTenant
from tests.unit.runs.examples import RUN_ID, a_message, a_run
from tests.unit.runs.test_levels import Platform

FORWARDED = {
    "CloudPubSubDeadLetterSourceSubscription": "pipeline-levels-push",
    "CloudPubSubDeadLetterSourceSubscriptionProject": "acme-data",
    "CloudPubSubDeadLetterSourceDeliveryCount": "10",
}


class Inbox:
    """`DeadLetterInbox` in memory."""

    def __init__(self, *letters: DeadLetter) -> None:
        self.letters = list(letters)

    def pull(self) -> Sequence[DeadLetter]:
        return list(self.letters)

    def acknowledge(self, letters: Sequence[DeadLetter]) -> None:
        self.letters = [letter for letter in self.letters if letter not in letters]


class Progress(MemoryProgress):
    """Progress of which that of some runs cannot be read now."""

    unreadable: str = ""

    def find(self, tenant_id: str, run_id: str, now: datetime) -> OpenRun | None:
        if run_id == self.unreadable:
            raise Unavailable("no answer")
        return super().find(tenant_id, run_id, now)


def a_platform() -> Platform:
    """Return a platform with the run of `a_message` under way."""
    platform = Platform()
    config = ConfigText(config_id="daily", version=1, text="")
    platform.rows.tenants = {name: MemoryTenant(configs={"daily": config}) for name in ("acme", "globex")}
    platform.rows.append_run(a_run(), RunStatus.PENDING, a_run().started_at)
    return platform


def handle(
    platform: Platform,
    inbox: Inbox,
    unreadable: str = "",
    keys: LevelKeys = LevelKeys(),  # noqa: B008 - frozen
) -> int:
    progress = Progress(platform.rows)
    progress.unreadable = unreadable
    return DeadLetterHandler(
        inbox=inbox,
        reader=progress,
        worker=platform.worker,
        clock=VirtualClock(),
        project="acme-data",
        levels_subscription="pipeline-levels-push",
        keys=keys,
    ).handle()


def a_letter(message: LevelMessage | None = None, attributes: Mapping[str, str] = FORWARDED) -> DeadLetter:
    return DeadLetter(data=encode(message or a_message()), attributes=attributes, receipt="1")


def test_a_dead_level_message_fails_its_run_and_skips_its_steps() -> None:
    platform, inbox = a_platform(), Inbox(a_letter())
    assert handle(platform, inbox) == 1
    assert platform.status is RunStatus.FAILED
    error = platform.rows.current()[RUN_ID].error
    assert "level 1 could not be carried out: it was delivered too often" in error
    assert set(platform.step_states().values()) == {StepStatus.SKIPPED}
    assert inbox.letters == []


def test_a_level_that_its_function_rejected_fails_its_run_with_the_reason() -> None:
    platform = a_platform()
    rejected = {"rejected_by": "run_level", "reason": "the job is not this step's"}
    assert handle(platform, Inbox(a_letter(attributes=rejected))) == 1
    assert "the job is not this step's" in platform.rows.current()[RUN_ID].error


def test_a_level_that_is_given_up_says_what_it_was_stopped_by_last() -> None:
    platform, message = a_platform(), a_message()
    for said in ("Visibility check was unavailable", "An internal error occurred"):
        platform.jobs.refusals["dry run", "extract"] = (503, "backendError", said)
        with pytest.raises(Unavailable):
            platform.deliver(message)
    handle(platform, Inbox(a_letter()))
    error = platform.rows.current()[RUN_ID].error
    assert error.endswith("; a step of it is tried again: An internal error occurred")


def test_so_does_one_that_none_of_its_steps_could_begin_in() -> None:
    platform, message = a_platform(), a_message()

    def out_of_reach(point: str) -> None:
        if point.startswith("find claim"):
            raise Unavailable("BigQuery did not answer: ConnectionError")

    platform.disturb = out_of_reach
    with pytest.raises(Unavailable):
        platform.deliver(message)
    platform.disturb = lambda point: None
    handle(platform, Inbox(a_letter()))
    assert "BigQuery did not answer: ConnectionError" in platform.rows.current()[RUN_ID].error


def test_a_run_that_has_completed_meanwhile_stays_completed() -> None:
    platform = a_platform()
    platform.run_to_end(a_message())
    assert handle(platform, Inbox(a_letter())) == 0
    assert platform.status is RunStatus.COMPLETED
    assert platform.step_states()["transform"] is StepStatus.COMPLETED


def test_a_letter_that_is_no_level_message_is_left_to_the_operator() -> None:
    platform = a_platform()
    inbox = Inbox(DeadLetter(data=b"?", attributes=FORWARDED, receipt="1"))
    assert handle(platform, inbox) == 0
    assert inbox.letters == []
    assert platform.status is RunStatus.PENDING


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"reason": "a stranger's"},
        {"rejected_by": "run_request", "reason": "not JSON"},
        FORWARDED | {"CloudPubSubDeadLetterSourceSubscription": "run-requests-push"},
        FORWARDED | {"CloudPubSubDeadLetterSourceSubscriptionProject": "elsewhere"},
        {"CloudPubSubDeadLetterSourceSubscription": "run-requests-push", "rejected_by": "run_level"},
        {"CloudPubSubDeadLetterSourceDeliveryCount": "5", "rejected_by": "run_level"},
    ],
)
def test_a_level_message_that_comes_from_elsewhere_ends_no_run(attributes: Mapping[str, str]) -> None:
    platform, inbox = a_platform(), Inbox(a_letter(attributes=attributes))
    assert handle(platform, inbox) == 0
    assert platform.status is RunStatus.PENDING
    assert inbox.letters == []


@pytest.mark.parametrize(
    "changes",
    [{"run_id": "forged"}, {"tenant_id": "globex"}, {"ticket": 50_000_000}],
    ids=["run", "tenant", "ticket"],
)
def test_a_letter_of_a_run_that_the_store_does_not_know_writes_nothing(changes: dict[str, object]) -> None:
    platform = a_platform()
    forged = replace(a_message(), run=a_run(**changes))
    assert handle(platform, Inbox(a_letter(forged))) == 0
    assert [row.status for row in platform.rows.run_rows] == [RunStatus.PENDING]
    assert platform.rows.step_rows == []


def test_a_run_ends_as_the_store_knows_it_whatever_its_letter_says() -> None:
    platform = a_platform()
    handle(platform, Inbox(a_letter(replace(a_message(), run=a_run(config_id="another", config_version=9)))))
    assert platform.rows.run_rows[-1].run == a_run()


def test_a_letter_that_cannot_be_handled_now_comes_again_and_keeps_no_other_from_it() -> None:
    platform = a_platform()
    other = a_run(run_id="other", ticket=2)
    platform.rows.append_run(other, RunStatus.PENDING, other.started_at)
    stuck = a_letter(replace(a_message(), run=other))
    inbox = Inbox(stuck, a_letter())
    assert handle(platform, inbox, unreadable="other") == 1
    assert platform.status is RunStatus.FAILED
    assert inbox.letters == [stuck]


def test_where_levels_are_signed_a_letter_without_a_signature_ends_no_run() -> None:
    platform, keys = a_platform(), LevelKeys(keys=("a-key-of-the-platforms-own-functions",))
    inbox = Inbox(a_letter(), a_letter(attributes=FORWARDED | {SIGNATURE: "0" * 64}))
    assert handle(platform, inbox, keys=keys) == 0
    assert (platform.status, inbox.letters) == (RunStatus.PENDING, [])
    signed = FORWARDED | {SIGNATURE: keys.sign(a_letter().data)}
    assert handle(platform, Inbox(a_letter(attributes=signed)), keys=keys) == 1
