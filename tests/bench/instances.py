"""The dispatcher as the cloud has it: an instance is a process of its own and has the environment alone."""

import logging
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

from functions_framework import create_app
from werkzeug.test import Client

from local.gateway import FUNCTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One call of the dispatcher: its answer, and the time it took, by the clock and of one core."""

    answer: dict[str, Any]
    seconds: float
    cpu_seconds: float


def tick() -> Tick:
    """Call the dispatcher once, in a new instance; so this process's core is left to the servers."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as instance:
        return instance.submit(_tick).result()


def _tick() -> Tick:
    main = FUNCTIONS / "dispatcher" / "main.py"
    client = Client(create_app(target="dispatcher", source=str(main)))
    logging.disable(logging.INFO)  # Ten thousand lines of admitted runs are no part of the table.
    began, cpu_began = time.perf_counter(), time.process_time()
    answer = client.post("/").get_json()
    return Tick(
        answer=answer,
        seconds=time.perf_counter() - began,
        cpu_seconds=time.process_time() - cpu_began,
    )
