"""Configs: uploaded pipeline files, kept in all their versions.

A config is never changed: an upload appends the next version, a deletion appends a row that says so. Version
numbers are claimed, so that two uploads at once make two versions and neither is lost.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from common.errors import Conflict, InvalidInput, NotFound, Violation
from common.pipelines.compile import Compiled, compile_pipeline
from common.pipelines.documents import document_text, read_document
from common.pipelines.followers import after_in, after_of, circle_violations
from common.pipelines.grants import TenantSqlGrants, no_grants
from common.pipelines.parameters import declare_parameters
from common.pipelines.pipeline import DEFAULT_PRIORITY, Parameter, Pipeline
from common.pipelines.places import located
from common.pipelines.schema import FORMATS
from common.pipelines.sql_tests import SqlTest
from common.pipelines.step_types import StepTypes
from common.pipelines.tables import Policy
from common.pipelines.warnings import plan_warnings, schedule_warnings
from common.pipelines.yaml_documents import Document
from common.times import Clock

MAX_ATTEMPTS = 20
DEFAULT_TIMEZONE = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredConfig:
    """One row of tenant_pipeline_configs: one version of a config, or its deletion (`is_active` false)."""

    config_id: str
    tenant_id: str
    version: int
    pipeline_yaml: str
    content_hash: str
    pipeline_name: str | None
    pipeline_version: str | None
    is_active: bool
    schedule: dict[str, Any] | None
    schedule_cron: str | None
    timezone: str | None
    priority: int | None
    created_by: str | None
    created_at: datetime
    recorded_at: datetime

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What a run can give; nothing where the rules of now cannot read a text of before."""
        try:
            declared: Any = read_document(self.pipeline_yaml.encode(), None).get("parameters") or {}
        except InvalidInput:
            return ()
        return declare_parameters(declared)[0]


class ConfigStore(Protocol):
    """Where the rows of configs are appended and read; deletions are rows as well."""

    def append(self, config: StoredConfig) -> bool:
        """Append a row once its version is claimed; False where another upload has claimed that version."""

    def latest(self, tenant_id: str, config_id: str) -> StoredConfig | None:
        """Return the row of the highest version, None where there never was one."""

    def version(self, tenant_id: str, config_id: str, version: int) -> StoredConfig | None:
        """Return the row of one version, None where there is none."""

    def versions(self, tenant_id: str, config_id: str) -> Sequence[StoredConfig]:
        """List all rows of a config, the newest first."""

    def current(self, tenant_id: str) -> Sequence[StoredConfig]:
        """List the latest row of each config of a tenant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedConfig:
    """The answer to an upload: the row, the pipeline that it makes, and whether it was there already.

    `warnings` tell what breaks no rule, and is perhaps not what was meant.
    """

    config: StoredConfig
    pipeline: Pipeline
    is_unchanged: bool
    warnings: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """Compiles files of any tenant, by the policy that holds for it now."""

    project_id: str
    step_types: StepTypes
    policy_of: Callable[[str], Policy]

    def compile(
        self, document: Document, tenant_id: str, config_id: str, version: int, grants: TenantSqlGrants
    ) -> Compiled:
        """Compile a document; InvalidInput with all its violations."""
        compiled = compile_pipeline(
            document,
            tenant_id=tenant_id,
            config_id=config_id,
            version=version,
            project_id=self.project_id,
            step_types=self.step_types,
            policy=self.policy_of(tenant_id).widened(grants.sources),
        )
        return replace(compiled, pipeline=replace(compiled.pipeline, is_isolated=grants.is_isolated))

    def compile_text(
        self, text: str, tenant_id: str, config_id: str, version: int, grants: TenantSqlGrants
    ) -> Pipeline:
        """Compile a file as it was uploaded."""
        document = read_document(text.encode(), None)
        return self.compile(document, tenant_id, config_id, version, grants).pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Configs:
    """A tenant's configs."""

    store: ConfigStore
    compiler: Compiler
    clock: Clock
    grants_of: Callable[[str], TenantSqlGrants] = no_grants
    """What the operator has set for a tenant; a run reads the same at its admission."""
    daily_limit_of: Callable[[str], int | None] = lambda _: None
    """How many runs a day a tenant's plan has, None where it has no plan."""

    def save(
        self, *, tenant_id: str, config_id: str, body: bytes, content_type: str | None, created_by: str | None
    ) -> SavedConfig:
        """Keep an uploaded file as the next version, unless it is the latest one again.

        Raises what reading (`read_document`) and compiling raise; Conflict where uploads crowd each other.
        """
        checked = self._checked(tenant_id, config_id, body, content_type, created_by)
        saved, is_new = self._append(checked.config, self.store.latest(tenant_id, config_id))
        pipeline = replace(checked.pipeline, version=saved.version)
        return replace(checked, config=saved, pipeline=pipeline, is_unchanged=not is_new)

    def check(self, tenant_id: str, config_id: str, body: bytes, content_type: str | None) -> SavedConfig:
        """Check a file as an upload does and keep nothing; raises what an upload raises."""
        return self._checked(tenant_id, config_id, body, content_type, None)

    def _checked(
        self, tenant_id: str, config_id: str, body: bytes, content_type: str | None, created_by: str | None
    ) -> SavedConfig:
        _check_id(config_id)
        document, text = read_document(body, content_type), document_text(body)
        circles = self._circles(tenant_id, config_id, document)
        try:
            compiled = self.compiler.compile(document, tenant_id, config_id, 1, self.grants_of(tenant_id))
        except InvalidInput as error:
            told = [*error.violations, *circles]
            raise InvalidInput(located(told, document, text), error.summary) from error
        if circles:
            raise InvalidInput(located(circles, document, text), "the pipeline breaks rules")
        now = self.clock()
        row = _row(document, text, tenant_id, config_id, created_by, now)
        owner = f"{tenant_id}/{config_id}"
        of_schedule = (
            *schedule_warnings(row.schedule, owner, now),
            *plan_warnings(row.schedule, owner, now, lambda: self.daily_limit_of(tenant_id)),
        )
        return SavedConfig(
            config=row,
            pipeline=compiled.pipeline,
            is_unchanged=False,
            warnings=tuple(located([*of_schedule, *compiled.warnings], document, text)),
        )

    def _circles(self, tenant_id: str, config_id: str, document: Document) -> list[Violation]:
        """Find where pipelines would run after each other without end."""
        named = after_of(document)
        if not named:
            return []
        rows = (row for row in self.store.current(tenant_id) if row.is_active and row.config_id != config_id)
        others = {row.config_id: after_in(row.pipeline_yaml) for row in rows}
        return circle_violations(config_id, named, others)

    def get(self, tenant_id: str, config_id: str, version: int | None = None) -> StoredConfig:
        """Return a config: its latest version, or the given one, which outlives a deletion. NotFound."""
        if version is None:
            found = self.store.latest(tenant_id, config_id)
        else:
            found = self.store.version(tenant_id, config_id, version)
        if found is None or not found.is_active:
            which = "" if version is None else f" in version {version}"
            raise NotFound(f"there is no pipeline config {config_id!r}{which}")
        return found

    def compiled(self, tenant_id: str, config_id: str, version: int | None = None) -> Pipeline:
        """Compile a kept config by the rules that hold now."""
        row = self.get(tenant_id, config_id, version)
        grants = self.grants_of(tenant_id)
        return self.compiler.compile_text(row.pipeline_yaml, tenant_id, config_id, row.version, grants)

    def tests(
        self, tenant_id: str, config_id: str, version: int | None = None
    ) -> tuple[int, tuple[SqlTest, ...]]:
        """Compile the tests of a kept config by the rules that hold now; and say of which version."""
        row = self.get(tenant_id, config_id, version)
        document = read_document(row.pipeline_yaml.encode(), None)
        grants = self.grants_of(tenant_id)
        return row.version, self.compiler.compile(document, tenant_id, config_id, row.version, grants).tests

    def list(self, tenant_id: str, tag: str = "") -> Sequence[StoredConfig]:
        """List the latest version of each config that is not deleted, by ID; "" leaves the filter out."""
        rows = (row for row in self.store.current(tenant_id) if row.is_active and _has_tag(row, tag))
        return sorted(rows, key=lambda row: row.config_id)

    def versions(self, tenant_id: str, config_id: str) -> Sequence[StoredConfig]:
        """List all versions of a config, deletions among them, the newest first. NotFound."""
        rows = self.store.versions(tenant_id, config_id)
        if not rows:
            raise NotFound(f"there is no pipeline config {config_id!r}")
        return rows

    def delete(self, tenant_id: str, config_id: str, deleted_by: str | None) -> StoredConfig:
        """Append that a config is deleted; its versions stay readable by number. NotFound."""
        latest = self.get(tenant_id, config_id)
        row = replace(latest, is_active=False, created_by=deleted_by, recorded_at=self.clock())
        deleted, _ = self._append(row, latest)
        return deleted

    def _append(self, row: StoredConfig, latest: StoredConfig | None) -> tuple[StoredConfig, bool]:
        """Append a row under the next free version, unless the latest row says the same; tell whether it did.

        A version can be claimed and have no row, for a moment or for good: the upload that claimed it may
        have died. So the next try is not what the rows say, but what nobody was seen to hold.
        """
        version = 0
        for _ in range(MAX_ATTEMPTS):
            if latest and _state(latest) == _state(row):
                return latest, False
            version = max(version, latest.version if latest else 0) + 1
            created_at = latest.created_at if latest else row.created_at
            candidate = replace(row, version=version, created_at=created_at)
            if self.store.append(candidate):
                return candidate, True
            latest = self.store.latest(row.tenant_id, row.config_id)
        raise Conflict(f"the config {row.config_id!r} is being uploaded many times at once; try again")


def _state(row: StoredConfig) -> tuple[bool, str]:
    return row.is_active, row.content_hash


def _has_tag(row: StoredConfig, tag: str) -> bool:
    """Tell whether a config's file has a tag; most files that have it not need no reading for that."""
    text = row.pipeline_yaml
    if not tag or (tag not in text and "\\" not in text):
        return not tag
    header: Any = read_document(text.encode(), None).get("pipeline")
    return tag in header.get("tags", ())


def _check_id(config_id: str) -> None:
    pattern, rule = FORMATS["id"]
    if not pattern.fullmatch(config_id):
        raise InvalidInput([Violation("/config_id", rule)], "the config's ID in the address breaks a rule")


def _row(
    document: Document, text: str, tenant_id: str, config_id: str, created_by: str | None, now: datetime
) -> StoredConfig:
    header: Any = document["pipeline"]
    schedule: Any = document.get("schedule")
    return StoredConfig(
        config_id=config_id,
        tenant_id=tenant_id,
        version=0,
        pipeline_yaml=text,
        content_hash=hashlib.sha256(text.encode()).hexdigest(),
        pipeline_name=header["name"],
        pipeline_version=header.get("version"),
        is_active=True,
        schedule=schedule,
        schedule_cron=schedule["cron"] if schedule else None,
        timezone=schedule.get("timezone", DEFAULT_TIMEZONE) if schedule else None,
        priority=int(header.get("priority", DEFAULT_PRIORITY)),
        created_by=created_by,
        created_at=now,
        recorded_at=now,
    )
