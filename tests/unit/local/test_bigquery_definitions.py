"""Nobody loads a lake's definitions beside another, nor replaces what a transaction refers to."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

import duckdb
import pytest

from local.bigquery import commits, definitions
from local.bigquery.definitions import Definitions
from local.bigquery.sql_files import sql

LONG = 60.0
Within = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def seen() -> list[str]:
    return []


class Held:
    """Something that another thread is within until it is let go."""

    def __init__(self, threads: ThreadPoolExecutor, within: Within) -> None:
        self._is_within, self._go_on = threading.Event(), threading.Event()
        self._done = threads.submit(self._hold, within)
        assert self._is_within.wait(LONG)

    def _hold(self, within: Within) -> None:
        with within():
            self._is_within.set()
            assert self._go_on.wait(LONG)

    def let_go(self) -> None:
        self._go_on.set()
        self._done.result(LONG)


def test_no_statement_begins_while_a_version_is_committed_and_loaded(
    threads: ThreadPoolExecutor, seen: list[str]
) -> None:
    known = Definitions()
    loading = Held(threads, known.new_version)

    def begin() -> None:
        with known.statement():
            seen.append("begun")

    begun = threads.submit(begin)
    with pytest.raises(TimeoutError):
        begun.result(0.2)
    seen.append("loaded")
    loading.let_go()
    begun.result(LONG)
    assert seen == ["loaded", "begun"]


def test_who_loads_begins_statements_of_its_own() -> None:
    known = Definitions()
    with known.new_version(), known.statement():
        pass


def test_a_transaction_defines_when_earlier_statements_are_over(
    threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(definitions, "LOADING_SECONDS", LONG)
    known = Definitions()
    earlier = Held(threads, known.statement)
    with known.new_version():
        pass
    settled = threads.submit(known.settle)
    with pytest.raises(TimeoutError):
        settled.result(0.2)
    earlier.let_go()
    settled.result(LONG)


def test_a_statement_that_began_later_is_not_waited_for(threads: ThreadPoolExecutor) -> None:
    now = [0.0]
    known = Definitions(lambda: now[0])
    now[0] = 1.0
    later = Held(threads, known.statement)
    known.settle()
    later.let_go()


def test_a_statement_that_takes_long_has_loaded_what_it_needs(threads: ThreadPoolExecutor) -> None:
    now = [0.0]
    known = Definitions(lambda: now[0])
    query = Held(threads, known.statement)
    now[0] = definitions.LOADING_SECONDS
    known.settle()
    query.let_go()


def test_ones_own_statement_is_not_waited_for() -> None:
    known = Definitions()
    with known.statement():
        known.settle()


class Noted:
    """Stands for DuckDB's connection, and notes what it is asked in a list that all share."""

    def __init__(self, seen: list[str]) -> None:
        self._seen = seen

    def execute(self, statement: str, parameters: object = None) -> "Noted":
        self._seen.append(statement)
        if "CREATE SCHEMA IF NOT EXISTS gone" in statement:
            raise duckdb.CatalogException(statement)
        return self

    def fetchall(self) -> list[tuple[int]]:
        return []


@pytest.mark.parametrize("lake", ['"a-project"', "gone"])
def test_what_a_transaction_defined_is_loaded_with_its_commit(
    monkeypatch: pytest.MonkeyPatch, seen: list[str], lake: str
) -> None:
    class Told(Definitions):
        @contextmanager
        def new_version(self) -> Iterator[None]:
            seen.append("a new version")
            yield

        def settle(self) -> None:
            seen.append("settled")

    monkeypatch.setattr(commits, "_definitions", Told())
    connection = commits.Connection(Noted(seen))  # type: ignore[arg-type]
    made, written = f"DROP TABLE {lake}.d.t", f"DELETE FROM {lake}.d.u"
    connection.execute(made)
    connection.execute(written)
    load = sql("load_definitions", lake=lake)
    assert seen == ["BEGIN", "settled", made, "a new version", "COMMIT", load, "BEGIN", written, "COMMIT"]
