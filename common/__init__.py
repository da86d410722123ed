"""The library behind every function: a domain that knows no cloud, adapters that do, and edges that speak to callers."""
