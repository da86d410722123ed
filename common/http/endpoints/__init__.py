"""The endpoints, each with its routes and its parameters."""
