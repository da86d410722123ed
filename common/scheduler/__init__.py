"""The adapter to Cloud Scheduler: the only package that knows its client."""
