"""Cloud Scheduler on this machine: its gRPC API, HTTP targets, and a clock that tests can drive."""

from local.scheduler.clocks import ManualClock
from local.scheduler.server import SchedulerServer

__all__ = ["ManualClock", "SchedulerServer"]
