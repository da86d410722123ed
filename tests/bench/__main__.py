"""Count what runs and a full minute cost: `make bench FIRINGS=10000` (LATENCY_MS=400 as in the cloud)."""

import argparse
import logging
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.bursts import bursts
from tests.bench.cold_start import PARTS, modules_of, read_budget
from tests.bench.limits import loads
from tests.bench.minutes import COST_OF_A_MINUTE, minute
from tests.bench.ratios import SQL, STEPS, ratios
from tests.bench.report import Report
from tests.bench.tenants import CONFIGS_PER_TENANT
from tests.bench.throughput import admissions, answered
from tests.bench.years import readings
from tests.functional.costs import COST_OF_A_RUN, Counted, Levels, cost_of_a_run
from tests.functional.serving import serving
from tests.functional.site import Site, Tenant, numbered

SHAPES: dict[str, Levels] = {
    "L=1 N=1": ({"a": SQL},),
    "L=3 N=4": ({"a": SQL}, {"b": SQL}, {"c": SQL, "d": SQL}),
    f"L=1 N={STEPS}": ({f"step_{number}": SQL for number in range(STEPS)},),
}
LEVEL_SECONDS = 300
"""A busy machine must not make a level go on in a second message: counted is what goes well."""


def main() -> int:
    """Run all parts, and return 1 where a count is not what docs/exactly-once.md promises."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--firings", type=int, default=1500, help="due in the minute, ten for each tenant")
    parser.add_argument("--latency-ms", type=int, default=0, help="what each answer of BigQuery takes longer")
    given = parser.parse_args()
    for name in ("uvicorn", "sqlglot"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.disable(logging.INFO)
    report = Report()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), LEVEL_SECONDS) as site:
        tenants = map(site.onboard, numbered("bench"))
        counted = list(_runs(site, tenants, report))
        report.readings(readings(site, next(tenants)))
        report.loads(loads(site, next(tenants)))
        counted += _minute(site, report, given.firings, given.latency_ms / 1000)
        # Last of all: nobody carries out the runs that are admitted here, nor those of the minute.
        busy = next(tenants)
        report.answered([*answered(site, busy), *admissions(busy)])
    report.cold_starts({function: modules_of(function) for function in PARTS}, read_budget())
    burst, *longer = bursts()
    report.bursts([burst, *longer])
    broken = sum(not one.is_kept for one in counted) + (not burst.is_kept)
    report.verdict(broken)
    return 1 if broken else 0


def _runs(site: Site, tenants: Iterator[Tenant], report: Report) -> Sequence[Counted]:
    counted = {name: cost_of_a_run(site, next(tenants), levels) for name, levels in SHAPES.items()}
    report.costs(COST_OF_A_RUN, counted)
    report.ratios(list(ratios(site, tenants)))
    return [one for counts in counted.values() for one in counts]


def _minute(site: Site, report: Report, firings: int, latency_seconds: float) -> Sequence[Counted]:
    calls = []
    for call in minute(site, max(1, firings // CONFIGS_PER_TENANT), latency_seconds):
        report.call(call)
        calls.append(call)
    report.costs(COST_OF_A_MINUTE, {f"F={call.firings:,}": call.counted for call in calls})
    return [one for call in calls for one in call.counted]


if __name__ == "__main__":
    sys.exit(main())
