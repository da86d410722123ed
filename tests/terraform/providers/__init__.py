"""Checks with the real providers: on made-up credentials, on mocks, and against a fake of Google's APIs."""
