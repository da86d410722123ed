"""From a stored config to a pipeline, and the last look at each of its statements before it runs."""

from dataclasses import dataclass

from common.pipelines.configs import Compiler
from common.pipelines.firewall import judge_dry_run, judge_statement
from common.pipelines.pipeline import Pipeline
from common.pipelines.tables import Policy
from common.runs.ports import ConfigText, DryRun, StepJob


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigCompiler:
    """Compiles what tenants have uploaded, and judges what comes of it, by the same policy."""

    compiler: Compiler

    def __call__(self, tenant_id: str, config: ConfigText) -> Pipeline:
        """Compile a stored config; InvalidInput where a rule has come since it was uploaded."""
        return self.compiler.compile_text(
            config.text, tenant_id, config.config_id, config.version, config.confines
        )

    def judge(self, job: StepJob, dry_run: DryRun | None) -> str:
        """Say why a step must not run, "" where it may: by its text alone, or by BigQuery's reading of it.

        The sources are those that the run was compiled with, so that no run changes its mind half-way.
        """
        policy = Policy(
            project_id=self.compiler.project_id,
            dataset=job.tenant_id,
            allowed_sources=frozenset(job.sources),
            runs_elsewhere=bool(job.credential),
        )
        if dry_run is None:
            reasons = judge_statement(job.work.sql, policy).reasons
        else:
            reasons = judge_dry_run(dry_run.statement_type, dry_run.tables, policy, dry_run.routines)
        return "; ".join(f"the step {reason}" for reason in dict.fromkeys(reasons))
