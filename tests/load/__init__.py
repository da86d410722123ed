"""Many clients at once against the local platform: all requests are answered, and all runs complete."""
