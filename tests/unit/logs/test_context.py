from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Thread

import pytest

from common.logs import Trace, carried, current_trace, current_traceparent, log_context
from common.logs.context import current_context


def labels() -> dict[str, str]:
    return dict(current_context().labels)


def test_labels_hold_inside_the_block_and_add_up() -> None:
    with log_context(tenant="acme"):
        with log_context(run="r1", level=2, step=None):
            assert labels() == {"tenant": "acme", "run": "r1", "level": "2"}
        assert labels() == {"tenant": "acme"}
    assert labels() == {}


def test_an_inner_label_hides_the_outer_one_for_the_block() -> None:
    with log_context(tenant="acme"):
        with log_context(tenant="other"):
            assert labels() == {"tenant": "other"}
        assert labels() == {"tenant": "acme"}


def test_labels_end_with_the_block_when_it_fails() -> None:
    with pytest.raises(RuntimeError), log_context(tenant="acme"):
        raise RuntimeError
    assert labels() == {}


def test_the_trace_stays_until_another_one_is_given() -> None:
    first, second = Trace.new(), Trace.new()
    assert (current_trace(), current_traceparent()) == (None, "")
    with log_context(trace=first), log_context(tenant="acme"):
        assert current_traceparent() == first.traceparent
        with log_context(trace=second):
            assert current_trace() == second
    assert current_trace() is None


def test_a_plain_thread_sees_nothing_of_its_parent() -> None:
    seen: list[dict[str, str]] = []
    with log_context(tenant="acme"):
        thread = Thread(target=lambda: seen.append(labels()))
        thread.start()
        thread.join()
    assert seen == [{}]


def test_two_requests_at_once_do_not_see_each_other() -> None:
    both_are_inside = Barrier(2)

    def request(tenant: str) -> dict[str, str]:
        with log_context(tenant=tenant):
            both_are_inside.wait(timeout=5)
            return labels()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(request, ["acme", "other"])) == [{"tenant": "acme"}, {"tenant": "other"}]


def test_work_that_is_carried_to_a_pool_keeps_its_context_even_at_once() -> None:
    both_are_inside = Barrier(2)

    def step(name: str) -> dict[str, str]:
        with log_context(step=name):
            both_are_inside.wait(timeout=5)
            return labels()

    with ThreadPoolExecutor(2) as pool:
        with log_context(tenant="acme"):
            results = pool.map(carried(step), ["a", "b"])
        assert list(results) == [{"tenant": "acme", "step": "a"}, {"tenant": "acme", "step": "b"}]
        assert pool.submit(labels).result() == {}
