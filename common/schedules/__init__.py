"""Schedules: when pipelines run by themselves, after which others, and by when."""
