"""A run that completes is followed once by each pipeline that says so, whoever looks how often."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from common.errors import InvalidInput, Unavailable
from common.pipelines.configs import Configs
from common.pipelines.followers import after_in, circle_through
from common.pipelines.intervals import Interval
from common.queue.enqueueing import QueueingRequests
from common.runs.ports import ConfigText
from common.runs.quotas import Limits
from common.runs.run import RunStatus, TriggerType
from common.runs.starting import RunRequest, RunService, StartedRun
from common.schedules.following import BEFORE_UPLOAD, REFUSED_AFTER, Completion, FollowedRuns, Follower
from tests.fakes.clock import START
from tests.fakes.configs import MemoryConfigs
from tests.fakes.runs import MemoryProgress
from tests.unit.http.world import compiler
from tests.unit.schedules.platform import LIMITS, Platform

DAY = Interval(start=START - timedelta(days=1), end=START)


class Followed:
    """A platform whose `daily` has completed, and what follows on it; rows tell who has followed."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.platform = Platform()
        self.platform.add_tenant(limits=limits or LIMITS)
        self.platform.add_tenant("other")
        for tenant in self.platform.rows.tenants.values():
            for name in ("report", "mail"):
                tenant.configs[name] = ConfigText(config_id=name, version=1, text="")
        self.found = [self.follower("report", "daily")]
        self.completed = [
            Completion(
                tenant_id="acme",
                config_id="daily",
                run_id="run-1",
                run_date=DAY.start.date(),
                interval=DAY,
                ended_at=START,
            )
        ]
        self.asked: list[Collection[tuple[str, str]]] = []
        self.service = RunService(
            enqueuer=QueueingRequests(queue=self.platform.queue, clock=self.platform.clock),
            run_admission=self.platform.run_admission,
            reader=MemoryProgress(self.platform.rows),
            compile=self.platform.compile,
            clock=self.platform.clock,
        )
        self.follow = FollowedRuns(
            reader=self, start=self.service.start, queue=self.platform.queue, clock=self.platform.clock
        )

    def follower(self, config_id: str, *after: str, tenant_id: str = "acme", **more: object) -> Follower:
        usual = Follower(
            tenant_id=tenant_id, config_id=config_id, version=1, priority=5, after=after, since=START
        )
        return replace(usual, **more)  # type: ignore[arg-type]

    def followers(self, now: datetime) -> Sequence[Follower]:
        return self.found

    def completions(self, keys: Collection[tuple[str, str]], since: datetime) -> Sequence[Completion]:
        self.asked.append(keys)
        rows = self.platform.rows.current().values()
        entries = self.platform.queue_rows.entries().values()
        triggers = [(row.run.trigger, row.run.config_id) for row in rows]
        triggers += [(entry.waiting.trigger, entry.waiting.config_id) for entry in entries]
        return [
            replace(
                one,
                followed_by=frozenset(
                    config_id
                    for trigger, config_id in triggers
                    if trigger.type is TriggerType.AFTER and trigger.by == one.run_id
                ),
            )
            for one in self.completed
            if (one.tenant_id, one.config_id) in keys and one.ended_at >= since
        ]

    def runs(self) -> list[tuple[str, str, str]]:
        runs = self.platform.runs().values()
        return sorted((run.tenant_id, run.config_id, run.trigger.by) for run in runs)


def test_a_run_that_completes_begins_one_of_each_that_follows() -> None:
    world = Followed()
    world.found = [world.follower("report", "daily"), world.follower("mail", "other", "daily")]
    assert world.follow() == 2
    assert world.runs() == [("acme", "mail", "run-1"), ("acme", "report", "run-1")]
    (run, _) = world.platform.runs().values()
    assert (run.interval, run.run_date, run.trigger.type) == (DAY, DAY.start.date(), TriggerType.AFTER)


def test_it_is_followed_once_however_often_anybody_looks() -> None:
    world = Followed()
    for _ in range(3):
        world.follow()
    assert len(world.runs()) == 1


def test_who_sees_no_rows_yet_begins_the_same_run() -> None:
    world = Followed()
    for _ in range(3):
        for completion in world.completed:
            world.follow._follow(completion, world.found[0], START)
    assert len(world.runs()) == 1
    assert len(world.platform.messages()) == 1


def test_each_run_that_completes_is_followed() -> None:
    world = Followed()
    world.completed.append(replace(world.completed[0], run_id="run-2"))
    assert world.follow() == 2
    assert {by for _, _, by in world.runs()} == {"run-1", "run-2"}


def test_another_tenants_pipeline_of_the_same_name_is_followed_by_its_own_alone() -> None:
    world = Followed()
    world.found.append(world.follower("report", "daily", tenant_id="other"))
    world.follow()
    assert world.runs() == [("acme", "report", "run-1")]


def test_where_nobody_follows_no_run_is_looked_for() -> None:
    world = Followed()
    world.found = []
    assert (world.follow(), world.asked) == (0, [])


def test_what_completed_before_the_upload_is_not_followed() -> None:
    world = Followed()
    world.found = [world.follower("report", "daily", since=START + BEFORE_UPLOAD)]
    assert world.follow() == 0
    world.found = [world.follower("report", "daily", since=START + BEFORE_UPLOAD / 2)]
    assert world.follow() == 1


def test_over_the_concurrent_limit_it_waits_in_the_queue() -> None:
    world = Followed(Limits(daily=9, monthly=9, concurrent=1))
    world.platform.request("one")
    world.follow()
    (entry,) = world.platform.queue_rows.entries().values()
    assert (entry.status, entry.waiting.config_id) == (RunStatus.QUEUED, "report")
    world.platform.clock.sleep(60)
    assert world.follow() == 0


def test_over_the_days_limit_it_is_refused_once_and_shown() -> None:
    world = Followed(Limits(daily=1, monthly=9, concurrent=9))
    world.platform.request("one")
    for _ in range(4):
        assert world.follow() == 0
        assert world.runs() == [("acme", "daily", "api_user")]
        world.platform.clock.sleep(REFUSED_AFTER.total_seconds() / 2)
    (entry,) = world.platform.queue_rows.entries().values()
    assert entry.status is RunStatus.FAILED
    assert "daily limit" in entry.error
    assert len(world.platform.queue_rows.rows) == 1


def test_what_passes_by_itself_is_left_for_the_next_minute() -> None:
    world = Followed()
    answers = [Unavailable("BigQuery did not answer")]

    def start(request: RunRequest) -> StartedRun:
        if answers:
            raise answers.pop()
        return world.service.start(request)

    follow = replace(world.follow, start=start)
    assert [follow(), follow(), follow()] == [0, 1, 0]


def test_circles_that_are_there_all_the_same_are_not_followed() -> None:
    world = Followed()
    world.found = [
        world.follower("report", "daily"),
        world.follower("daily", "mail"),
        world.follower("mail", "daily"),
    ]
    world.follow()
    assert world.runs() == [("acme", "report", "run-1")]


@pytest.mark.parametrize(
    ("after", "circle"),
    [
        ({}, []),
        ({"a": ["b"], "b": ["c"]}, []),
        ({"a": ["a"]}, ["a", "a"]),
        ({"a": ["b"], "b": ["a"]}, ["a", "b", "a"]),
        ({"a": ["x", "b"], "x": ["y"], "b": ["c"], "c": ["a"]}, ["a", "b", "c", "a"]),
        ({"a": ["b"], "b": ["c"], "c": ["b"]}, []),
    ],
)
def test_a_circle_is_found(after: dict[str, list[str]], circle: list[str]) -> None:
    assert circle_through("a", after) == circle


STEP = "{id: a, ps_type: bq_etl.query, config: {source_query: SELECT 1 AS n, target_table: t}}"


def save(configs: Configs, config_id: str, after: str) -> None:
    text = f"pipeline: {{name: Daily}}\nafter: {after}\nsteps: [{STEP}]\n"
    configs.save(
        tenant_id="acme", config_id=config_id, body=text.encode(), content_type=None, created_by=None
    )


def test_an_upload_that_makes_a_circle_is_refused_with_its_place() -> None:
    configs = Configs(store=MemoryConfigs(), compiler=compiler(), clock=lambda: START)
    save(configs, "b", "[a]")
    save(configs, "c", "[x, b]")
    with pytest.raises(InvalidInput) as refused:
        save(configs, "a", "[x, c]")
    (told,) = refused.value.violations
    assert (told.pointer, told.line) == ("/after/1", 2)
    assert told.rule == "pipelines would run after each other in a circle: a → b → c → a"
    with pytest.raises(InvalidInput, match="a → a"):
        save(configs, "a", "[a]")


def test_what_a_file_follows_is_read_from_its_text() -> None:
    assert after_in("pipeline: {name: a}\nafter: [b, c]\nsteps: []\n") == ("b", "c")
    assert after_in("# thereafter\npipeline: {name: a}\n") == ()
    assert after_in("after: [") == ()
