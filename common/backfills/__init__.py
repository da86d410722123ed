"""Backfills: runs of a pipeline for the intervals of a time gone by."""
