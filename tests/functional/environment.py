"""What the operator sets, for the functions under test."""

PROJECT = "functional-tests"
ADMIN_KEY = "functional-admin-key"
EXECUTOR = f"executor@{PROJECT}.iam.gserviceaccount.com"
EXECUTOR_OF_ONE = f"tenant-{{tenant}}@{PROJECT}.iam.gserviceaccount.com"
"""The pattern of isolated tenants' accounts."""
KEYRING = '{"active": "k1", "keys": {"k1": "Y2FuYXJ5LW9mLXRoZS1rZXktcmluZy0zMi1ieXRlcyE="}}'
THEIRS = "customer-project"
"""A project of the tenants' own."""
