"""A load takes each file once and misses none, whoever dies, repeats or comes at the same time."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from common.errors import QueryRefused, Unavailable
from common.pipelines.pipeline import Retry, Step
from common.pipelines.plans import FileFormat, FilesLoadedJob, LoadJob, LoadMode, WriteDisposition
from common.runs import files
from common.runs.files import BatchState
from common.runs.level_messages import LevelMessage
from common.runs.run import RunStatus, StepStatus
from common.runs.step_jobs import step_job
from tests.fakes.files import MemoryLedger, in_ledger
from tests.fakes.jobs import Outcome
from tests.unit.runs.examples import RUN_ID, a_message, a_pipeline, a_run, a_step
from tests.unit.runs.test_levels import Platform, ProcessKilled

OTHER_RUN = RUN_ID.replace("1", "2")
A, B, C = (f"gs://acme-files/in/{name}.csv" for name in "abc")


def a_load(**changes: Any) -> LoadJob:
    fields: dict[str, Any] = {
        "uris": ("gs://acme-files/in/*.csv",),
        "format": FileFormat.CSV,
        "destination": "orders",
    }
    return LoadJob(**fields | changes)


def a_load_step(**changes: Any) -> Step:
    jobs = (a_load(**changes), FilesLoadedJob(destination="orders"))
    return a_step("load", jobs=jobs, ps_type="bq_etl.load", retry=Retry(attempts=3))


def a_load_message(run_id: str = RUN_ID, **changes: Any) -> LevelMessage:
    run = a_run(run_id=run_id, levels=(("load",),))
    return a_message(a_pipeline((a_load_step(**changes),)), run=run)


@pytest.fixture
def platform() -> Platform:
    made = Platform()
    made.jobs.buckets.put(A)
    made.jobs.buckets.put(B)
    return made


def loaded(platform: Platform) -> list[str]:
    """List what loads have loaded, file by file, as often as they did."""
    loads = (job.work for job in platform.jobs.effects if isinstance(job.work, LoadJob))
    return [uri for load in loads for uri in load.uris]


def ledger(platform: Platform) -> MemoryLedger:
    return platform.jobs.ledgers["acme"]


def test_a_load_takes_what_matches_and_the_ledger_says_so(platform: Platform) -> None:
    platform.jobs.buckets.put("gs://acme-files/in/c.json")
    platform.jobs.buckets.put("gs://acme-files/in/", size=0)
    platform.run_to_end(a_load_message())
    assert loaded(platform) == [A, B]
    assert in_ledger(ledger(platform), "orders", BatchState.LOADED) == [A, B]


def test_a_steps_rows_are_those_that_it_has_loaded(platform: Platform) -> None:
    platform.run_to_end(a_load_message())
    platform.run_to_end(a_load_message(OTHER_RUN))
    assert platform.rows.steps_of(RUN_ID)["load"].rows == 2
    assert platform.rows.steps_of(OTHER_RUN)["load"].rows == 0


def test_the_next_run_takes_what_is_new_and_files_that_have_changed(platform: Platform) -> None:
    platform.run_to_end(a_load_message())
    platform.jobs.buckets.put(C)
    platform.jobs.buckets.put(B)
    platform.run_to_end(a_load_message(OTHER_RUN))
    assert loaded(platform) == [A, B, B, C]


def test_a_run_that_finds_nothing_new_completes_and_loads_nothing(platform: Platform) -> None:
    platform.run_to_end(a_load_message())
    platform.run_to_end(a_load_message(OTHER_RUN))
    assert loaded(platform) == [A, B]
    assert platform.rows.current()[OTHER_RUN].status is RunStatus.COMPLETED


def test_a_file_that_comes_after_a_job_has_its_files_is_the_next_runs(platform: Platform) -> None:
    def come_late(point: str) -> None:
        if point.startswith("before load"):
            platform.jobs.buckets.put(C)
            platform.disturb = lambda _: None
            raise ProcessKilled

    platform.disturb = come_late
    with pytest.raises(ProcessKilled):
        platform.deliver(a_load_message())
    platform.run_to_end(a_load_message())
    assert loaded(platform) == [A, B]
    platform.run_to_end(a_load_message(OTHER_RUN))
    assert loaded(platform) == [A, B, C]


def test_a_file_that_comes_after_nothing_was_found_is_not_noted_as_loaded() -> None:
    platform = Platform()
    message = a_load_message()
    platform.deliver(message)
    platform.jobs.buckets.put(A)
    platform.deliver(message)
    platform.run_to_end(a_load_message(OTHER_RUN))
    assert loaded(platform) == [A]


def points_of_a_run() -> list[str]:
    platform = Platform()
    platform.jobs.buckets.put(A)
    platform.run_to_end(a_load_message())
    return platform.points


@pytest.mark.parametrize("number", range(len(points_of_a_run())))
def test_a_run_that_dies_anywhere_and_comes_again_loads_each_file_once(
    platform: Platform, number: int
) -> None:
    kill_at(platform, number)
    with pytest.raises(ProcessKilled):
        platform.run_to_end(a_load_message())
    platform.run_to_end(a_load_message())
    platform.jobs.buckets.put(C)
    platform.run_to_end(a_load_message(OTHER_RUN))
    assert loaded(platform) == [A, B, C]
    assert in_ledger(ledger(platform), "orders", BatchState.LOADED) == [A, B, C]


@pytest.mark.parametrize("minutes", [0, 5])
@pytest.mark.parametrize("number", range(len(points_of_a_run())))
def test_what_a_run_leaves_that_dies_for_good_another_one_loads_once(
    platform: Platform, number: int, minutes: int
) -> None:
    kill_at(platform, number)
    with pytest.raises(ProcessKilled):
        platform.run_to_end(a_load_message())
    platform.clock.sleep(minutes * 60)
    platform.run_to_end(a_load_message(OTHER_RUN))
    assert Counter(loaded(platform)) == {A: 1, B: 1}
    # The first one was not dead, but held up all that time.
    platform.run_to_end(a_load_message())
    assert Counter(loaded(platform)) == {A: 1, B: 1}


def kill_at(platform: Platform, number: int) -> None:
    passed = iter(range(10_000))

    def kill(_point: str) -> None:
        if next(passed) == number:
            platform.disturb = lambda _: None
            raise ProcessKilled

    platform.disturb = kill


@pytest.mark.parametrize("number", range(len(points_of_a_run())))
def test_two_runs_at_once_load_each_file_once(platform: Platform, number: int) -> None:
    passed = iter(range(10_000))

    def let_another_run(_point: str) -> None:
        if next(passed) == number:
            platform.disturb = lambda _: None
            platform.run_to_end(a_load_message(OTHER_RUN))

    platform.disturb = let_another_run
    platform.run_to_end(a_load_message())
    assert Counter(loaded(platform)) == {A: 1, B: 1}
    assert {row.status for row in platform.rows.current().values()} == {RunStatus.COMPLETED}


def test_a_load_that_fails_leaves_its_files_to_its_next_attempt(platform: Platform) -> None:
    platform.jobs.outcomes["orders"] = Outcome(errors=[("backendError", "try again")])
    platform.run_to_end(a_load_message())
    assert loaded(platform) == [A, B]


def test_a_load_that_fails_for_good_leaves_its_files_to_the_next_run(platform: Platform) -> None:
    platform.jobs.outcomes["orders"] = Outcome(errors=[("invalid", "too many errors")])
    platform.run_to_end(a_load_message())
    assert platform.status is RunStatus.FAILED
    platform.jobs.outcomes["orders"] = Outcome()
    platform.run_to_end(a_load_message(OTHER_RUN))
    assert loaded(platform) == [A, B]
    assert in_ledger(ledger(platform), "orders", BatchState.VOID) == [A, B]


def test_a_load_waits_for_another_one_of_its_table(platform: Platform) -> None:
    platform.jobs.outcomes["orders"] = Outcome(takes=timedelta(minutes=20))
    platform.worker = replace(platform.worker, budget=timedelta(seconds=60))
    platform.deliver(a_load_message())
    platform.jobs.buckets.put(C)
    platform.run_to_end(a_load_message(OTHER_RUN), most=500)
    assert Counter(loaded(platform)) == {A: 1, B: 1, C: 1}


def test_the_insert_of_a_claim_that_fails_uses_its_number_up_and_no_more(platform: Platform) -> None:
    ledger(platform).failing = 1
    platform.run_to_end(a_load_message())
    assert platform.status is RunStatus.FAILED
    platform.run_to_end(a_load_message(OTHER_RUN))
    assert loaded(platform) == [A, B]


@pytest.mark.parametrize("mode", [LoadMode.ALL, LoadMode.REPLACE_PARTITION])
def test_other_modes_take_all_files_each_time(platform: Platform, mode: LoadMode) -> None:
    changes: dict[str, Any] = {"mode": mode, "write_disposition": WriteDisposition.TRUNCATE}
    platform.run_to_end(a_load_message(**changes))
    platform.run_to_end(a_load_message(OTHER_RUN, **changes))
    assert loaded(platform) == [A, B, A, B]


def test_files_that_were_loaded_with_all_others_are_not_new(platform: Platform) -> None:
    platform.run_to_end(a_load_message(mode=LoadMode.ALL))
    platform.run_to_end(a_load_message(OTHER_RUN))
    assert loaded(platform) == [A, B]


def test_files_that_have_to_be_there_and_are_not_fail_the_step() -> None:
    platform = Platform()
    platform.run_to_end(a_load_message(mode=LoadMode.ALL))
    assert platform.step_states() == {"load": StepStatus.FAILED}
    assert "no file matches" in platform.rows.steps_of(RUN_ID)["load"].error_message


def test_a_bucket_that_may_not_be_listed_fails_the_step(platform: Platform) -> None:
    platform.jobs.buckets.denied.add("acme-files")
    platform.run_to_end(a_load_message())
    assert platform.step_states() == {"load": StepStatus.FAILED}


@pytest.mark.parametrize("name", ["*.csv", "in//a.csv", "in/a?.csv", "in/[a].csv", "in/a#1.csv", "in/\n.csv"])
def test_a_file_whose_name_stands_for_others_is_refused(name: str) -> None:
    platform = Platform()
    platform.jobs.buckets.put(f"gs://acme-files/{name}")
    platform.run_to_end(a_load_message(uris=("gs://acme-files/*.csv",)))
    assert platform.step_states() == {"load": StepStatus.FAILED}
    assert loaded(platform) == []


def test_what_is_too_much_for_one_job_is_left_to_the_next_the_oldest_first(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_FILES", 2)
    platform.clock.sleep(60)
    platform.jobs.buckets.put("gs://acme-files/in/0.csv")
    platform.run_to_end(a_load_message())
    assert loaded(platform) == [A, B]
    platform.run_to_end(a_load_message(OTHER_RUN))
    assert loaded(platform) == [A, B, "gs://acme-files/in/0.csv"]
    with pytest.raises(QueryRefused, match="more than 2 files"):
        claim(platform, RUN_ID.replace("1", "3"), mode=LoadMode.ALL)


def test_more_names_than_one_request_takes_are_left_too(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_NAMES_BYTES", len(A))
    platform.run_to_end(a_load_message())
    assert loaded(platform) == [A]


def test_more_files_than_can_be_listed_are_refused(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_LISTED", 1)
    with pytest.raises(QueryRefused, match="name fewer"):
        claim(platform)


def test_a_job_that_this_account_cannot_look_at_is_no_reason_to_load_its_files_again(
    platform: Platform,
) -> None:
    job = step_job(a_load_message(), a_load_step())
    claims(platform, project="customer-project").claim(job, a_load())
    with pytest.raises(QueryRefused, match="cannot tell what became of it"):
        claim(platform, OTHER_RUN)


def test_who_loses_every_turn_comes_again_later(platform: Platform) -> None:
    ledger(platform).batches["orders"] = Losing()
    with pytest.raises(Unavailable, match="taking files"):
        claim(platform)


class Losing(dict[int, Any]):
    """Numbers that are all taken when it comes to it."""

    def __contains__(self, _number: object) -> bool:
        return True


def claims(platform: Platform, project: str = "") -> files.FileClaims:
    return files.FileClaims(
        ledger=ledger(platform), buckets=platform.jobs.buckets, jobs=platform.jobs, project=project
    )


def claim(platform: Platform, run_id: str = RUN_ID, **changes: Any) -> tuple[str, ...]:
    job = step_job(a_load_message(run_id), a_load_step())
    return claims(platform).claim(job, a_load(**changes))
