"""What holds for every test: none can reach a real cloud."""

import atexit
import gc
import os
from collections.abc import Generator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]

OWN_PLATFORMS = frozenset({"check_bursts", "check_kills", "test_first_steps", "test_restarts"})
"""End-to-end tests that start platforms of their own; the others share one a process."""

OBJECTS_BEFORE_GARBAGE = 50_000


def pytest_configure() -> None:
    """Hide the developer's own Google Cloud: a client built without a fake then fails at once, by name."""
    for name in ("GCP_PROJECT_ID", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_QUOTA_PROJECT", "ADMIN_API_KEY"):
        os.environ.pop(name, None)
    os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = "/no/credentials/in/tests"
    os.environ["NO_GCE_CHECK"] = "true"


def pytest_sessionstart(session: pytest.Session) -> None:
    """End one of several processes at once: it takes seconds to give back piece by piece what it holds."""
    if _place_among_processes(session.config):
        atexit.register(os._exit, 0)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among the modules and the tests: they stay, and are most of what there is.

    Nor look for it among the tests' own things more often than they can make much of it.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(OBJECTS_BEFORE_GARBAGE)
        gc.enable()


@pytest.hookimpl(tryfirst=True, specname="pytest_collection")
def begin_elsewhere(session: pytest.Session) -> None:
    """Let each of several processes begin to import elsewhere: a module is compiled once for all of them."""
    if place := _place_among_processes(session.config):
        number, processes = place
        modules = sorted(_modules_of_tests(session.config))
        first = len(modules) * number // processes
        for module in modules[first:] + modules[:first]:
            with suppress(Exception, pytest.skip.Exception):  # Which is told when the module is collected.
                import_module(module)


def _place_among_processes(config: pytest.Config) -> tuple[int, int] | None:
    """Return the number of this process and how many there are; None where there is one alone."""
    given = getattr(config, "workerinput", None)
    return (int(given["workerid"].removeprefix("gw")), given["workercount"]) if given else None


def _modules_of_tests(config: pytest.Config) -> set[str]:
    """List the modules that are asked for, by their names."""
    places = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    files = {
        file
        for place in places
        for pattern in config.getini("python_files")
        for file in (place.rglob(pattern) if place.is_dir() else [place])
    }
    return {".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Have one process more than there are cores: many tests wait: for disks, browsers, programs."""
    return (os.process_cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file in one process, and with them those of the files that share its platform."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # noqa: PLC0415

    scheduling = LoadFileScheduling(config, log)
    scheduling._split_scope = shared_scope
    return scheduling


def shared_scope(nodeid: str) -> str:
    """Name the file that a test is in, or the folder whose files share a platform."""
    file = Path(nodeid.partition("::")[0])
    shares = file.parent.name == "e2e" and file.stem not in OWN_PLATFORMS
    return str(file.parent if shares else file)
