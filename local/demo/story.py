"""The demo's chapters, in the guide's order; each shows the command that anybody can type, and its answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cli.progress import seconds, target_tables
from cli.watching import Pace, watch
from common.client import ENDED, Answer, Api, Key
from local.demo import guide
from local.demo.calls import ApiCall
from local.demo.guide import PipelineFile
from local.demo.screen import Screen
from local.demo.tables import TenantTables
from local.demo.verdict import (
    check_any_rows,
    check_csv_rows,
    check_guide_rows,
    check_run,
    check_verdicts,
    check_view,
)

MAX_ROWS_SHOWN = 10
# Each look is a query, on the machine that carries out the run.
PACE = Pace(first_seconds=0.4, max_seconds=0.4, limit_seconds=600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One tenant's way from bootstrap to rows, on one platform."""

    api: Api
    screen: Screen
    tables: TenantTables
    file: PipelineFile
    admin_key: Key
    environment: Mapping[str, str]
    at_the_end: Callable[[Key], None] = lambda _: None
    """What is done with the tenant's key before the summary."""

    def tell(self) -> str:
        """Act all of it out and return the summary; DemoError at the first thing that is amiss."""
        self._environment()
        self._bootstrap()
        tenant_key = self._onboard()
        self._upload(tenant_key)
        run = self._run(tenant_key)
        self._quota(tenant_key)
        self._history(tenant_key)
        rows = self._rows(run)
        self._view()
        if self.file.is_the_guides:
            replace(self, file=guide.csv_file()).tell_of_csv(tenant_key)
        self.at_the_end(tenant_key)
        steps = sum(len(level["steps"]) for level in run["levels"])
        return (
            f"{run['pipeline_id']} ran to {run['status']} in {seconds(run['duration_ms'] / 1000)}: "
            f"{_count(len(run['levels']), 'level')}, {_count(steps, 'step')}, {rows}"
        )

    def tell_of_csv(self, key: Key) -> None:
        """Act out the second part: from a CSV to a result in five calls, without a BigQuery client."""
        self._upload(key)
        self._checks(self._run(key))
        self.screen.chapter("Your tables")
        for table in self._call(guide.tables(key)).body["tables"]:
            written = table["last_written"]
            by = f"{written['pipeline_id']}/{written['step_id']}" if written else "the platform"
            self.screen.line(f"{table['table']:<28}{table['kind']:<8}{table['rows'] or '':<6}{by}")
        self.screen.chapter("Their rows")
        found = self._call(guide.rows(key, guide.CSV_RESULT)).body
        check_csv_rows(guide.CSV_RESULT, found["rows"])
        self.screen.rows(found["rows"])

    def _checks(self, run: Mapping[str, Any]) -> None:
        """Show what the run's answer says of the rows that it published."""
        self.screen.chapter("What its checks found")
        checks = [check for level in run["levels"] for step in level["steps"] for check in step["checks"]]
        for check in checks:
            found = f"{check['observed']}, where {check['expected']} is expected"
            self.screen.line(f"{check['status']:<8}{check['name']:<28}{found}")
        check_verdicts(checks)

    def _environment(self) -> None:
        self.screen.chapter("Set up the environment")
        for name, value in self.environment.items():
            self.screen.command(f"export {name}={value}")
        self.screen.answer(f"a platform of its own answers at {self.api.url}")

    def _bootstrap(self) -> None:
        self.screen.chapter("Bootstrap the system")
        body = self._call(guide.bootstrap(self.admin_key)).body
        self.screen.answer(f"{body['message']}")

    def _onboard(self) -> Key:
        self.screen.chapter("Onboard a tenant")
        body = self._call(guide.onboard(self.tables.tenant)).body
        key = Key.tenant(body["api_key"])
        self.screen.answer(f"{body['tenant_id']}, plan {body['subscription_plan']}, API key {key.shown}")
        return key

    def _upload(self, key: Key) -> None:
        self.screen.chapter("Upload a pipeline")
        body = self._call(guide.upload(key, self.file)).body
        levels = " then ".join(" and ".join(level) for level in body["levels"])
        self.screen.answer(f"{body['message']}: {levels}")

    def _run(self, key: Key) -> Mapping[str, Any]:
        self.screen.chapter("Run it")
        begun = self._call(guide.run_pipeline(key, self.file)).body
        self.screen.answer(f"{begun['status']}: run {begun['pipeline_logging_id']}")
        self.screen.chapter("Follow it")
        call = guide.status(key, begun["pipeline_logging_id"])
        self.screen.command(call.as_curl(self.api.url))
        run: Mapping[str, Any] = watch(
            lambda wait: self.api.send(replace(call, query={"wait": wait or None})).body, self.screen, PACE
        )
        self.screen.line(f"→ {run['status']} in {seconds(run['duration_ms'] / 1000)}", run["status"])
        check_run(run)
        return run

    def _quota(self, key: Key) -> None:
        self.screen.chapter("What the plan leaves")
        body = self._call(guide.quota(key)).body
        uses = [f"{name} {body[name]['used']} of {body[name]['limit']}" for name in _LIMITS]
        self.screen.answer(f"{body['plan_name']}: {', '.join(uses)}")

    def _history(self, key: Key) -> None:
        self.screen.chapter("History")
        for run in self._call(guide.history(key)).body["runs"]:
            duration = seconds(run["duration_ms"] / 1000) if run["status"] in ENDED else ""
            self.screen.answer(
                f"{run['start_time']}  {run['pipeline_id']}  {run['run_date']}  {run['status']}  {duration}"
            )

    def _rows(self, run: Mapping[str, Any]) -> str:
        """Check the rows of all target tables, show those of the last one, and count them in words."""
        written = {table: self.tables.rows(table) for table in target_tables(run)}
        for table, rows in written.items():
            check_any_rows(table, rows)
        final, rows = list(written.items())[-1]
        self.screen.chapter(f"The rows of {self.tables.tenant}.{final}")
        self.screen.rows(rows[:MAX_ROWS_SHOWN])
        if self.file.is_the_guides:
            check_guide_rows(final, rows)
        return f"{_count(len(rows), 'row')} in {self.tables.tenant}.{final}"

    def _view(self) -> None:
        self.screen.chapter(f"{self.tables.tenant}.tenant_comprehensive_view")
        rows = self.tables.comprehensive_view()
        for name, value in (rows[0] if rows else {}).items():
            self.screen.line(f"{name:<24}{value}")
        check_view(rows)

    def _call(self, call: ApiCall) -> Answer:
        self.screen.command(call.as_curl(self.api.url))
        return self.api.send(call)


_LIMITS = ("daily", "monthly", "concurrent")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
