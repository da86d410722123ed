"""What onboarding needs of the platform: the central tables."""

from common.errors import NoSuchResource, NotConfigured
from common.setup.tables import central_tables
from common.tenants.ports import CentralCatalog

NOT_SET_UP = "the platform is not set up yet: its operator has to call POST /admin/bootstrap"


def missing_tables(catalog: CentralCatalog) -> list[str]:
    """List the central tables that are not there yet."""
    try:
        existing = catalog.table_names()
    except NoSuchResource:
        existing = ()
    return [table.name for table in central_tables() if table.name not in existing]


def require_tables(catalog: CentralCatalog) -> None:
    """Raise NotConfigured where a central table is missing."""
    if missing_tables(catalog):
        raise NotConfigured(NOT_SET_UP)
