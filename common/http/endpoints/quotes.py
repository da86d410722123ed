"""What a run would read and cost: of a file before it is uploaded, of a pipeline before it is run."""

from collections.abc import Sequence
from typing import Any

from common.costs.learning import NOTHING_LEARNED, Learned
from common.errors import Violation
from common.http.endpoints.configs import CONFIG_ID, PIPELINE_FILES
from common.http.endpoints.usage import as_number, price_body
from common.http.routing import Access, Answer, Call, Route
from common.http.services import PipelineServices
from common.problems import violation_document
from common.runs.beginning import ReadyRun
from common.runs.quotes import Quote, Quotes, sample_run
from common.runs.step_quotes import StepQuote


def validate_config(call: Call[PipelineServices]) -> Answer:
    """Check a pipeline, and say what it would read and cost.

    The body is a file, as for an upload, or empty for the version that is stored. A file that breaks rules is
    answered as an upload of it would be, with all that is wrong. Else BigQuery judges each step without
    running it, level by level: `is_valid` tells whether all can run. Tables that an earlier step is still to
    make are stood in for by their columns, and what reads them is of unknown bytes. Parameters have their
    defaults. Nothing is kept and nothing is run.
    """
    services, tenant_id, config_id = call.services, call.caller.tenant_id, call.path["config_id"]
    if not call.content.is_empty:
        checked = services.configs.check(tenant_id, config_id, call.content.data, call.content.content_type)
        ready = sample_run(checked.pipeline, services.clock())
        return _answer(services.quotes, ready, call, version=None, warnings=checked.warnings)
    pipeline = services.configs.compiled(tenant_id, config_id)
    return _answer(services.quotes, sample_run(pipeline, services.clock()), call, version=pipeline.version)


def quote_run(call: Call[PipelineServices], ready: ReadyRun) -> Answer:
    """Answer a run that is only to be quoted."""
    return _answer(call.services.quotes, ready, call, version=ready.pipeline.version)


def _answer(
    quotes: Quotes,
    ready: ReadyRun,
    call: Call[PipelineServices],
    *,
    version: int | None,
    warnings: Sequence[Violation] = (),
) -> Answer:
    now = call.services.clock()
    quote, learned = quotes.of(ready, now), quotes.learned_of(ready.pipeline, now)
    return Answer(
        body={
            "pipeline_id": quote.pipeline.config_id,
            "config_version": version,
            "date": ready.run_date,
            "is_valid": quote.is_valid,
            "price": price_body(quotes.price),
            "cost_at_least": as_number(quotes.price.cost(quote.at_least)),
            "warnings": [violation_document(told) for told in warnings],
            "steps": [
                _step_body(quotes, step) | _learned(step, learned.get(step.step.id, NOTHING_LEARNED))
                for step in quote.steps
            ],
        }
        | _bytes(quotes, quote)
    )


def _step_body(quotes: Quotes, quote: StepQuote) -> dict[str, Any]:
    step = quote.step
    return {
        "step_id": step.id,
        "ps_type": step.ps_type,
        "level": step.level,
        "target_table": step.target_table,
        "stand_ins": list(quote.stand_ins),
        "unknown": quote.unknown or None,
        "error": quote.error or None,
        "error_reason": quote.error_reason or None,
    } | _bytes(quotes, quote)


def _learned(quote: StepQuote, learned: Learned) -> dict[str, Any]:
    return {
        "billed_to_estimated": learned.ratio,
        "billed_to_estimated_runs": learned.runs,
        "bytes_billed_expected": learned.expected(quote.bytes_billed),
    }


def _bytes(quotes: Quotes, quote: Quote | StepQuote) -> dict[str, Any]:
    return {
        "bytes_processed": quote.bytes_processed,
        "bytes_billed": quote.bytes_billed,
        "bytes_billed_at_least": quote.at_least,
        "cost": as_number(quotes.price.cost(quote.bytes_billed)),
    }


QUOTE_ROUTES: tuple[Route[PipelineServices], ...] = (
    Route(
        method="POST",
        path="/api/v1/pipelines/configs/{config_id}/validate",
        endpoint=validate_config,
        access=Access.READ,
        parameters=(CONFIG_ID,),
        takes_any_content=True,
        content_examples=PIPELINE_FILES,
        answers={200: "quote"},
        tag="Configs",
    ),
)
