"""A tenant's side of the API, noun by noun."""

from dataclasses import dataclass

from common.client.api import Api
from common.client.backfills import Backfills
from common.client.configs import Configs
from common.client.credentials import Credentials
from common.client.keys import Keys
from common.client.quality import Quality
from common.client.quotes import Quotes
from common.client.runs import Runs
from common.client.schedules import Schedules
from common.client.tables import Tables
from common.client.tenant import Tenant


@dataclass(frozen=True, slots=True)
class Client:
    """What one tenant's key can do."""

    api: Api

    @property
    def tenant(self) -> Tenant:
        """The tenant itself."""
        return Tenant(self.api)

    @property
    def keys(self) -> Keys:
        """Its API keys."""
        return Keys(self.api)

    @property
    def credentials(self) -> Credentials:
        """Its credentials."""
        return Credentials(self.api)

    @property
    def configs(self) -> Configs:
        """Its pipelines."""
        return Configs(self.api)

    @property
    def quotes(self) -> Quotes:
        """What its runs would cost."""
        return Quotes(self.api)

    @property
    def runs(self) -> Runs:
        """Its runs."""
        return Runs(self.api)

    @property
    def backfills(self) -> Backfills:
        """Its backfills."""
        return Backfills(self.api)

    @property
    def schedules(self) -> Schedules:
        """Its schedules."""
        return Schedules(self.api)

    @property
    def quality(self) -> Quality:
        """What came of its checks."""
        return Quality(self.api)

    @property
    def tables(self) -> Tables:
        """Its tables."""
        return Tables(self.api)
