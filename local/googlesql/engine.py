"""The analyzer as compiled WebAssembly: compiled once for a machine, one instance for a process."""

import ctypes
import fcntl
import os
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import cast

from google.protobuf.message import Message
from wasmtime import Config, Engine, Func, Linker, Module, SharedMemory, Store, WasiConfig, WasmtimeError
from zetasql.core.wasm_client import get_tzinfo_dir
from zetasql.wasi import get_wasm_path

CACHE = Path(__file__).resolve().parents[2] / "build" / "cache" / "googlesql"

_POINTER_BYTES = 4


class EngineRefusal(Exception):
    """The analyzer answers with an error; its text is the analyzer's own."""


class AnalyzerEngine:
    """One instance of the analyzer: calls by the names of its local service, one at a time."""

    def __init__(self, engine: Engine, module: Module) -> None:
        self._lock = Lock()
        self._store = Store(engine)
        self._store.set_wasi(_system())
        linker = Linker(engine)
        linker.define_wasi()
        self._exports = linker.instantiate(self._store, module).exports(self._store)
        self._call("_initialize")
        self._memory = cast(SharedMemory, self._exports["memory"])

    def call[Answer: Message](self, method: str, request: Message, answer: type[Answer]) -> Answer:
        """Ask the analyzer; EngineRefusal where it answers with an error."""
        with self._lock:
            return answer.FromString(
                self._exchange(f"ZetaSqlLocalService_{method}", request.SerializeToString())
            )

    def _exchange(self, method: str, request: bytes) -> bytes:
        given = self._call("wasm_malloc", len(request) or 1)
        size = self._call("wasm_malloc", _POINTER_BYTES)
        try:
            self._write(given, request)
            answered = self._call(method, given, len(request), size)
            if not answered:
                raise EngineRefusal(self._last_error())
            answer = self._read(answered, int.from_bytes(self._read(size, _POINTER_BYTES), "little"))
            self._call("wasm_free", answered)
            return answer
        finally:
            self._call("wasm_free", given)
            self._call("wasm_free", size)

    def _last_error(self) -> str:
        size = self._call("wasm_get_last_error_size")
        return self._read(self._call("wasm_get_last_error"), size).decode() if size else "no reason given"

    def _call(self, name: str, *arguments: int) -> int:
        return int(cast(Func, self._exports[name])(self._store, *arguments) or 0)

    def _address(self, pointer: int) -> int:
        start = ctypes.cast(self._memory.data_ptr(), ctypes.c_void_p).value or 0
        return start + pointer

    def _write(self, pointer: int, data: bytes) -> None:
        ctypes.memmove(self._address(pointer), data, len(data))

    def _read(self, pointer: int, size: int) -> bytes:
        return ctypes.string_at(self._address(pointer), size)


@cache
def load() -> AnalyzerEngine:
    """Return this process's analyzer; the first call on a machine compiles it."""
    config = Config()
    config.shared_memory = True
    engine = Engine(config)
    return AnalyzerEngine(engine, _module(engine))


def _module(engine: Engine) -> Module:
    """Map the compiled analyzer; processes that find none compile it one after the other, so once."""
    names = (f"zetasql-{version('zetasql')}", f"wasmtime-{version('wasmtime')}", platform.machine())
    path = CACHE / f"{'-'.join(names)}.cwasm"
    if compiled := _compiled(engine, path):
        return compiled
    CACHE.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _compiled(engine, path) or _compile(engine, path)


def _compiled(engine: Engine, path: Path) -> Module | None:
    try:
        return Module.deserialize_file(engine, str(path)) if path.exists() else None
    except WasmtimeError:  # Of another kind of processor, or cut off.
        return None


def _compile(engine: Engine, path: Path) -> Module:
    module = Module.from_file(engine, get_wasm_path())
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_bytes(module.serialize())
    partial.replace(path)
    return module


def _system() -> WasiConfig:
    system = WasiConfig()
    system.inherit_stderr()
    if zones := get_tzinfo_dir():
        system.preopen_dir(zones, "/usr/share/zoneinfo")
    return system
