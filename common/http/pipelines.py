"""The tenant API of pipelines: configs and runs."""

from common.errors import Conflict, NotConfigured, NotFound, QuotaExceeded
from common.http.backfills import BACKFILL_ROUTES
from common.http.configs import delete_config, list_config_versions, list_configs, read_config, save_config
from common.http.pipeline_parameters import (
    CONFIG_ID,
    CONFIG_VERSION,
    HISTORY_FILTERS,
    IDEMPOTENCY_KEY,
    RUN_ID,
)
from common.http.queue import QUEUE_ROUTES
from common.http.routes import Access, Route, RouteTable
from common.http.runs import cancel_run, list_runs, read_receipt, read_run, retry_run, run_pipeline
from common.http.schedules import SCHEDULE_ROUTES
from common.http.services import PipelineServices

# A form, as curl calls it, must do too: `-d @file` is how the guide uploads.
PIPELINE_FILES = {
    "application/yaml": """\
pipeline:
  id: bq_etl_test
  name: Daily Data Processing
steps:
  - id: extract_data
    ps_type: bq_etl.query
    config:
      source_query: SELECT * FROM source_table
      target_table: extracted_data
""",
}

PIPELINE_ROUTES: RouteTable[PipelineServices] = RouteTable(
    Route(
        method="GET",
        path="/api/v1/pipelines/configs",
        endpoint=list_configs,
        access=Access.READ,
        answers={200: "config_list"},
        tag="Configs",
    ),
    Route(
        method="POST",
        path="/api/v1/pipelines/configs/{config_id}",
        endpoint=save_config,
        access=Access.MANAGE,
        parameters=(CONFIG_ID,),
        takes_any_content=True,
        content_examples=PIPELINE_FILES,
        answers={200: "config_saved", 201: "config_saved"},
        problems=(Conflict,),
        tag="Configs",
    ),
    Route(
        method="GET",
        path="/api/v1/pipelines/configs/{config_id}",
        endpoint=read_config,
        access=Access.READ,
        parameters=(CONFIG_ID, CONFIG_VERSION),
        answers={200: "config"},
        tag="Configs",
    ),
    Route(
        method="DELETE",
        path="/api/v1/pipelines/configs/{config_id}",
        endpoint=delete_config,
        access=Access.MANAGE,
        parameters=(CONFIG_ID,),
        answers={204: None},
        problems=(Conflict,),
        tag="Configs",
    ),
    Route(
        method="GET",
        path="/api/v1/pipelines/configs/{config_id}/versions",
        endpoint=list_config_versions,
        access=Access.READ,
        parameters=(CONFIG_ID,),
        answers={200: "config_versions"},
        tag="Configs",
    ),
    Route(
        method="POST",
        path="/api/v1/pipelines/run/{config_id}",
        endpoint=run_pipeline,
        access=Access.RUN,
        parameters=(CONFIG_ID, IDEMPOTENCY_KEY),
        request_schema="run_request",
        answers={202: "run_accepted", 200: "run_accepted"},
        problems=(NotFound, Conflict, QuotaExceeded, NotConfigured),
        tag="Runs",
    ),
    Route(
        method="POST",
        path="/api/v1/pipelines/cancel/{pipeline_logging_id}",
        endpoint=cancel_run,
        access=Access.RUN,
        parameters=(RUN_ID,),
        answers={202: "run_accepted", 200: "run_accepted"},
        problems=(Conflict,),
        tag="Runs",
    ),
    Route(
        method="POST",
        path="/api/v1/pipelines/retry/{pipeline_logging_id}",
        endpoint=retry_run,
        access=Access.RUN,
        parameters=(RUN_ID,),
        request_schema="retry_request",
        answers={202: "run_accepted", 200: "run_accepted"},
        problems=(Conflict, QuotaExceeded),
        tag="Runs",
    ),
    Route(
        method="GET",
        path="/api/v1/pipelines/status/{pipeline_logging_id}",
        endpoint=read_run,
        access=Access.READ,
        parameters=(RUN_ID,),
        answers={200: "run_status"},
        tag="Runs",
    ),
    Route(
        method="GET",
        path="/api/v1/pipelines/runs/{pipeline_logging_id}/receipt",
        endpoint=read_receipt,
        access=Access.READ,
        parameters=(RUN_ID,),
        answers={200: "run_receipt"},
        tag="Runs",
    ),
    Route(
        method="GET",
        path="/api/v1/pipelines/history",
        endpoint=list_runs,
        access=Access.READ,
        parameters=HISTORY_FILTERS,
        answers={200: "run_history"},
        tag="Runs",
    ),
    *BACKFILL_ROUTES,
    *QUEUE_ROUTES,
    *SCHEDULE_ROUTES,
)
