"""The local Cloud Scheduler: a gRPC server in this process that calls HTTP targets when they are due."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from types import TracebackType
from typing import Self

import grpc

from local.rpc import services
from local.scheduler.clocks import ManualClock, SystemClock
from local.scheduler.definitions import Job
from local.scheduler.service import SERVICE, Service, methods
from local.scheduler.targets import Attempt
from local.scheduler.timetable import Entry, Timetable

ATTEMPTS_AT_ONCE = 16
MAX_SLEEP_SECONDS = 60.0


class SchedulerServer:
    """Cloud Scheduler's gRPC API on this machine; jobs live as long as the server.

    By default it goes by the machine's clock. With a ManualClock nothing happens by itself: `advance`
    moves the clock and runs what falls due, in order. It starts once and stops once.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, clock: ManualClock | None = None) -> None:
        self._host, self._port = host, port
        self._manual_clock = clock
        self._clock = clock or SystemClock()
        self._timetable = Timetable(self._clock)
        self._attempts: dict[Attempt, Future[None]] = {}
        self._pool = ThreadPoolExecutor(ATTEMPTS_AT_ONCE, "scheduler-attempt")
        self._calls = ThreadPoolExecutor(4, "scheduler-grpc")
        self._ticker = threading.Thread(target=self._tick, name="scheduler-ticker", daemon=True)
        self._is_stopping = False
        service = Service(self._timetable, self._clock, self._run_now)
        self._grpc = grpc.server(
            self._calls, services({SERVICE: methods(service)}), options=[("grpc.so_reuseport", 0)]
        )

    @property
    def address(self) -> str:
        """Return "host:port", once started."""
        return f"{self._host}:{self._port}"

    def start(self) -> str:
        """Begin to serve and return the address "host:port"; raise OSError when the port is taken."""
        try:
            self._port = self._grpc.add_insecure_port(self.address)
        except RuntimeError as error:
            raise OSError(f"the scheduler cannot listen on {self.address}: is the port taken?") from error
        self._grpc.start()
        if not self._manual_clock:
            self._ticker.start()
        return self.address

    def stop(self) -> None:
        """End everything; a request under way is cut off."""
        with self._timetable.changed:
            self._is_stopping = True
            self._timetable.changed.notify_all()
        if self._ticker.is_alive():
            self._ticker.join()
        self._grpc.stop(grace=1.0).wait()
        for attempt in list(self._attempts):
            attempt.abort()
        self._pool.shutdown()
        self._calls.shutdown()

    def advance(self, seconds: float) -> None:
        """Move the manual clock, with each firing and retry at its time; return when all have ended."""
        clock = self._manual_clock
        if clock is None:
            raise RuntimeError("only a scheduler with a ManualClock can be advanced")
        end = clock.now() + timedelta(seconds=seconds)
        while (due := self._timetable.next_due()) is not None and due <= end:
            clock.move_to(due)
            wait([self._submit(entry) for entry in self._timetable.take_due()])
        clock.move_to(end)

    def wait_until_idle(self, timeout_seconds: float = 10.0) -> None:
        """Wait until no request to a target is under way; raise TimeoutError."""
        with self._timetable.changed:
            if not self._timetable.changed.wait_for(
                lambda: not self._timetable.is_running(), timeout_seconds
            ):
                raise TimeoutError(f"the scheduler is not idle after {timeout_seconds:g} s")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run_now(self, name: str) -> Job:
        entry = self._timetable.take(name)
        job = self._timetable.get(name)
        self._submit(entry)
        return job

    def _submit(self, entry: Entry) -> "Future[None]":
        attempt = Attempt(self._timetable.snapshot(entry), entry.fires_at)
        ended = self._attempts[attempt] = self._pool.submit(self._attempt, attempt, entry)
        ended.add_done_callback(lambda _: self._attempts.pop(attempt, None))
        return ended

    def _attempt(self, attempt: Attempt, entry: Entry) -> None:
        self._timetable.resolve(entry, attempt.run())

    def _tick(self) -> None:
        while not self._is_stopping:
            for entry in self._timetable.take_due():
                self._submit(entry)
            with self._timetable.changed:
                if not self._is_stopping:
                    self._timetable.changed.wait(self._seconds_to_next())

    def _seconds_to_next(self) -> float:
        due = self._timetable.next_due()
        if due is None:
            return MAX_SLEEP_SECONDS
        return min(max((due - self._clock.now()).total_seconds(), 0.0), MAX_SLEEP_SECONDS)
