"""BigQuery on this machine: `local-bigquery` embedded, behind a proxy that adds what it lacks."""

from local.bigquery.counts import Counts
from local.bigquery.engine import DataFolderInUse
from local.bigquery.faults import Effect, Fault, Faults
from local.bigquery.housekeeping import Housekeeping
from local.bigquery.server import LocalBigQuery

__all__ = ["Counts", "DataFolderInUse", "Effect", "Fault", "Faults", "Housekeeping", "LocalBigQuery"]
