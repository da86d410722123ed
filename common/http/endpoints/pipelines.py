"""The tenant API of pipelines: configs, runs, backfills, schedules, tables."""

from common.http.endpoints.backfills import BACKFILL_ROUTES
from common.http.endpoints.checks import CHECK_ROUTES
from common.http.endpoints.configs import CONFIG_ROUTES
from common.http.endpoints.graphs import GRAPH_ROUTES
from common.http.endpoints.quotes import QUOTE_ROUTES
from common.http.endpoints.run_lists import RUN_LIST_ROUTES
from common.http.endpoints.runs import RUN_ROUTES
from common.http.endpoints.schedules import SCHEDULE_ROUTES
from common.http.endpoints.tables import TABLE_ROUTES
from common.http.routing import RouteTable
from common.http.services import PipelineServices

PIPELINE_ROUTES: RouteTable[PipelineServices] = RouteTable(
    *CONFIG_ROUTES,
    *QUOTE_ROUTES,
    *GRAPH_ROUTES,
    *RUN_ROUTES,
    *RUN_LIST_ROUTES,
    *BACKFILL_ROUTES,
    *SCHEDULE_ROUTES,
    *TABLE_ROUTES,
    *CHECK_ROUTES,
)
