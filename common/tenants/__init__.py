"""Tenants: who they are, what their plan allows, which keys speak for them, and how they come to be."""
