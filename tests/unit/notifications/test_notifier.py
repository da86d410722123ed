"""Who is told of what: once each, again where it failed for certain, and nobody of another tenant's run."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from common.errors import Forbidden, InvalidInput, MalformedInput, Unavailable, Violation
from common.notifications.notices import News, Notice
from common.notifications.notifier import MAX_ATTEMPTS, Notifier
from common.notifications.subscriptions import Medium, Subscriber, subscribers_of
from common.quality.check_queries import CheckView
from common.quality.verdicts import CheckStatus
from common.runs.run import RunStatus, StepStatus
from common.runs.views import AttemptView, Figures, LevelView, RunDetails, RunView, StepView
from tests.fakes.clock import START, VirtualClock
from tests.fakes.jobs import MemoryJobs

ALL = frozenset(News)


def a_view(run_id: str, status: RunStatus, **more: Any) -> RunDetails:
    return RunDetails(
        run_id=run_id, tenant_id="acme", config_id="daily", status=status, started_at=START, **more
    )


@dataclass
class World:
    """The notifier on memory; `failures` are raised by the next sends."""

    wanted: list[Subscriber] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    failures: list[Exception | None] = field(default_factory=list)
    sent: list[tuple[str, str]] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)
    jobs: MemoryJobs = field(default_factory=lambda: MemoryJobs(VirtualClock()))
    dies: bool = False
    checks: list[CheckView] = field(default_factory=list)
    steps: tuple[StepView, ...] | None = None
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        numbers = count(1)
        self.notifier = Notifier(
            subscribers=self,
            runs=self,
            secrets=self,
            sender=self,
            claims=self.jobs,
            clock=VirtualClock(),
            new_id=lambda: f"delivery-{next(numbers)}",
        )

    def subscribers(self, tenant_id: str, config_id: str, version: int) -> Sequence[Subscriber]:
        return self.wanted if (tenant_id, config_id, version) == ("acme", "daily", 3) else []

    def read_run(self, tenant_id: str, run_id: str, now: Any) -> RunDetails | None:
        if (tenant_id, run_id) != ("acme", "run-1"):
            return None
        failed = StepView(
            step_id="orders",
            status=StepStatus.FAILED,
            error_reason="notFound",
            error_message="no table",
            job_id="job-1",
        )
        steps = (failed,) if self.steps is None else self.steps
        told = {"error_reason": "stepFailed", "error_message": "failed"}
        return a_view(run_id, RunStatus.FAILED, levels=(LevelView(number=1, steps=steps),), **told)

    def read_figures(self, tenant_id: str, run_ids: Collection[str], since: Any) -> Mapping[str, Figures]:
        return {}

    def read_history(self, tenant_id: str, wanted: Any) -> Sequence[RunView]:
        assert wanted.until == START
        return [a_view(f"before-{number}", RunStatus(status)) for number, status in enumerate(self.before)]

    def read_receipt(self, tenant_id: str, run_id: str, since: Any) -> Sequence[AttemptView]:
        return []

    def read_checks(self, tenant_id: str, run_id: str, since: Any) -> Sequence[CheckView]:
        assert (tenant_id, run_id, since) == ("acme", "run-1", START)
        return self.checks

    def secret(self, tenant_id: str, credential_id: str) -> Mapping[str, str]:
        if credential_id == "gone":
            raise InvalidInput([Violation("/notifications", "the credential gone does not exist")])
        return {"url": "https://hooks.example.com/"}

    def send(self, notice: Notice, subscriber: Subscriber, secret: Mapping[str, str]) -> None:
        if failure := self.failures.pop(0) if self.failures else None:
            raise failure
        self.sent.append((subscriber.credential, notice.news.value))
        self.causes += [notice.cause.error_class or ""] if notice.cause else []
        self.words += [notice.cause.message] if notice.cause else []
        if self.dies:
            raise RuntimeError("the instance ends")

    def tell(self, status: str, **more: Any) -> None:
        event = {
            "tenant_id": "acme",
            "pipeline_id": "daily",
            "config_version": 3,
            "pipeline_logging_id": "run-1",
            "status": status,
            "run_date": "2024-01-18",
            "links": {"status": "https://convergence.example.com/"},
        }
        self.notifier.tell(json.dumps(event | more).encode())


def a_subscriber(number: int = 0, credential: str = "hook", news: frozenset[News] = ALL) -> Subscriber:
    return Subscriber(number=number, medium=Medium.SLACK, credential=credential, news=news)


def test_each_state_is_told_to_those_who_asked_for_it() -> None:
    world = World([a_subscriber(), a_subscriber(1, "chat", frozenset({News.FAILURE}))])
    for status in ("QUEUED", "PENDING", "RUNNING", "FAILED", "CANCELLED"):
        world.tell(status)
    assert world.sent == [("hook", "start"), ("hook", "failure"), ("chat", "failure")]
    assert world.causes == ["late_data", "late_data"]


def test_a_second_delivery_tells_nobody_again() -> None:
    world = World([a_subscriber()])
    for _ in range(3):
        world.tell("RUNNING")
    assert world.sent == [("hook", "start")]


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (["FAILED"], "recovery"),
        (["CANCELLED", "FAILED", "COMPLETED"], "recovery"),
        (["COMPLETED", "FAILED"], "success"),
        ([], "success"),
    ],
)
def test_the_first_success_behind_a_failure_is_a_recovery(before: list[str], told: str) -> None:
    world = World([a_subscriber()], before, steps=())
    world.tell("COMPLETED")
    assert world.sent == [("hook", told)]


def test_who_asked_for_recoveries_alone_hears_of_no_other_success() -> None:
    world = World([a_subscriber(news=frozenset({News.RECOVERY}))], ["COMPLETED"])
    world.tell("COMPLETED")
    assert world.sent == []


def test_what_failed_for_certain_is_sent_by_the_next_delivery_and_the_others_are_not() -> None:
    world = World([a_subscriber(), a_subscriber(1, "chat")], failures=[Unavailable("down"), None])
    with pytest.raises(Unavailable):
        world.tell("RUNNING")
    assert world.sent == [("chat", "start")]
    world.tell("RUNNING")
    world.tell("RUNNING")
    assert world.sent == [("chat", "start"), ("hook", "start")]


def test_a_receiver_that_stays_down_is_given_up_with_its_reason() -> None:
    world = World([a_subscriber()], failures=[Unavailable("hooks.example.com answers 503")] * 9)
    for _ in range(MAX_ATTEMPTS - 1):
        with pytest.raises(Unavailable):
            world.tell("RUNNING")
    with pytest.raises(Forbidden, match=f"answers 503; it was tried {MAX_ATTEMPTS} times"):
        world.tell("RUNNING")
    world.tell("RUNNING")
    assert world.sent == []


def test_a_notice_whose_function_died_is_not_sent_twice() -> None:
    world = World([a_subscriber()], dies=True)
    with pytest.raises(RuntimeError):
        world.tell("RUNNING")
    world.tell("RUNNING")
    assert world.sent == [("hook", "start")]


def test_what_never_works_keeps_nobody_else_from_being_told() -> None:
    world = World([a_subscriber(0, "gone"), a_subscriber(1, "chat")])
    with pytest.raises(InvalidInput, match="does not exist"):
        world.tell("RUNNING")
    assert world.sent == [("chat", "start")]


def test_an_event_of_a_run_that_nobody_knows_tells_nobody() -> None:
    world = World([a_subscriber()])
    world.tell("RUNNING", pipeline_logging_id="made-up")
    assert world.sent == []
    assert world.jobs.claims == {}


TWICE = (
    b'{"status": "RUNNING", "tenant_id": "acme", "tenant_id": "other", "pipeline_id": "daily", '
    b'"config_version": 1, "pipeline_logging_id": "r", "links": {"status": "x"}}'
)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"status": "FAILED"}', b"\xff", TWICE])
def test_what_is_no_event_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        World().notifier.tell(data)


def test_a_file_names_failure_and_recovery_where_it_says_nothing() -> None:
    entries = [{"type": "slack", "credential": "chat"}, {"type": "email", "credential": "m", "to": ["a@b.c"]}]
    chat, mail = subscribers_of({"notifications": entries})
    assert chat.news == {News.FAILURE, News.RECOVERY}
    assert (mail.number, mail.to) == (1, ("a@b.c",))


def a_check(status: str, name: str = "no_negatives") -> CheckView:
    return CheckView(
        run_id="run-1",
        step_id="orders",
        name=name,
        type="condition",
        status=CheckStatus(status),
        severity="warn",
        table="acme.orders",
        observed="3 failed rows",
        expected="0",
        job_id="job-2",
    )


def test_a_run_that_completes_with_a_check_that_warns_is_told_in_its_words() -> None:
    world = World(wanted=[a_subscriber()], steps=(), checks=[a_check("WARNED"), a_check("PASSED", "other")])
    world.tell("COMPLETED")
    world.tell("COMPLETED")
    assert world.sent == [("hook", "warning")]
    assert world.words == ["check no_negatives of step orders: 3 failed rows, expected 0"]


def test_a_run_that_completes_though_a_step_failed_is_told_as_a_warning() -> None:
    world = World(wanted=[a_subscriber()])
    world.tell("COMPLETED")
    assert (world.sent, world.causes) == ([("hook", "warning")], ["late_data"])


def test_nobody_is_warned_who_has_not_asked_and_of_nothing_but_warnings() -> None:
    others = ALL - {News.WARNING}
    world = World(wanted=[a_subscriber(news=others)], steps=(), checks=[a_check("WARNED")])
    world.tell("COMPLETED")
    assert world.sent == [("hook", "success")]
    world = World(wanted=[a_subscriber(news=frozenset({News.WARNING}))], steps=(), checks=[a_check("PASSED")])
    world.tell("COMPLETED")
    world.tell("FAILED")
    assert world.sent == []


def late(world: World, **more: Any) -> None:
    told = {"event_id": "event-1", "by": "2024-01-19T05:00:00.000000Z", "links": {"history": "https://"}}
    world.tell("LATE", **told | more)


def test_a_pipeline_that_is_late_is_told_once_to_those_who_asked() -> None:
    world = World(wanted=[a_subscriber(0), a_subscriber(1, "other", ALL - {News.LATE})])
    late(world)
    late(world)
    assert world.sent == [("hook", "late")]
    late(world, event_id="event-2")
    assert world.sent == [("hook", "late")] * 2


def test_an_event_of_lateness_that_lacks_something_is_none() -> None:
    with pytest.raises(MalformedInput):
        late(World(wanted=[a_subscriber()]), by=None)
