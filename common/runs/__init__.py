"""Runs: admitted against the plan, carried out level by level, each effect exactly once."""
