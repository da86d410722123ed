"""The adapter to Pub/Sub: the only package that knows its client."""
