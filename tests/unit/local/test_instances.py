"""An instance works on as many requests as a deployed one, and not on more."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest
from werkzeug.test import Client, create_environ

from local.gateway import load_functions
from local.instances import Instance, deployed_threads, one_of_each

THREADS = 3
PATIENCE_SECONDS = 60


def busy(arrived: Barrier, may_go: Event) -> Callable[..., Iterable[bytes]]:
    """Make a function that answers only when it may."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        arrived.wait(PATIENCE_SECONDS)
        assert may_go.wait(PATIENCE_SECONDS)
        start_response("200 OK", [])
        return [b"done"]

    return answer


def test_as_many_requests_are_worked_on_at_once_as_there_are_threads_and_no_more() -> None:
    arrived, may_go = Barrier(THREADS + 1), Event()
    instance = Instance(function=busy(arrived, may_go), threads=THREADS)
    with ThreadPoolExecutor(THREADS) as callers:
        calls = [callers.submit(Client(instance).get, "/") for _ in range(THREADS)]
        arrived.wait(PATIENCE_SECONDS)
        assert not instance.free.acquire(blocking=False)
        may_go.set()
        assert [call.result().status_code for call in calls] == [200] * THREADS
    assert instance.free.acquire(blocking=False)


def test_a_request_that_fails_gives_its_thread_back() -> None:
    def fails(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        raise ValueError("out of order")

    instance = Instance(function=fails, threads=1)
    for _ in range(2):
        with pytest.raises(ValueError, match="out of order"):
            instance(create_environ(), lambda *_: None)


def test_the_whole_answer_is_read_and_closed_before_the_thread_is_free() -> None:
    done: list[str] = []

    class Body(list[bytes]):
        def close(self) -> None:
            done.append("closed")

    def answers(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return Body([b"a", b"b"])

    assert Client(Instance(function=answers, threads=1)).get("/").data == b"ab"
    assert done == ["closed"]


def test_each_function_has_the_threads_that_it_is_deployed_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GCP_PROJECT_ID", "p")
    instances = one_of_each(load_functions())
    assert {name: instance.threads for name, instance in instances.items()} == deployed_threads()
