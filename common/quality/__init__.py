"""Data quality: what tables are expected to be like, and what came of looking."""
