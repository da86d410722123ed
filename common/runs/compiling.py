"""From a stored config to a pipeline, which is kept by its content."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from common.pipelines.grants import TenantSqlGrants
from common.pipelines.pipeline import Pipeline
from common.runs.ports import ConfigText

MAX_CACHED_BYTES = 16 * 1024 * 1024
"""Of files, by their length; what is made of them takes a few times as much."""
OWN_BYTES = 1024
"""What each entry counts beside its file, so that small ones are bounded too."""

type Compile = Callable[[str, ConfigText], Pipeline]
"""Makes a tenant's pipeline of a stored config; InvalidInput where a rule has come since it was uploaded."""
type CompileText = Callable[[str, str, str, int, TenantSqlGrants], Pipeline]
"""Makes it of a file's text, for a tenant, a config's ID and version, and what holds for the tenant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiled:
    pipeline: Future[Pipeline] = field(default_factory=Future)
    bytes: int


@dataclass(slots=True, kw_only=True)
class CompileCache:
    """Compiles each content once in an instance, however many ask at once; who was asked for last goes last.

    A content is a file with its tenant and its ID, and what else the compiler goes by: what the tenant
    is granted, and the policy that holds for it. What does not compile is not kept.
    """

    compile_text: CompileText
    policy_of: Callable[[str], Hashable]
    max_bytes: int = MAX_CACHED_BYTES
    _kept: OrderedDict[Hashable, _Compiled] = field(default_factory=OrderedDict, repr=False)
    _bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self, tenant_id: str, config: ConfigText) -> Pipeline:
        """Return the pipeline of a config; InvalidInput where a rule has come since it was uploaded."""
        text = config.text.encode()
        digest = hashlib.sha256(text).digest()
        key = (tenant_id, config.config_id, digest, config.grants, self.policy_of(tenant_id))
        with self._lock:
            compiled, is_new = self._find(key, len(text) + OWN_BYTES)
        if is_new:
            self._fill(key, compiled, tenant_id, config)
        # Versions with one text are one pipeline but for their number.
        return replace(compiled.pipeline.result(), version=config.version)

    def _find(self, key: Hashable, size: int) -> tuple[_Compiled, bool]:
        if compiled := self._kept.get(key):
            self._kept.move_to_end(key)
            return compiled, False
        compiled = self._kept[key] = _Compiled(bytes=size)
        self._bytes += size
        while self._bytes > self.max_bytes and len(self._kept) > 1:
            self._forget(next(iter(self._kept)))
        return compiled, True

    def _fill(self, key: Hashable, compiled: _Compiled, tenant_id: str, config: ConfigText) -> None:
        try:
            pipeline = self.compile_text(
                config.text, tenant_id, config.config_id, config.version, config.grants
            )
            compiled.pipeline.set_result(pipeline)
        except BaseException as error:
            with self._lock:
                if self._kept.get(key) is compiled:
                    self._forget(key)
            compiled.pipeline.set_exception(error)
            if not isinstance(error, Exception):
                raise

    def _forget(self, key: Hashable) -> None:
        self._bytes -= self._kept.pop(key).bytes
