"""Convergence beside bare scripts and its peers, on one local BigQuery: `make bench-peers`."""
