"""Google's REST resource APIs, as far as Terraform's provider speaks them: one store behind one HTTP server.

Resources are JSON by URL. What each API adds of its own (the ID of a new resource, defaults, operations) is a
table in `kinds`; what it insists on (enabled APIs, accounts and objects that exist, granted roles) is in `demands`;
what is not create, read, change or delete is in `verbs`.
"""

from tests.terraform.fake_google.server import FakeGoogle

__all__ = ["FakeGoogle"]
