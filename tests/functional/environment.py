"""What the operator sets, for the functions under test."""

PROJECT = "functional-tests"
ADMIN_KEY = "functional-admin-key"
