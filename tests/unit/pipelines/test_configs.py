"""Configs: versions that are never lost, never doubled and never another tenant's."""

import hashlib
import threading
from dataclasses import replace

import pytest

from common.errors import Conflict, InputTooLarge, InvalidInput, MalformedInput, NotFound
from common.pipelines.configs import Compiler, Configs, SavedConfig, StoredConfig
from common.pipelines.tables import Policy
from tests.fakes.clock import START, VirtualClock
from tests.fakes.configs import MemoryConfigs
from tests.unit.pipelines.examples import PROJECT, ROOT, STEP_TYPES

YAML = """pipeline: {name: Daily, version: "1.0", priority: 2}
schedule: {cron: 30 5 * * *, timezone: Europe/Berlin}
steps:
  - id: load
    ps_type: bq_etl.query
    config: {source_query: SELECT 1 AS a, target_table: t}
"""


class Platform:
    """Configs on rows in memory."""

    def __init__(self, store: MemoryConfigs | None = None) -> None:
        self.store = store or MemoryConfigs()
        self.clock = VirtualClock()
        self.configs = Configs(
            store=self.store,
            compiler=Compiler(
                project_id=PROJECT,
                step_types=STEP_TYPES,
                policy_of=lambda tenant_id: Policy(project_id=PROJECT, dataset=tenant_id),
            ),
            clock=self.clock,
        )

    def save(self, text: str = YAML, config_id: str = "daily", tenant_id: str = "acme") -> SavedConfig:
        return self.configs.save(
            tenant_id=tenant_id,
            config_id=config_id,
            body=text.encode(),
            content_type="application/yaml",
            created_by="key-1",
        )


def test_an_upload_is_the_first_version_and_says_what_the_file_says() -> None:
    platform = Platform()
    saved = platform.save()
    assert not saved.is_unchanged
    assert saved.pipeline.version == 1
    assert saved.config == StoredConfig(
        config_id="daily",
        tenant_id="acme",
        version=1,
        pipeline_yaml=YAML,
        content_hash=hashlib.sha256(YAML.encode()).hexdigest(),
        pipeline_name="Daily",
        pipeline_version="1.0",
        is_active=True,
        schedule={"cron": "30 5 * * *", "timezone": "Europe/Berlin"},
        schedule_cron="30 5 * * *",
        timezone="Europe/Berlin",
        priority=2,
        created_by="key-1",
        created_at=START,
        recorded_at=START,
    )
    assert platform.store.rows == [saved.config]


def test_the_same_upload_again_makes_no_version() -> None:
    platform = Platform()
    first = platform.save()
    again = platform.save()
    assert again.is_unchanged
    assert again.config == first.config
    assert len(platform.store.rows) == 1


def test_another_upload_is_the_next_version_and_keeps_when_the_first_was() -> None:
    platform = Platform()
    platform.save()
    platform.clock.sleep(60)
    saved = platform.save(YAML.replace("Daily", "Nightly"))
    assert (saved.config.version, saved.pipeline.version, saved.pipeline.name) == (2, 2, "Nightly")
    assert saved.config.created_at == START
    assert saved.config.recorded_at > START


def test_going_back_to_an_earlier_text_is_a_version_too() -> None:
    platform = Platform()
    platform.save()
    platform.save(YAML.replace("Daily", "Nightly"))
    assert platform.save().config.version == 3


def test_the_latest_version_is_returned_or_the_one_asked_for() -> None:
    platform = Platform()
    platform.save()
    platform.save(YAML.replace("Daily", "Nightly"))
    assert platform.configs.get("acme", "daily").pipeline_name == "Nightly"
    assert platform.configs.get("acme", "daily", 1).pipeline_name == "Daily"
    assert [row.version for row in platform.configs.versions("acme", "daily")] == [2, 1]
    with pytest.raises(NotFound, match="no pipeline config 'daily' in version 3"):
        platform.configs.get("acme", "daily", 3)


def test_a_kept_config_compiles_again() -> None:
    platform = Platform()
    saved = platform.save()
    assert platform.configs.compiled("acme", "daily") == saved.pipeline
    assert platform.configs.compiled("acme", "daily", 1) == saved.pipeline


def test_a_kept_config_that_breaks_a_rule_by_now_is_refused() -> None:
    platform = Platform()
    platform.save(YAML.replace("SELECT 1 AS a", "SELECT * FROM `bigquery-public-data.samples.natality`"))
    walled = Compiler(
        project_id=PROJECT,
        step_types=STEP_TYPES,
        policy_of=lambda tenant: Policy(project_id=PROJECT, dataset=tenant, allowed_sources=frozenset()),
    )
    with pytest.raises(InvalidInput, match=r"reads bigquery-public-data\.samples\.natality"):
        replace(platform.configs, compiler=walled).compiled("acme", "daily")


def test_a_deleted_config_is_gone_and_its_versions_are_not() -> None:
    platform = Platform()
    platform.save()
    deleted = platform.configs.delete("acme", "daily", "key-2")
    assert (deleted.version, deleted.is_active, deleted.created_by) == (2, False, "key-2")
    for ask in (platform.configs.get, platform.configs.compiled):
        with pytest.raises(NotFound):
            ask("acme", "daily")
    with pytest.raises(NotFound):
        platform.configs.delete("acme", "daily", "key-2")
    assert platform.configs.list("acme") == []
    assert platform.configs.get("acme", "daily", 1).version == 1
    assert platform.save().config.version == 3


def test_configs_are_listed_by_their_ids_in_their_latest_versions() -> None:
    platform = Platform()
    platform.save(config_id="b")
    platform.save(config_id="a")
    platform.save(YAML.replace("Daily", "Nightly"), config_id="b")
    listed = platform.configs.list("acme")
    assert [(row.config_id, row.version) for row in listed] == [("a", 1), ("b", 2)]


def test_no_tenant_sees_or_touches_another_ones_configs() -> None:
    platform = Platform()
    platform.save()
    for ask in (platform.configs.get, platform.configs.compiled, platform.configs.versions):
        with pytest.raises(NotFound):
            ask("other", "daily")
    with pytest.raises(NotFound):
        platform.configs.get("other", "daily", 1)
    with pytest.raises(NotFound):
        platform.configs.delete("other", "daily", None)
    assert platform.configs.list("other") == []
    assert platform.save(tenant_id="other").config.version == 1
    assert platform.configs.get("acme", "daily").tenant_id == "acme"


def test_two_uploads_at_once_make_two_versions() -> None:
    platform = Platform()
    start = threading.Barrier(8)

    def upload(number: int) -> None:
        start.wait()
        platform.save(YAML.replace("Daily", f"Daily {number}"))

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(row.version for row in platform.store.rows) == list(range(1, 9))
    assert len({row.pipeline_name for row in platform.store.rows}) == 8


class OneStaleRead(MemoryConfigs):
    """Rows of which the first read sees nothing yet."""

    stale = True

    def latest(self, tenant_id: str, config_id: str) -> StoredConfig | None:
        was_stale, self.stale = self.stale, False
        return None if was_stale else super().latest(tenant_id, config_id)


def test_the_same_upload_twice_at_once_makes_one_version() -> None:
    store = OneStaleRead()
    first = Platform(store).save()
    store.stale = True
    second = Platform(store).save()
    assert second.is_unchanged
    assert second.config == first.config
    assert len(store.rows) == 1


def test_a_version_whose_uploader_died_is_passed_over() -> None:
    platform = Platform()
    platform.save()
    platform.store.claims |= {("acme", "daily", 2), ("acme", "daily", 3)}
    assert platform.save(YAML.replace("Daily", "Nightly")).config.version == 4


def test_uploads_that_crowd_each_other_out_end_in_a_conflict() -> None:
    platform = Platform()
    platform.store.claims |= {("acme", "daily", version) for version in range(1, 30)}
    with pytest.raises(Conflict, match="uploaded many times at once"):
        platform.save()
    assert platform.store.rows == []


@pytest.mark.parametrize("config_id", ["", "Daily", "a b", "a/b", "1a", "a" * 64, "a\n", "../x"])
def test_an_id_that_is_none_is_refused(config_id: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Platform().save(config_id=config_id)
    assert refused.value.violations[0].pointer == "/config_id"


@pytest.mark.parametrize(
    ("text", "error"),
    [("a: [", MalformedInput), ("pipeline: {name: a}\n", InvalidInput), ("a: " + "[" * 99, InputTooLarge)],
)
def test_a_file_with_violations_leaves_nothing(text: str, error: type[Exception]) -> None:
    platform = Platform()
    with pytest.raises(error):
        platform.save(text)
    assert platform.store.rows == []
    assert platform.store.claims == set()


def test_the_shipped_pipeline_can_be_uploaded_with_and_without_its_line_breaks() -> None:
    platform = Platform()
    text = (ROOT / "configs/setup/bq_etl_test.yml").read_text(encoding="utf-8")
    whole = platform.save(text, "bq_etl_test")
    stripped = platform.save(text.replace("\n", ""), "bq_etl_test")
    assert replace(whole.pipeline, version=2) == stripped.pipeline
