"""Runs that wait for a slot, and firings that are to become runs."""
