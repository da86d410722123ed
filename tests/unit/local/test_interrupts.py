"""A signal ends the wait of the main thread, whichever thread has it; then nobody is waited for."""

import subprocess
import sys

PATIENCE_SECONDS = 60

# The main thread does not take the signal, so that the system can only give it to the other one.
WAITS_BESIDE_A_THREAD = """
import os, signal, threading
from local.interrupts import interrupts_heard

with interrupts_heard(lambda *_: print("handled", flush=True)) as interrupts:
    print(interrupts.have_come())
    {before}
    thread = threading.Thread(target=threading.Event().wait, daemon=True)
    thread.start()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    {later}
    interrupts.wait()
    print(interrupts.have_come())
"""


END = "os.kill(os.getpid(), signal.SIGTERM)"


def ran(before: str = "", later: str = "") -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", WAITS_BESIDE_A_THREAD.format(before=before, later=later)],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    return done.stdout.split()


def test_a_signal_to_another_thread_ends_the_wait() -> None:
    assert ran(later=f"threading.Timer(0.2, lambda: {END}).start()") == ["False", "handled", "True"]


def test_a_signal_before_the_wait_ends_it_at_once() -> None:
    assert ran(before=END) == ["False", "handled", "True"]


def test_an_end_waits_for_no_function_that_is_at_work() -> None:
    at_work = """
import threading
from concurrent.futures import ThreadPoolExecutor
from local.__main__ import end

ThreadPoolExecutor(1).submit(threading.Event().wait)
print("said", end="")
end(3)
"""
    done = subprocess.run(
        [sys.executable, "-c", at_work],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "said", "")
