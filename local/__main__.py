"""`python -m local run`: the platform until Ctrl-C. `python -m local demo`: one tenant's way through it."""

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path

from local.options import Options, options_from_environment
from local.platform import Platform


def main() -> int:
    """Parse the command and do it."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="serve the platform until Ctrl-C")
    demo = commands.add_parser("demo", help="onboard a tenant and watch its pipeline run")
    demo.add_argument("--config", type=Path, help="a pipeline file of your own")
    given = parser.parse_args()
    if given.command == "demo":
        from local.demo import run  # noqa: PLC0415 - `run` needs none of what draws the demo

        return run(given.config)
    return serve(options_from_environment())


def serve(options: Options) -> int:
    """Serve until SIGINT or SIGTERM; one clear line where the platform cannot start."""
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    # The local BigQuery speaks of each of its requests, and of options that DuckDB has no word for.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    platform = Platform(options)
    try:
        platform.start()
    except (OSError, RuntimeError) as error:
        print(f"Convergence cannot start: {error}", file=sys.stderr)
        return 1
    try:
        print(banner(platform), flush=True)
        stopped.wait()
        print("Stopping: jobs are ended, what is not done yet goes on with the next start.", flush=True)
    finally:  # The terminal may be gone, and with it our output: the platform still ends in order.
        platform.stop()
    return 0


def banner(platform: Platform) -> str:
    """Say where everything is, and what to do first."""
    options, parts = platform.options, platform.parts
    shown_key = options.admin_api_key if options.is_key_generated else "$ADMIN_API_KEY"
    data = f"{platform.data_dir} (thrown away at the end)" if options.is_ephemeral else str(platform.data_dir)
    return f"""
Convergence is ready at {options.url}

  API document   {options.url}/openapi.json
  Admin key      {shown_key}
  Data           {data}
  Project        {options.project}
  BigQuery       {parts["bigquery"]}
  Pub/Sub        {parts["pubsub"]}
  Scheduler      {parts["scheduler"]}

First:
  curl -X POST "{options.url}/admin/bootstrap" -H "X-Admin-Key: {shown_key}" \\
    -H "Content-Type: application/json" -d '{{}}'

Ctrl-C ends it.
"""


if __name__ == "__main__":
    sys.exit(main())
