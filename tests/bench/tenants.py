"""Tenants with schedules that are due now, streamed into the central tables."""

import json
from datetime import timedelta
from itertools import batched
from typing import Any

from common.times import to_rfc3339, utc_now
from common.warehouse.bigquery import Central
from common.warehouse.streaming import Streaming
from tests.functional.site import a_pipeline_file

CONFIGS_PER_TENANT = 10
ROWS_PER_CALL = 500
SCHEDULE = {"cron": "0 0 * * *", "catch_up": "latest"}
PLAN = {"plan_name": "SCALE", "daily_limit": 100, "monthly_limit": 3000, "concurrent_limit": 10}
PIPELINE = a_pipeline_file({"a": "SELECT 1 AS n"})


def add_tenants(central: Central, count: int, prefix: str = "bench") -> list[str]:
    """Have tenants on the plan SCALE, each with ten configs that are due now; name them."""
    streaming = Streaming(central=central)
    tenant_ids = [f"{prefix}_{number:05}" for number in range(count)]
    for table, rows in _rows(tenant_ids).items():
        for portion in batched(enumerate(rows), ROWS_PER_CALL, strict=False):
            streaming.append(table, {f"{prefix}-{table}-{number}": row for number, row in portion})
    return tenant_ids


def _rows(tenant_ids: list[str]) -> dict[str, list[dict[str, Any]]]:
    return {
        "tenant_profiles": [_profile(tenant_id) for tenant_id in tenant_ids],
        "tenant_subscriptions": [_subscription(tenant_id) for tenant_id in tenant_ids],
        "tenant_pipeline_configs": [
            _config(tenant_id, number) for tenant_id in tenant_ids for number in range(CONFIGS_PER_TENANT)
        ],
    }


def _common(tenant_id: str) -> dict[str, Any]:
    # Uploaded long enough ago for the firing of last midnight to be due.
    days_ago = to_rfc3339(utc_now() - timedelta(days=2))
    return {"tenant_id": tenant_id, "created_at": days_ago, "recorded_at": days_ago}


def _profile(tenant_id: str) -> dict[str, Any]:
    return _common(tenant_id) | {
        "company_name": "Bench",
        "admin_email": "a@bench.example",
        "tenant_dataset_id": tenant_id,
        "status": "ACTIVE",
    }


def _subscription(tenant_id: str) -> dict[str, Any]:
    return _common(tenant_id) | PLAN | {"subscription_id": f"sub-{tenant_id}", "status": "ACTIVE"}


def _config(tenant_id: str, number: int) -> dict[str, Any]:
    return _common(tenant_id) | {
        "config_id": f"config-{number}",
        "version": 1,
        "pipeline_yaml": PIPELINE,
        "content_hash": "0",
        "is_active": True,
        "schedule": json.dumps(SCHEDULE),
        "schedule_cron": SCHEDULE["cron"],
        "priority": 5,
    }
