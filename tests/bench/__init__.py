"""Speed as counts and ratios: `make bench`. Counts are exact and held against docs/exactly-once.md."""
