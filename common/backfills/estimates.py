"""What a backfill may read: the sum of BigQuery's dry runs over its intervals, or over a sample of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from common.at_once import AtOnce, one_by_one
from common.pipelines.parameters import told_as_given
from common.pipelines.pipeline import Pipeline
from common.queue.waiting import WaitingRun
from common.runs.level_messages import LevelMessage
from common.runs.quotes import Quote, Quotes

MAX_DRY_RUNS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Bytes for all runs, None where BigQuery cannot tell; and about how many of them it was asked."""

    bytes_processed: int | None
    asked: int
    bytes_billed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillEstimates:
    """Quotes a sample of the runs."""

    quotes: Quotes
    at_once: AtOnce

    def of(self, pipeline: Pipeline, runs: Sequence[WaitingRun]) -> Estimate:
        """Estimate what runs of a pipeline read; InvalidInput where their parameters break rules."""
        asked = spread(runs, max(1, MAX_DRY_RUNS // len(pipeline.steps)))
        quotes = replace(self.quotes, at_once=one_by_one)
        messages = [_message(run, pipeline) for run in asked]
        found = self.at_once(quotes.of_message, messages) if messages else []
        return Estimate(
            bytes_processed=_total([_known(one, one.bytes_processed) for one in found], len(runs)),
            bytes_billed=_total([_known(one, one.bytes_billed) for one in found], len(runs)),
            asked=len(asked),
        )


def _known(quote: Quote, count: int | None) -> int | None:
    return count if quote.is_valid else None


def _total(found: Sequence[int | None], runs: int) -> int | None:
    """Conclude from some runs on all of them; None where one of them is unknown."""
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    return round(sum(known) * runs / len(found)) if found else 0


def spread[T](items: Sequence[T], max_items: int) -> list[T]:
    """Take items from the first to the last, as evenly as can be."""
    if len(items) <= max_items:
        return list(items)
    places = {round(number * (len(items) - 1) / max(1, max_items - 1)) for number in range(max_items)}
    return [items[place] for place in sorted(places)]


def _message(run: WaitingRun, pipeline: Pipeline) -> LevelMessage:
    with told_as_given():
        ready = run.ready(pipeline)
    return LevelMessage(run=run.as_run(ready.parameters), pipeline=pipeline, level=1)
