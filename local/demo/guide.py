"""The guide's commands, in its order and with its words; only host and keys are the demo's own."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cli.pipeline_files import config_id_of
from common.client import Key
from local.demo.calls import ApiCall, Content
from local.demo.errors import DemoError

ROOT = Path(__file__).parents[2]
GUIDE_FILE = Path("configs/setup/bq_etl_test.yml")
CSV_FILE = Path("configs/setup/from_csv.yml")
CSV_RESULT = "taxes"
GUIDE_DATE = date(2024, 1, 1)
TENANT = "customer_name"


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineFile:
    """The file to upload, and the date to run it for; None leaves the date to the pipeline."""

    config_id: str
    content: Content
    run_date: date | None

    @property
    def is_the_guides(self) -> bool:
        """Tell whether it is the shipped pipeline, whose rows are known."""
        return self.run_date is not None


def pipeline_file(given: Path | None) -> PipelineFile:
    """Take the guide's pipeline, or a file of the user's own; DemoError where it cannot be read."""
    try:
        if given is None:
            content = Content.guide_file(ROOT / GUIDE_FILE, str(GUIDE_FILE))
            return PipelineFile(config_id=GUIDE_FILE.stem, content=content, run_date=GUIDE_DATE)
        content = Content.yaml_file(given, str(given))
        return PipelineFile(config_id=config_id_of(content.data, given), content=content, run_date=None)
    except OSError as error:
        raise DemoError(f"{error.filename}: {error.strerror}") from error


def csv_file() -> PipelineFile:
    """Take the shipped pipeline that begins with rows of CSV."""
    content = Content.yaml_file(ROOT / CSV_FILE, str(CSV_FILE))
    return PipelineFile(config_id=CSV_FILE.stem, content=content, run_date=None)


def bootstrap(key: Key) -> ApiCall:
    """Make the central dataset."""
    content = Content.json({"force_recreate_dataset": False, "force_recreate_tables": False})
    return ApiCall(method="POST", path="/admin/bootstrap", key=key, content=content)


def onboard(tenant_id: str) -> ApiCall:
    """Make the tenant."""
    content = Content.json(
        {
            "tenant_id": tenant_id,
            "company_name": "Customer Inc",
            "admin_email": "admin@customer.com",
            "subscription_plan": "PROFESSIONAL",
        }
    )
    return ApiCall(method="POST", path="/api/v1/tenants/onboard", content=content)


def upload(key: Key, file: PipelineFile) -> ApiCall:
    """Save the pipeline."""
    path = f"/api/v1/pipelines/configs/{file.config_id}"
    return ApiCall(method="POST", path=path, key=key, content=file.content)


def run_pipeline(key: Key, file: PipelineFile) -> ApiCall:
    """Run it."""
    body = {"date": file.run_date.isoformat()} if file.run_date else {}
    path = f"/api/v1/pipelines/run/{file.config_id}"
    return ApiCall(method="POST", path=path, key=key, content=Content.json(body))


def status(key: Key, run_id: str) -> ApiCall:
    """Look at the run."""
    return ApiCall(method="GET", path=f"/api/v1/pipelines/status/{run_id}", key=key)


def quota(key: Key) -> ApiCall:
    """Look at what the plan leaves."""
    return ApiCall(method="GET", path="/api/v1/tenants/quota", key=key)


def history(key: Key) -> ApiCall:
    """Look at all runs."""
    return ApiCall(method="GET", path="/api/v1/pipelines/history", key=key)


def tables(key: Key) -> ApiCall:
    """Look at the tenant's tables."""
    return ApiCall(method="GET", path="/api/v1/pipelines/tables", key=key)


def rows(key: Key, table: str) -> ApiCall:
    """Look at the rows of one."""
    return ApiCall(method="GET", path=f"/api/v1/pipelines/tables/{table}/rows", key=key)
