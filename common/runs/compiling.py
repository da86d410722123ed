"""From a stored config to a pipeline, and the last look at each of its statements before it runs."""

from dataclasses import dataclass

from common.pipelines.compile import compile_pipeline
from common.pipelines.documents import read_document
from common.pipelines.firewall import judge_dry_run, judge_statement
from common.pipelines.pipeline import Pipeline
from common.pipelines.step_types import StepTypes
from common.pipelines.tables import Policy
from common.runs.ports import DryRun, StepJob, StoredConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigCompiler:
    """Compiles what tenants have uploaded, and judges what comes of it, by the same policy."""

    project_id: str
    step_types: StepTypes
    allowed_sources: frozenset[str]

    def __call__(self, tenant_id: str, config: StoredConfig) -> Pipeline:
        """Compile a stored config; InvalidInput where a rule has come since it was uploaded."""
        return compile_pipeline(
            read_document(config.text.encode(), None),
            tenant_id=tenant_id,
            config_id=config.config_id,
            version=config.version,
            project_id=self.project_id,
            step_types=self.step_types,
            policy=self.policy(tenant_id),
        )

    def judge(self, job: StepJob, dry_run: DryRun) -> str:
        """Say why a step must not run, "" where it may: the text and BigQuery's reading of it must agree."""
        policy = self.policy(job.tenant_id)
        reasons = judge_statement(job.sql, policy).reasons
        reasons += judge_dry_run(dry_run.statement_type, dry_run.tables, policy, dry_run.routines)
        return "; ".join(f"the step {reason}" for reason in dict.fromkeys(reasons))

    def policy(self, tenant_id: str) -> Policy:
        """Return what a tenant may touch."""
        return Policy(project_id=self.project_id, dataset=tenant_id, allowed_sources=self.allowed_sources)
