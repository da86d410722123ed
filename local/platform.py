"""The whole platform on one machine: what the cloud would provide, then the functions, then the gateway."""

import gc
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path

from common.pipelines.tables import PUBLIC_DATA
from local.bigquery import LocalBigQuery
from local.gateway import Gateway, load_functions
from local.keyring import console_keys_in, keyring_in, levels_keys_in
from local.options import Options
from local.provisioning import provision_scheduler, provision_topics
from local.pubsub import PubSubServer
from local.scheduler import SchedulerServer
from local.serving import WsgiApp
from local.storage import StorageServer

logger = logging.getLogger(__name__)

OPEN_BUCKET = "local-files"
"""The bucket whose files every tenant of the local platform may load and write."""

type Serving = Callable[[Mapping[str, str]], AbstractContextManager[Mapping[str, WsgiApp]]]
"""Serves all functions, which are told an environment, inside a block."""


class Platform:
    """Starts every part in order and ends them in the reverse one, whatever fails on the way."""

    def __init__(
        self,
        options: Options,
        serving: Serving | None = None,
        heard: Callable[[str, str, int], None] = lambda *_: None,
    ) -> None:
        """Choose what to start; functions are served in this process unless `serving` does it.

        `heard` hears of each answer of the gateway's: method, path and status.
        """
        self.options = options
        self._heard = heard
        self._serving = serving
        self.data_dir = options.data_dir
        self.parts: dict[str, str] = {}
        """Where each part answers, by name."""
        self.bigquery: LocalBigQuery | None = None
        """The embedded BigQuery, None where the user gave another one."""
        self.pubsub: PubSubServer | None = None
        self.scheduler: SchedulerServer | None = None
        self._running = ExitStack()

    def start(self) -> None:
        """Start everything; OSError where the gateway's port is taken, and nothing is left running."""
        with ExitStack() as started:
            with _port_of("PORT", self.options.port):
                gateway = Gateway("127.0.0.1", self.options.port, self._heard)
            started.callback(gateway.close)
            self._prepare_data_dir(started)
            with self._bigquery_starting(started) as bigquery:
                serving = self._serving or in_this_process(load_functions())
                self._start_servers(started)
                self.parts["bigquery"] = bigquery.result()
            self._point_at_servers()
            provision_topics(self.options.project, gateway.url)
            functions = started.enter_context(serving(self._environment(gateway.url)))
            started.enter_context(gateway.serving(functions))
            provision_scheduler(self.options, gateway.url)
            self.parts = {"gateway": gateway.url} | self.parts
            self._running = started.pop_all()
        gc.freeze()  # What has been made so far stays in use.
        gc.enable()

    def stop(self) -> None:
        """End everything. Unacknowledged messages are kept and go on with the next start."""
        self._running.close()

    @property
    def buckets(self) -> Path:
        """The folder whose folders are buckets of Cloud Storage."""
        return self.data_dir / "bigquery" / "gcs"

    def __enter__(self) -> "Platform":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prepare_data_dir(self, started: ExitStack) -> None:
        if self.options.is_ephemeral:
            self.data_dir = Path(tempfile.mkdtemp(prefix="convergence-", dir=self.options.data_dir))
            started.callback(shutil.rmtree, self.data_dir, ignore_errors=True)
        self.data_dir.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def _bigquery_starting(self, started: ExitStack) -> Iterator[Future[str]]:
        """Start the embedded BigQuery beside the block: DuckDB opens its files without holding Python up."""
        if self.options.bigquery_host:
            given: Future[str] = Future()
            given.set_result(self.options.bigquery_host)
            yield given
            return
        self.bigquery = LocalBigQuery(
            data_dir=self.data_dir / "bigquery",
            project=self.options.project,
            port=self.options.bigquery_port,
            is_ephemeral=self.options.is_ephemeral,
        )
        self.bigquery.access.is_on = True
        self.bigquery.latency.request_seconds = self.options.latency_ms / 1000
        self.bigquery.latency.job_seconds = self.options.job_seconds
        if self.options.is_sql_strict:
            self.bigquery.strict_sql.begin()
        # It speaks of each of its requests, and of options that DuckDB has no word for.
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
        logging.getLogger("sqlglot").setLevel(logging.ERROR)
        started.callback(self.bigquery.stop)
        with ThreadPoolExecutor(1, "bigquery-start") as beside:
            yield beside.submit(self._start_bigquery, self.bigquery)

    def _start_bigquery(self, bigquery: LocalBigQuery) -> str:
        with _port_of("BIGQUERY_PORT", self.options.bigquery_port):
            return bigquery.start()

    def _start_servers(self, started: ExitStack) -> None:
        if self.bigquery:
            with _port_of("STORAGE_PORT", self.options.storage_port):
                storage = StorageServer(self.buckets, port=self.options.storage_port)
            (self.buckets / OPEN_BUCKET).mkdir(parents=True, exist_ok=True)
            self.parts["storage"] = started.enter_context(storage.serving())
        self.parts["pubsub"] = self.options.pubsub_host
        if not self.options.pubsub_host:
            self.pubsub = PubSubServer(
                port=self.options.pubsub_port,
                journal=self.data_dir / "pubsub.journal",
                has_slow_start=True,
            )
            with _port_of("PUBSUB_PORT", self.options.pubsub_port):
                self.parts["pubsub"] = self.pubsub.start()
            started.callback(self.pubsub.stop)
        self.scheduler = SchedulerServer(port=self.options.scheduler_port)
        with _port_of("SCHEDULER_PORT", self.options.scheduler_port):
            self.parts["scheduler"] = self.scheduler.start()
        started.callback(self.scheduler.stop)

    def _point_at_servers(self) -> None:
        """Let this process's own clients find the servers; those of functions find them in the same way."""
        os.environ |= {
            "BIGQUERY_EMULATOR_HOST": self.parts["bigquery"],
            "PUBSUB_EMULATOR_HOST": self.parts["pubsub"],
            "CLOUD_SCHEDULER_EMULATOR_HOST": self.parts["scheduler"],
        }

    def _environment(self, gateway_url: str) -> dict[str, str]:
        """Return what functions are told."""
        told = {
            "GCP_PROJECT_ID": self.options.project,
            "BIGQUERY_LOCATION": self.options.location,
            "ADMIN_API_KEY": self.options.admin_api_key,
            "CREDENTIALS_KEYRING": keyring_in(self.data_dir),
            "LEVELS_KEYS": levels_keys_in(self.data_dir),
            "PUBLIC_URL": self.options.url,
            "API_URL": gateway_url,
            "CONSOLE_KEYS": console_keys_in(self.data_dir),
            "NOTICES_REACH_LOOPBACK": "true",
            "LOG_FORMAT": os.environ.get("LOG_FORMAT", "text"),
            "BIGQUERY_EMULATOR_HOST": self.parts["bigquery"],
            "PUBSUB_EMULATOR_HOST": self.parts["pubsub"],
            "CLOUD_SCHEDULER_EMULATOR_HOST": self.parts["scheduler"],
        }
        if self.bigquery:  # Another one may know no identities, and no folder for buckets.
            told |= {
                "ALLOWED_SOURCES": os.environ.get("ALLOWED_SOURCES", f"{PUBLIC_DATA},gs://{OPEN_BUCKET}"),
                "STORAGE_EMULATOR_HOST": self.parts["storage"],
                "EXECUTOR_SERVICE_ACCOUNT": account(self.options.project, "executor"),
                "DEDICATED_SERVICE_ACCOUNTS": f"*={account(self.options.project, 'tenant-{tenant}')}",
            }
        return told


def in_this_process(functions: Mapping[str, WsgiApp]) -> Serving:
    """Serve functions that are loaded here; their environment is this process's."""

    def serve(environment: Mapping[str, str]) -> AbstractContextManager[Mapping[str, WsgiApp]]:
        os.environ |= environment
        return nullcontext(functions)

    return serve


@contextmanager
def _port_of(variable: str, port: int) -> Iterator[None]:
    """Name the variable to set where a port cannot be had."""
    try:
        yield
    except OSError as error:
        if not port:
            raise
        raise OSError(f"port {port} is taken; choose another one with {variable}=") from error


def account(project: str, name: str) -> str:
    """Name a service account as Google does."""
    return f"{name}@{project}.iam.gserviceaccount.com"
