"""Rounds of work, each ended by a signal at a moment that the seed draws, and a calm one at the end."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event

from local.demo.stage import free_port
from tests.e2e.platforms import ADMIN_KEY, RUN, STOP_SECONDS, RunningPlatform, running_platform, started
from tests.e2e.tenants import ask
from tests.kills.work import APPENDS, MINUTES_TO_END, PAUSE_SECONDS, Work

TENANTS = 2
MAX_SECONDS_OF_WORK = 6.0
MAX_SECONDS_OF_STOP = 3.0
MAX_SECONDS_OF_START = 6.0
KILLED_STARTS = 0.3
"""How many rounds begin with a start that is killed."""


@dataclass(slots=True, kw_only=True)
class Rounds:
    """A platform that is killed again and again, over one folder of data."""

    folder: Path
    random: Random
    tenants: int = TENANTS
    """How many of them begin to work in each round."""
    appends: int = APPENDS
    """How many runs of each append."""
    works: list[Work] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    starts: int = 0

    def play(self) -> str:
        """Start the platform, ask for runs, and kill it meanwhile; say what was done."""
        before = self._kill_a_start() if self.works and self.random.random() < KILLED_STARTS else ""
        with self._platform() as platform:
            self._set_up(platform)
            self.works += [Work.prepared(platform, self.appends) for _ in range(self.tenants)]
            awaited = self.random.randint(0, sum(len(work.runs) for work in self.works[-self.tenants :]))
            moment = self.random.uniform(0, MAX_SECONDS_OF_WORK)
            with ThreadPoolExecutor(len(self.works)) as pool:
                is_over = Event()
                asking = [pool.submit(work.ask, platform.url, is_over) for work in self.works]
                while self._answered(self.works[-self.tenants :]) < awaited and not all(
                    map(Future.done, asking)
                ):
                    time.sleep(PAUSE_SECONDS / 10)
                time.sleep(moment)
                how = self._end(platform.process)
                is_over.set()
            for one in asking:
                one.result()
        answered = self._answered(self.works)
        asked = sum(len(work.runs) for work in self.works)
        return f"{before}{how} {moment:.1f} s after {awaited} answers; {answered} of {asked} runs answered"

    def conclude(self) -> list[str]:
        """Start the platform for good, wait for every run's end, and say what is wrong."""
        with self._platform() as platform:
            for work in self.works:
                work.ask(platform.url, Event())
            deadline = time.monotonic() + MINUTES_TO_END * 60
            while sum(work.look(platform.url) for work in self.works) and time.monotonic() < deadline:
                time.sleep(PAUSE_SECONDS)
            with platform.bigquery() as client:
                wrong = [fault for work in self.works for fault in work.wrong(client)]
            self._note_exit(platform.stop(signal.SIGTERM))
        return [*self.faults, *wrong]

    def _answered(self, works: Sequence[Work]) -> int:
        return sum(bool(run.run_id) for work in works for run in work.runs)

    def _set_up(self, platform: RunningPlatform) -> None:
        if not self.works:
            answer = ask(platform.url, "POST", "/admin/bootstrap", {}, X_Admin_Key=ADMIN_KEY)
            assert answer.status == 200, answer.body

    def _end(self, process: subprocess.Popen[bytes]) -> str:
        """Kill it, or ask it to stop, or both: it may die while it stops."""
        how = self.random.choice(["SIGKILL", "SIGKILL", "SIGTERM", "SIGTERM and SIGKILL"])
        if how != "SIGKILL":
            os.killpg(process.pid, signal.SIGTERM)
        if how == "SIGTERM":
            self._note_exit(process.wait(STOP_SECONDS))
            return how
        if how != "SIGKILL":
            time.sleep(self.random.uniform(0, MAX_SECONDS_OF_STOP))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return how

    def _note_exit(self, code: int) -> None:
        if code != 0:
            self.faults.append(f"a platform that was asked to stop ended with {code}")

    @contextmanager
    def _platform(self) -> Iterator[RunningPlatform]:
        with running_platform(self._log(), may_be_killed=True, DATA_DIR=self._data) as platform:
            yield platform

    def _kill_a_start(self) -> str:
        """Start the platform and kill it before or just after it is ready, while it mends what it finds."""
        moment = self.random.uniform(0, MAX_SECONDS_OF_START)
        environment = {"PORT": str(free_port()), "ADMIN_API_KEY": ADMIN_KEY, "DATA_DIR": self._data}
        with self._log().open("wb") as log, started(RUN, environment, log):
            time.sleep(moment)
        return f"SIGKILL {moment:.1f} s after a start; "

    def _log(self) -> Path:
        """Give each platform a log of its own: its banner says where it answers."""
        self.starts += 1
        return self.folder / f"platform-{self.starts}.log"

    @property
    def _data(self) -> str:
        return str(self.folder / "data")
