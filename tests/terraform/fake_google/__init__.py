"""Google's REST resource APIs, as far as Terraform's provider speaks them: one store behind one HTTP server.

Resources are JSON by URL. What each API adds of its own (the ID of a new resource, defaults) is in `kinds`
and `server_fields`. What it insists on (enabled APIs, accounts and objects that exist, granted roles) is in
`demands`. What is not create, read, change or delete is in `verbs`.
"""

from tests.terraform.fake_google.server import FakeGoogle

__all__ = ["FakeGoogle"]
