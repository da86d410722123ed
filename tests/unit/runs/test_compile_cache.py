"""Each content of a config is compiled once in an instance, and for nobody but its tenant."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from common.errors import InvalidInput
from common.pipelines.grants import TenantSqlGrants
from common.pipelines.pipeline import Pipeline
from common.runs.compiling import OWN_BYTES, CompileCache
from common.runs.ports import ConfigText
from tests.unit.runs.examples import a_pipeline

CONFIG = ConfigText(config_id="daily", version=1, text="steps: []")


class Compiler:
    """Counts what it compiles."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fault: Exception | None = None
        self.policy = "strict"

    def __call__(
        self, text: str, tenant_id: str, config_id: str, version: int, grants: TenantSqlGrants
    ) -> Pipeline:
        self.asked.append(text)
        if self.fault:
            raise self.fault
        return replace(a_pipeline(), tenant_id=tenant_id, config_id=config_id, version=version)


def a_cache(compiler: Compiler, entries: int = 10) -> CompileCache:
    max_bytes = entries * (len(CONFIG.text) + OWN_BYTES)
    return CompileCache(
        compile_text=compiler, policy_of=lambda tenant_id: compiler.policy, max_bytes=max_bytes
    )


def test_the_same_content_is_compiled_once_whatever_its_version() -> None:
    compiler = Compiler()
    cache = a_cache(compiler)
    assert [cache("acme", replace(CONFIG, version=number)).version for number in (1, 1, 2)] == [1, 1, 2]
    assert len(compiler.asked) == 1


@pytest.mark.parametrize(
    ("tenant_id", "config"),
    [
        ("globex", CONFIG),
        ("acme", replace(CONFIG, config_id="weekly")),
        ("acme", replace(CONFIG, text="steps: [] ")),
        ("acme", replace(CONFIG, grants=TenantSqlGrants(sources=frozenset({"shared"})))),
        ("acme", replace(CONFIG, grants=TenantSqlGrants(is_isolated=True))),
    ],
    ids=["tenant", "config", "text", "sources", "isolation"],
)
def test_what_a_pipeline_depends_on_is_compiled_again(tenant_id: str, config: ConfigText) -> None:
    compiler = Compiler()
    cache = a_cache(compiler)
    cache("acme", CONFIG)
    assert cache(tenant_id, config).tenant_id == tenant_id
    assert len(compiler.asked) == 2


def test_a_policy_that_changes_is_asked_afresh() -> None:
    compiler = Compiler()
    cache = a_cache(compiler)
    cache("acme", CONFIG)
    compiler.policy = "stricter"
    cache("acme", CONFIG)
    assert len(compiler.asked) == 2


def test_a_config_that_does_not_compile_is_refused_each_time_and_not_kept() -> None:
    compiler = Compiler()
    cache = a_cache(compiler)
    compiler.fault = InvalidInput([])
    for _ in range(2):
        with pytest.raises(InvalidInput):
            cache("acme", CONFIG)
    compiler.fault = None
    assert cache("acme", CONFIG).config_id == "daily"


def test_the_cache_is_bounded_and_forgets_who_was_asked_for_last() -> None:
    compiler = Compiler()
    cache = a_cache(compiler, entries=2)
    first, second, third = (replace(CONFIG, text=f"steps: [{number}") for number in "123")
    for config in (first, second, first, third, first, second):
        cache("acme", config)
    assert compiler.asked == [config.text for config in (first, second, third, second)]


def test_many_who_ask_at_once_wait_for_one_compilation() -> None:
    compiler, begun, may_end = Compiler(), threading.Event(), threading.Event()

    def compile_slowly(
        text: str, tenant_id: str, config_id: str, version: int, grants: TenantSqlGrants
    ) -> Pipeline:
        begun.set()
        may_end.wait()
        return compiler(text, tenant_id, config_id, version, grants)

    cache = CompileCache(compile_text=compile_slowly, policy_of=lambda tenant_id: tenant_id)
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(cache, "acme", CONFIG)
        begun.wait()
        others = [threads.submit(cache, "acme", CONFIG) for _ in range(3)]
        may_end.set()
        assert {future.result().config_id for future in [first, *others]} == {"daily"}
    assert len(compiler.asked) == 1
