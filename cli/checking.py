"""Pipeline files checked without a platform, by the rules that an upload goes through."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.pipeline_files import PipelineFile
from common.errors import ConvergenceError, InvalidInput, Violation
from common.pipelines.configs import Compiler, Configs, StoredConfig
from common.pipelines.step_types import load_step_types
from common.pipelines.tables import Policy
from common.times import utc_now

TEMPLATES = Path(__file__).parents[1] / "ps_templates"
PUBLIC_DATA = "bigquery-public-data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose pipelines they are: what SQL may name depends on it."""

    tenant: str = "your_dataset"
    project: str = "your-project"
    sources: frozenset[str] = frozenset({PUBLIC_DATA})


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What there is to say of a file: rules that it breaks, warnings, and how it was understood."""

    file: PipelineFile
    broken: tuple[Violation, ...]
    warnings: tuple[Violation, ...] = ()
    levels: tuple[tuple[str, ...], ...] = ()


class NothingKept:
    """A `ConfigStore` that forgets."""

    def append(self, _config: StoredConfig) -> bool:
        """Take a row, and drop it."""
        return True

    def latest(self, _tenant_id: str, _config_id: str) -> StoredConfig | None:
        """Know of no row."""
        return None

    def version(self, _tenant_id: str, _config_id: str, _version: int) -> StoredConfig | None:
        """Know of no version."""
        return None

    def versions(self, _tenant_id: str, _config_id: str) -> Sequence[StoredConfig]:
        """Know of no versions."""
        return ()

    def current(self, _tenant_id: str) -> Sequence[StoredConfig]:
        """Know of no configs."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """Checks files as if they were uploaded."""

    owner: Owner
    configs: Configs

    @classmethod
    def of(cls, owner: Owner) -> "Checker":
        """Check the files of one owner."""
        policy = Policy(project_id=owner.project, dataset=owner.tenant, allowed_sources=owner.sources)
        compiler = Compiler(
            project_id=owner.project, step_types=load_step_types(TEMPLATES), policy_of=lambda _: policy
        )
        return cls(owner=owner, configs=Configs(store=NothingKept(), compiler=compiler, clock=utc_now))

    def check(self, files: Sequence[PipelineFile]) -> list[Checked]:
        """Check files one by one, and against each other: two cannot be the same pipeline."""
        times = Counter(file.config_id for file in files)
        return [self._check(file, twins=times[file.config_id] - 1) for file in files]

    def _check(self, file: PipelineFile, twins: int) -> Checked:
        broken = (
            [Violation("/pipeline/id", f"{twins} more of these files have the ID {file.config_id}")]
            if twins
            else []
        )
        try:
            saved = self.configs.save(
                tenant_id=self.owner.tenant,
                config_id=file.config_id,
                body=file.data,
                content_type=None,
                created_by=None,
            )
        except InvalidInput as error:
            return Checked(file=file, broken=(*broken, *error.violations))
        except ConvergenceError as error:
            return Checked(file=file, broken=(*broken, Violation("", str(error))))
        levels = tuple(tuple(step.id for step in level) for level in saved.pipeline.levels)
        return Checked(file=file, broken=tuple(broken), warnings=saved.warnings, levels=levels)
