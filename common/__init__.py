"""The library behind every function: a domain without a cloud, adapters to one, edges that speak."""
