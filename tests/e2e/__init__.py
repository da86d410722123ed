"""The guide's own commands, and the user's way, on the local platform."""
