"""The real platform, killed at random moments: no step's rows are doubled or missing, and every run ends."""
