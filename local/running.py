"""`python -m local run`: the platform until Ctrl-C, and what it says meanwhile."""

import os
import sys
from contextlib import closing

from common.warehouse.clients import make_client
from local.first_steps import FirstSteps, Step, missing_step
from local.first_tenant import FirstTenant
from local.interrupts import Interrupts, interrupts_heard
from local.options import Options, options_from_environment
from local.platform import OPEN_BUCKET, Platform


def run() -> int:
    """Serve as the environment asks for; one clear line where it makes no sense."""
    try:
        options = options_from_environment()
    except ValueError as error:
        return cannot_start(error)
    return serve(options)


def serve(options: Options) -> int:
    """Serve until SIGINT or SIGTERM; one clear line where the platform cannot start."""
    with interrupts_heard() as interrupts:
        return _serve_until(interrupts, options)


def _serve_until(interrupts: Interrupts, options: Options) -> int:
    shown_key = options.admin_api_key if options.is_key_generated else "$ADMIN_API_KEY"
    steps = FirstSteps(url=options.url, shown_admin_key=shown_key, say=say_next)
    platform = Platform(options, heard=steps.heard)
    try:
        platform.start()
    except (OSError, RuntimeError) as error:
        return cannot_start(error)
    try:
        print(banner(platform, shown_key), flush=True)
        if options.tenant:
            try:
                print(made_tenant(options, steps), flush=True)
            except OSError as error:
                return cannot_start(error)
        steps.step = first_missing(platform)
        print(f"{steps.next()}\n\nCtrl-C ends it.\n", flush=True)
        interrupts.wait()
        print("Stopping: jobs are ended, what is not done yet goes on with the next start.", flush=True)
    finally:  # The terminal may be gone, and with it our output: the platform still ends in order.
        platform.stop()
    return 0


def cannot_start(error: Exception) -> int:
    """Say in one line why not."""
    print(f"Convergence cannot start: {error}", file=sys.stderr)
    return 1


def say_next(text: str) -> None:
    """Print what comes next, apart from the log's lines."""
    print(f"\n{text}\n", flush=True)


def first_missing(platform: Platform) -> Step:
    """Look up which of the first steps nobody has taken yet."""
    options = platform.options
    client = make_client(
        project=options.project, location=options.location, emulator_host=platform.parts["bigquery"]
    )
    with closing(client):
        return missing_step(client, os.environ.get("CENTRAL_DATASET", "tenants"))


def made_tenant(options: Options, steps: FirstSteps) -> str:
    """Make the tenant that was asked for, and say what its key is."""
    admin_key = options.admin_api_key.partition(",")[0]
    steps.step = Step.FOLLOW  # What is done here is not told of as it is done.
    key = FirstTenant(url=options.url, admin_key=admin_key).make(options.tenant)
    if not key:
        return f"  Tenant         {options.tenant} is there already; its key was shown when it was made\n"
    steps.api_key = key
    return f"  Tenant         {options.tenant}\n  API key        {key}\n"


def banner(platform: Platform, shown_key: str) -> str:
    """Say where everything is."""
    options, parts = platform.options, platform.parts
    data = f"{platform.data_dir} (thrown away at the end)" if options.is_ephemeral else str(platform.data_dir)
    buckets = f"  Buckets        {platform.buckets}: each folder is one, {OPEN_BUCKET} for all tenants\n"
    return f"""
Convergence is ready at {options.url}

  Console        {options.url}/
  API document   {options.url}/openapi.json
  Admin key      {shown_key}
  Data           {data}
  Project        {options.project}
  BigQuery       {parts["bigquery"]}
  Pub/Sub        {parts["pubsub"]}
  Scheduler      {parts["scheduler"]}
{buckets if platform.bigquery else ""}"""
