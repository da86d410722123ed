"""The adapter to BigQuery: the only package that knows its client, its errors and its SQL."""
