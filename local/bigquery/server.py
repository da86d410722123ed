"""The local BigQuery: one call starts the embedded server and the proxy in front of it in this process."""

import asyncio
import socket
import threading
from collections.abc import Collection, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import uvicorn
from local_bigquery.app import app
from uvicorn.protocols.http.h11_impl import H11Protocol

from local.bigquery import jobs
from local.bigquery.access import Access
from local.bigquery.billing import Billing
from local.bigquery.calls import Scope
from local.bigquery.changed_layouts import ChangedLayouts
from local.bigquery.columnless_tables import ColumnlessTables
from local.bigquery.constant_jobs import ConstantJobs
from local.bigquery.counts import Counts
from local.bigquery.dml_limits import DmlLimits, StreamingBuffer
from local.bigquery.engine import Engine
from local.bigquery.faults import Faults
from local.bigquery.fresh_tables import FreshTables, StreamingDelay
from local.bigquery.googlesql import GoogleSql
from local.bigquery.housekeeping import Housekeeping
from local.bigquery.job_ids import JobIds
from local.bigquery.job_settings import JobNames, JobSettings, JobTimeouts
from local.bigquery.latency import Latency
from local.bigquery.merges import Merges
from local.bigquery.metadata_updates import MetadataRates, MetadataTurns
from local.bigquery.proxy import Layer, Proxy
from local.bigquery.query_answers import LongPolls, ShortQueries
from local.bigquery.streamed_rows import InsertIds, StreamedRows
from local.bigquery.strict_sql import StrictSql
from local.bigquery.switch import Limits
from local.bigquery.unavailable import Unavailable
from local.bigquery.views import ViewsAndCopies

GRACEFUL_SECONDS = 5
"""How long requests on their way have when the server stops."""


class LocalBigQuery:
    """BigQuery's REST API on this machine; its data lasts in `data_dir`. One per process.

    Read and set while it runs: `counts` of requests, `faults` to script, `latency` to add, `limits`,
    `streaming_delay` and `access` to switch on. `identities` (bearer token to e-mail address) and `owners`
    (e-mail addresses) are for `access`. An ephemeral folder is of no use later.
    """

    _running: ClassVar["LocalBigQuery | None"] = None
    _only_one: ClassVar[threading.Lock] = threading.Lock()

    def __init__(
        self,
        *,
        data_dir: Path,
        project: str = "local",
        host: str = "127.0.0.1",
        port: int = 0,
        is_ephemeral: bool = False,
        housekeeping: Housekeeping | None = None,
        identities: Mapping[str, str] | None = None,
        owners: Collection[str] = (),
    ) -> None:
        self.project = project
        self.url = ""
        self.engine = Engine(data_dir.resolve(), project, is_ephemeral=is_ephemeral)
        self.counts = Counts()
        self.housekeeping = housekeeping or Housekeeping()
        self.job_ids = JobIds()
        self.faults = Faults(self.job_ids)
        self.latency = Latency()
        self.access = Access(identities or {}, frozenset(owners))
        self.limits = Limits()
        self.strict_sql = StrictSql()
        self.streaming_delay = StreamingDelay()
        self.billing = Billing()
        self._layers: list[Layer] = [
            self.counts,
            self.latency,
            ShortQueries(),
            self.faults,
            JobNames(),
            JobSettings(),
            self.job_ids,
            Unavailable(),
            GoogleSql(),
            ChangedLayouts(),
            ViewsAndCopies(),
            ColumnlessTables(),
            self.access,
            self.strict_sql,
            self.billing,
            MetadataRates(self.limits),
            MetadataTurns(),
            StreamingBuffer(self.limits),
            DmlLimits(self.limits),
            JobTimeouts(),
            InsertIds(),
            FreshTables(self.streaming_delay),
            StreamedRows(),
            ConstantJobs(),
            Merges(),
            LongPolls(),
            self.housekeeping,
        ]
        self._address = (host, port)
        self._proxy = Proxy(app, self._layers, self._cut)
        self._ready = threading.Event()

    @classmethod
    def running(cls) -> "LocalBigQuery | None":
        """Return the server that runs in this process."""
        return LocalBigQuery._running

    def start(self) -> str:
        """Start serving and return the server's URL; raise OSError when the port is taken."""
        with self._only_one:
            if LocalBigQuery._running:
                raise RuntimeError(
                    f"a LocalBigQuery already runs in this process, at {LocalBigQuery._running.url}"
                )
            listener = socket.create_server(self._address)
            # Inherited by each connection; without it an answer waits 40 ms for the client's delayed ACK.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self.engine.open()
            except BaseException:
                listener.close()
                raise
            self.housekeeping.recall()
            LocalBigQuery._running = self
        self.url = "http://{}:{}".format(*listener.getsockname())
        self._ready.clear()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listener)), name="bigquery-server", daemon=True
        )
        self._thread.start()
        self._ready.wait()
        return self.url

    def stop(self) -> None:
        """Stop serving, write everything to the data folder and let go of it; do nothing when not started."""
        with self._only_one:
            if LocalBigQuery._running is not self:
                return
            self._server.should_exit = True
            self._thread.join()
            self.engine.close()
            LocalBigQuery._running = None

    def save(self, folder: Path) -> None:
        """Copy all tables into a folder that is not there yet; requests on their way are answered first."""
        self.run(self._save(folder))

    def reset(self, saved: Path | None = None) -> None:
        """Delete all data, and all that the layers remember; requests on their way are answered first.

        `saved` is a folder that `save` has filled: what it holds is there instead.
        """
        self.run(self._reset(saved))

    def tidy(self) -> None:
        """Do the chores of housekeeping now."""
        self.run(self.housekeeping.tidy(self.engine))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the server's event loop, and return its result."""
        if LocalBigQuery._running is not self:
            work.close()
            raise RuntimeError("this LocalBigQuery is not started")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _serve(self, listener: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        config = uvicorn.Config(
            self._proxy,
            http="h11",
            ws="none",
            proxy_headers=False,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=GRACEFUL_SECONDS,
        )
        self._server = uvicorn.Server(config)
        chores = asyncio.create_task(self.housekeeping.run(self.engine))
        serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:
            await asyncio.sleep(0.001)
        self._ready.set()
        await serving
        chores.cancel()
        await asyncio.wait([chores])

    async def _save(self, folder: Path) -> None:
        async with self._proxy.gate.alone():
            await asyncio.to_thread(self.engine.save, folder)

    async def _reset(self, saved: Path | None) -> None:
        async with self._proxy.gate.alone():
            await asyncio.to_thread(jobs.end_all, 0.0)
            await asyncio.to_thread(self.engine.wipe, saved)
            for layer in self._layers:
                layer.reset()
        self.limits.reset()
        self.streaming_delay.reset()
        self.access.is_on = False

    def _cut(self, scope: Scope) -> None:
        for connection in list(self._server.server_state.connections):
            if isinstance(connection, H11Protocol) and connection.client == scope["client"]:
                connection.transport.abort()
